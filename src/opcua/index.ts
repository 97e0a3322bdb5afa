/**
 * OPC UA's binary protocol, as far as niac speaks it: so far what it takes to ask a server for its endpoints over a channel without
 * security (HEL, OPN, GetEndpoints, CLO). Pure: bytes in, values or a PeerError out; every length has a limit.
 *
 * Standards: OPC 10000-6 (mappings) 5.2, 6.7, 7.1; OPC 10000-4 (services) 5.4.4, 5.5.
 */
export * from "./channel.ts";
export { MAX_ARRAY, MAX_DEPTH, MAX_STRING } from "./reader.ts";
export * from "./services.ts";
export * from "./transport.ts";
