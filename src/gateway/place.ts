import type { Server } from "node:net";
import { systemCode, UnavailableError, UsageError } from "../base/index.ts";
import type { Address } from "../settings/index.ts";

/** Where to listen: at an address, or on a socket that listens already and was inherited from who started this process. */
export type Place = Address | { readonly fd: number };

/**
 * Resolves once it listens. Rejects with what says where it cannot, and how that is changed: an UnavailableError for an address,
 * which may become free; a UsageError for a descriptor, which does not become one by waiting.
 */
export function listenAt(server: Server, place: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const code = systemCode(error);
      reject("fd" in place ? inherited(place.fd, code) : configured(place, code));
    });
    server.listen({ ...place, backlog: 1024 }, resolve);
  });
}

function inherited(fd: number, code: string): UsageError {
  return new UsageError(
    "inherited-socket",
    `the gateway cannot listen on the inherited descriptor ${fd} (${code})`,
    "`niac up` opens these as root and hands them on: start the gateway through it.",
  );
}

function configured({ host, port }: Address, code: string): UnavailableError {
  return new UnavailableError(
    "listen",
    `the gateway cannot listen on ${host} port ${port} (${code})`,
    code === "EACCES"
      ? "Ports under 1024 need CAP_NET_BIND_SERVICE, or choose another with NIAC_LISTEN_MODBUS and NIAC_LISTEN_SERVICES."
      : "Choose another address with NIAC_LISTEN_MODBUS and NIAC_LISTEN_SERVICES.",
  );
}
