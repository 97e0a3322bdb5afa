/** Whom handshakes are compared with: niac's own Node without niac, which can do all that niac can, and nginx where it can. */
import { join } from "node:path";
import { nginx } from "./peers.ts";
import { freePort, PinnedProcess } from "./processes.ts";
import type { Proxy } from "./proxy.ts";

export const NODE = "node";
const SCRIPT = join(import.meta.dirname, "node-proxy.ts");

function node(): Proxy {
  return {
    name: NODE,
    version: `bare Node ${process.version}, OpenSSL ${process.versions.openssl}`,
    missing: "",
    async start({ core, dir, server, authority, machinePort }) {
      const port = await freePort();
      const words = [port, server.fullChain, server.key, authority.cert, machinePort].map(String);
      const command = [process.execPath, SCRIPT, ...words];
      return { process: new PinnedProcess(NODE, core, command, join(dir, "node.log")), port };
    },
  };
}

export function trustPeers(): Proxy[] {
  return [node(), nginx()];
}
