/**
 * The engineer's side, on a laptop: `niac enroll` gets it a certificate, `niac renew` keeps it, `niac machines` lists what it may
 * use and `niac connect` opens local ports for that. Nothing here is needed to use the appliance; any TLS client with the same
 * certificate can do what this does.
 */
export { laptopCommands } from "./command.ts";
export type { LaptopSurroundings, Screen } from "./surroundings.ts";
export { thisComputer } from "./terminal.ts";
