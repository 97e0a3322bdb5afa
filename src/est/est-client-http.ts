/** One bounded HTTPS exchange: no redirect is followed, no answer is longer or takes longer than said. */
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, request, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import {
  NiacError,
  nodeHttp,
  PeerError,
  printable,
  systemCode,
  UnavailableError,
  TLS_CIPHERS,
} from "../base/index.ts";

const MAX_HEADER_LENGTH = 16_384;
/** Certificates of a chain that are looked at. */
const MAX_DEPTH = 10;

/** PEM; or, where the key is in no file, a TLS connection that whoever has the key makes: to the URL's host, verified, and good for one exchange. */
export type ExchangeCredentials =
  | { readonly certificate: string; readonly key: string }
  | { readonly tunnel: () => Duplex };

export interface Exchange {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** PEM of the authorities that the server's certificate must come from; null: unverified, which is only for finding a root by its fingerprint. */
  readonly ca: string | null;
  /** PEM: who we are. */
  readonly credentials: ExchangeCredentials | null;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  /** Bytes of the body at most. */
  readonly limit: number;
}

export interface Answer {
  readonly status: number;
  /** Of a header given twice, both, with a comma between. */
  readonly header: (name: string) => string | null;
  readonly body: Buffer;
  /** DER of what the server showed in the handshake, its own first. */
  readonly shown: readonly Buffer[];
}

/**
 * Rejects with an UnavailableError (`est-away`) where the server cannot be reached or is too slow, with a PeerError where its
 * certificate is not good (`est-server-certificate`) or its answer too large (`est-answer`).
 */
export function exchange(wanted: Exchange): Promise<Answer> {
  const { url, timeout, limit } = wanted;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeout);
    const failed = (error: Error): void => reject(explain(error, url, signal.aborted ? timeout : null));
    const outgoing = begin(wanted, signal, (incoming) => {
      const shown = incoming.socket instanceof TLSSocket ? shownBy(incoming.socket) : [];
      const chunks: Buffer[] = [];
      let length = 0;
      incoming.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length <= limit) chunks.push(chunk);
        else outgoing.destroy(tooLarge(url, limit));
      });
      incoming.once("error", failed);
      incoming.once("end", () =>
        resolve({
          status: incoming.statusCode ?? 0,
          header: (name) => incoming.headersDistinct[name.toLowerCase()]?.join(", ") ?? null,
          body: Buffer.concat(chunks),
          shown,
        }),
      );
    });
    outgoing.once("error", failed);
    outgoing.end(wanted.body ?? undefined);
  });
}

function begin(
  wanted: Exchange,
  signal: AbortSignal,
  answered: (incoming: IncomingMessage) => void,
): ClientRequest {
  const { url, credentials } = wanted;
  if (credentials === null || !("tunnel" in credentials))
    return request(url, optionsOf(wanted, signal), answered);
  const { method, headers } = optionsOf({ ...wanted, credentials: null }, signal);
  // The tunnel is TLS already, and what is spoken inside is plain HTTP.
  const inside = new URL(`http://${url.host}${url.pathname}`);
  const createConnection = (): Duplex => credentials.tunnel();
  return nodeHttp().request(
    inside,
    { method, headers, maxHeaderSize: MAX_HEADER_LENGTH, signal, createConnection },
    answered,
  );
}

function optionsOf(
  { method, headers, body, ca, credentials }: Exchange,
  signal: AbortSignal,
): RequestOptions {
  return {
    method,
    headers: { ...headers, ...(body === null ? {} : { "Content-Length": Buffer.byteLength(body) }) },
    // Each exchange on a connection of its own: nothing is resumed, and every certificate is looked at.
    agent: new Agent({ keepAlive: false, maxCachedSessions: 0 }),
    ...(ca === null ? { rejectUnauthorized: false } : { ca }),
    ...(credentials === null || "tunnel" in credentials
      ? {}
      : { cert: credentials.certificate, key: credentials.key }),
    minVersion: "TLSv1.2",
    ciphers: TLS_CIPHERS,
    maxHeaderSize: MAX_HEADER_LENGTH,
    signal,
  };
}

function shownBy(socket: TLSSocket): Buffer[] {
  const shown: Buffer[] = [];
  let certificate = socket.getPeerX509Certificate();
  while (certificate && shown.length < MAX_DEPTH) {
    shown.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return shown;
}

function tooLarge(url: URL, limit: number): PeerError {
  return new PeerError("est-answer", `${url.host} answers with more than the ${limit} bytes that are taken`);
}

/** What TLS says of a server's certificate, in words; `advice` where there is something to be done. */
const CERTIFICATE_FAULTS: Readonly<Record<string, readonly [string, string?]>> = {
  CERT_HAS_EXPIRED: [
    "has expired",
    "Check this computer's clock; if it is right, the server needs a new certificate.",
  ],
  CERT_NOT_YET_VALID: ["is not valid yet", "Check this computer's clock."],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    "is for another name",
    "Use the name or address that the certificate is made for.",
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["does not come from the authority that is trusted"],
  UNABLE_TO_GET_ISSUER_CERT: ["does not come from the authority that is trusted"],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["does not come from the authority that is trusted"],
  SELF_SIGNED_CERT_IN_CHAIN: ["does not come from the authority that is trusted"],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["does not come from the authority that is trusted"],
  CERT_SIGNATURE_FAILURE: ["does not come from the authority that is trusted"],
  CERT_REVOKED: ["is revoked"],
  INVALID_PURPOSE: ["is not one for servers"],
  INVALID_CA: ["comes from what is no authority"],
};

/** What went wrong, for people. `overdue`: the milliseconds that were allowed, where it is that. */
function explain(error: Error, url: URL, overdue: number | null): Error {
  if (error instanceof NiacError) return error;
  const code = systemCode(error);
  const fault = CERTIFICATE_FAULTS[code];
  if (fault) {
    const [what, advice = "Check the fingerprint or the authority's certificate that was given."] = fault;
    return new PeerError(
      "est-server-certificate",
      `the certificate of ${url.host} ${what} (${code})`,
      advice,
    );
  }
  if (code === "HPE_HEADER_OVERFLOW" || code.startsWith("HPE_"))
    return new PeerError("est-answer", `what ${url.host} answers is no HTTP (${code})`);
  const why =
    overdue === null
      ? code || printable(error.message).slice(0, 200)
      : `no whole answer within ${overdue / 1000} s`;
  return new UnavailableError(
    "est-away",
    `${url.host} cannot be asked for certificates (${why})`,
    "Check the address and the network; it is worth trying again.",
    { cause: error },
  );
}
