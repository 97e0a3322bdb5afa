import type { Server } from "node:net";
import { systemCode, UnavailableError } from "../base/index.ts";
import type { Address } from "../settings/index.ts";

/** Where to listen: at an address, or on a socket that listens already and was inherited from who started this process. */
export type Place = Address | { readonly fd: number };

/** Resolves once it listens. Rejects with an UnavailableError that says where it cannot, and how that is changed. */
export function listenAt(server: Server, place: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const code = systemCode(error);
      const [where, advice] = "fd" in place ? inherited(place.fd) : configured(place, code);
      reject(new UnavailableError("listen", `the gateway cannot listen on ${where} (${code})`, advice));
    });
    server.listen({ ...place, backlog: 1024 }, resolve);
  });
}

function inherited(fd: number): [where: string, advice: string] {
  return [
    `the inherited descriptor ${fd}`,
    "`niac up` opens these as root and hands them on: start the gateway through it.",
  ];
}

function configured({ host, port }: Address, code: string): [where: string, advice: string] {
  return [
    `${host} port ${port}`,
    code === "EACCES"
      ? "Ports under 1024 need CAP_NET_BIND_SERVICE, or choose another with NIAC_LISTEN_MODBUS and NIAC_LISTEN_SERVICES."
      : "Choose another address with NIAC_LISTEN_MODBUS and NIAC_LISTEN_SERVICES.",
  ];
}
