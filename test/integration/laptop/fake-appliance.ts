import type { Socket } from "node:net";
import { createServer, type TlsOptions, type TLSSocket } from "node:tls";
import type { Credential } from "../../support/pki.ts";
import { portOf } from "./running.ts";

export const BOX = "box.example";
export const DIRECTORY = {
  appliance: BOX,
  user: "alice",
  services: [
    { machine: "press-4", service: "modbus", protocol: "modbus-tcp", port: 502, description: "press" },
    { machine: "press-4", service: "panel", protocol: "tcp", port: 5900, description: "press" },
  ],
};

/** What the fake does with a connection whose handshake is done. */
export type Behaviour = (socket: TLSSocket, protocol: string, serverName: string) => void;

export interface FakeAppliance {
  readonly via: string;
  /** `<ALPN> <SNI>` of each connection, in the order of their handshakes. */
  readonly seen: string[];
  readonly open: Set<Socket>;
  close(): void;
}

/** A TLS 1.3 server in the appliance's place, so that it can be made to do what a good appliance does not. */
export async function fakeAppliance(
  credential: Credential,
  behaviour: Behaviour,
  options: TlsOptions = {},
): Promise<FakeAppliance> {
  const seen: string[] = [];
  const open = new Set<Socket>();
  const server = createServer({
    cert: credential.fullChainPem,
    key: credential.keyPem,
    ca: credential.caPem,
    requestCert: true,
    minVersion: "TLSv1.3",
    allowHalfOpen: true,
    ALPNCallback: ({ protocols }) => protocols[0],
    ...options,
  });
  server.on("secureConnection", (socket) => {
    const protocol = socket.alpnProtocol || "";
    const serverName =
      "servername" in socket && typeof socket.servername === "string" ? socket.servername : "";
    seen.push(`${protocol} ${serverName}`);
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    behaviour(socket, protocol, serverName);
  });
  server.on("tlsClientError", (_, socket) => socket.destroy());
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const close = (): void => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return { via: `127.0.0.1:${portOf(server)}`, seen, open, close };
}

/** Lists the two services, and echoes what comes for them. */
export const GOOD: Behaviour = (socket, protocol) => {
  if (protocol === "niac-directory") socket.end(`${JSON.stringify(DIRECTORY)}\n`);
  else socket.pipe(socket);
};

/** Answers with how many bytes came, and not before the last of them. */
export const COUNTING: Behaviour = (socket, protocol, serverName) => {
  if (protocol === "niac-directory") {
    GOOD(socket, protocol, serverName);
    return;
  }
  let length = 0;
  socket.on("data", (chunk: Buffer) => {
    length += chunk.length;
  });
  socket.on("end", () => socket.end(`${length} bytes came`));
};
