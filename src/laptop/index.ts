/**
 * The engineer's side, on a laptop with a certificate: `niac connect` opens local ports for the machines this certificate may
 * use. Nothing here is needed to use the appliance; any TLS client with the same certificate can do what this does.
 */
export { connectCommand } from "./command.ts";
export type { LaptopSurroundings, Screen } from "./surroundings.ts";
