/** One TLS handshake on loopback, and what identity/ makes of the client's certificate. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type ConnectionOptions, type TlsOptions, type TLSSocket } from "node:tls";
import {
  peerOf,
  readIdentity,
  type Identity,
  type IdentityOptions,
  type Refusal,
} from "../../../src/identity/index.ts";
import type { Credential } from "../../support/pki.ts";

export interface Listener {
  readonly server: Credential;
  /** PEM texts of the authorities trusted for clients. */
  readonly trusted: readonly string[];
  /** Further options of the TLS server, e.g. CRLs. */
  readonly tls?: TlsOptions;
  readonly identity?: IdentityOptions;
}

type Client = (port: number) => Promise<void>;

/** Serves one connection of `client` the way the gateway does, and closes. */
export async function outcomeOf(listener: Listener, client: Client): Promise<Identity | Refusal> {
  const { server: own, trusted, tls, identity } = listener;
  const server = createServer({
    key: own.keyPem,
    cert: own.fullChainPem,
    ca: [...trusted],
    requestCert: true,
    rejectUnauthorized: false,
    ...tls,
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const outcome = new Promise<Identity | Refusal>((resolve, reject) => {
    server.on("tlsClientError", reject);
    server.on("secureConnection", (socket: TLSSocket) => {
      socket.on("error", reject);
      resolve(readIdentity(peerOf(socket), Date.now(), identity));
      socket.end();
    });
  });
  try {
    const [read] = await Promise.all([outcome, client(address.port)]);
    return read;
  } finally {
    server.close();
  }
}

/** A client of Node; null: it has no certificate. */
export function nodeClient(credential: Credential | null, options: ConnectionOptions = {}): Client {
  const own = credential === null ? {} : { cert: credential.chainPem, key: credential.keyPem };
  return async (port) => {
    // Whether the client trusts the server is not what these tests ask.
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...own, ...options });
    socket.resume();
    await once(socket, "close");
  };
}

/** A client of openssl's own: `openssl s_client`. */
export function opensslClient(credential: Credential | null, ...more: readonly string[]): Client {
  const own =
    credential === null
      ? []
      : ["-cert", credential.cert, "-key", credential.key, "-cert_chain", credential.chain];
  return async (port) => {
    const args = ["s_client", "-connect", `127.0.0.1:${port}`, "-quiet", ...own, ...more];
    const child = spawn("openssl", args, { stdio: ["pipe", "ignore", "ignore"] });
    await once(child, "close");
  };
}
