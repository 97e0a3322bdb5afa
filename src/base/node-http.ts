import type * as Http from "node:http";

/**
 * Node's HTTP, not by import: for whoever imports one of Node's modules, Node 24 reads all its exports, and this one's WebSocket brings all of
 * undici with it. That was 60 ms and 14 MiB for each process and each command.
 */
export function nodeHttp(): typeof Http {
  return process.getBuiltinModule("node:http");
}
