import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

/** What a TLS handshake leaves of the client's certificate; from `peerOf`, or written by hand in a test. */
export interface Peer {
  /** DER of the client's certificate; null: it sent none. */
  readonly leaf: Uint8Array | null;
  /** The other certificates it sent, as it sent them: unverified, in no promised order. Only the tenant asks for them. */
  readonly sent: readonly X509Certificate[];
  /** OpenSSL's verdict on the chain, at the time of the handshake. */
  readonly authorized: boolean;
  /** Where it refused: Node's code, e.g. `CERT_HAS_EXPIRED`; else null. */
  readonly authorizationError: string | null;
}

/** Certificates looked at beyond the leaf, at most: a longer chain names no tenant. */
export const MAX_SENT = 8;

/**
 * Of a server's socket after `secureConnection`; the server has `requestCert: true` and `rejectUnauthorized: false`, so
 * that a refused certificate is still at hand to be named.
 */
export function peerOf(socket: TLSSocket): Peer {
  const leaf = socket.getPeerX509Certificate();
  const sent: X509Certificate[] = [];
  for (
    let at = leaf?.issuerCertificate;
    at !== undefined && sent.length < MAX_SENT;
    at = at.issuerCertificate
  ) {
    sent.push(at);
  }
  return {
    leaf: leaf === undefined ? null : leaf.raw,
    sent,
    authorized: socket.authorized,
    authorizationError: errorCode(socket.authorizationError),
  };
}

/** The type says Error, Node gives its code as a string, and null while there is none. */
function errorCode(error: unknown): string | null {
  if (typeof error === "string") return error;
  if (error instanceof Error)
    return "code" in error && typeof error.code === "string" ? error.code : error.message;
  return null;
}
