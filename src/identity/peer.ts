import { messageOf, systemCode } from "../base/index.ts";
import type { TLSSocket } from "node:tls";

/**
 * What a TLS handshake leaves of the client's certificate; from `peerOf`, or written by hand in a test. The authorities'
 * certificates that the client sent are not among it: Node 24.21.0 drops them on servers (nodejs/node#65579), and nothing
 * here may rest on what a client chooses to send.
 */
export interface Peer {
  /** DER of the client's certificate; null: it sent none. */
  readonly leaf: Uint8Array | null;
  /** OpenSSL's verdict on the chain, at the time of the handshake. */
  readonly authorized: boolean;
  /** Where it refused: Node's code, e.g. `CERT_HAS_EXPIRED`; else null. */
  readonly authorizationError: string | null;
}

/**
 * Of a server's socket after `secureConnection`; the server has `requestCert: true` and `rejectUnauthorized: false`, so
 * that a refused certificate is still at hand to be named.
 */
export function peerOf(socket: TLSSocket): Peer {
  return {
    leaf: socket.getPeerX509Certificate()?.raw ?? null,
    authorized: socket.authorized,
    authorizationError: errorCode(socket.authorizationError),
  };
}

/** The type says Error, Node gives its code as a string, and null while there is none. */
function errorCode(error: unknown): string | null {
  if (error === null || error === undefined) return null;
  if (typeof error === "string") return error;
  return systemCode(error) || messageOf(error);
}
