/**
 * Where laptops arrive: TLS listeners, sessions, inspection and relay, and the registry of what is live. Runs without privileges,
 * keeps nothing on disk, and asks control for everything it knows.
 */
export type { Directory } from "./directory.ts";
export { runGateway } from "./run.ts";
export { DIRECTORY_PROTOCOL } from "./target.ts";
