/** One bounded exchange with another authority's server: lists are fetched and responders are asked by it. */
import type { ClientRequest, IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import {
  messageOf,
  NiacError,
  nodeHttp,
  PeerError,
  printable,
  systemCode,
  UnavailableError,
} from "../base/index.ts";

export interface Asked {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent by POST; null: GET. */
  readonly body: Uint8Array | null;
  /** Bytes of the answer's body at most. */
  readonly limit: number;
  /** Milliseconds for all of it, and without a byte. */
  readonly timeout: number;
  readonly idle: number;
}

export interface Told {
  readonly status: number;
  readonly body: Buffer;
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/** Redirects followed for one answer, and only to the same server. */
const MAX_REDIRECTS = 3;
const MAX_HEADER_LENGTH = 16_384;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * Rejects with an UnavailableError (`outside-away`) where the server cannot be reached, is too slow or was stopped by `signal`, with a
 * PeerError (`outside-answer`) where what it says is of no use: too much, no HTTP, a redirect to somebody else.
 */
export async function exchange(asked: Asked, signal: AbortSignal): Promise<Told> {
  const overdue = AbortSignal.timeout(asked.timeout);
  const ends = AbortSignal.any([signal, overdue]);
  let url = new URL(asked.url);
  try {
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const { told, location } = await once(url, asked, ends);
      if (location === null) return told;
      url = followed(url, location);
    }
    throw new PeerError("outside-answer", `${url.host} redirects more than ${MAX_REDIRECTS} times`);
  } catch (error) {
    throw explain(error, url, overdue.aborted ? `no whole answer within ${asked.timeout / 1000} s` : null);
  }
}

function once(
  url: URL,
  { headers, body, limit, idle }: Asked,
  signal: AbortSignal,
): Promise<{ readonly told: Told; readonly location: string | null }> {
  return new Promise((resolve, reject) => {
    const options = {
      method: body === null ? "GET" : "POST",
      headers: {
        ...headers,
        // An answer is what it says it is: nothing is unpacked, so nothing small becomes large.
        "Accept-Encoding": "identity",
        ...(body === null ? {} : { "Content-Length": body.length }),
      },
      agent: false as const,
      maxHeaderSize: MAX_HEADER_LENGTH,
      signal,
    };
    const outgoing = (url.protocol === "https:" ? requestHttps : nodeHttp().request)(url, options);
    outgoing.once("error", reject);
    outgoing.setTimeout(idle, () => outgoing.destroy(new Error(`nothing for ${idle / 1000} s`)));
    outgoing.once("response", (incoming) => {
      const status = incoming.statusCode ?? 0;
      const location = REDIRECTS.includes(status) ? (incoming.headers.location ?? "") : null;
      collect(incoming, outgoing, limit).then(
        (received) => resolve({ told: toldOf(incoming, status, received), location }),
        reject,
      );
    });
    outgoing.end(body ?? undefined);
  });
}

function collect(incoming: IncomingMessage, outgoing: ClientRequest, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const announced = Number(incoming.headers["content-length"] ?? 0);
    const tooMuch = (): void => {
      const error = new PeerError(
        "outside-answer",
        `it answers with more than the ${limit} bytes that are taken`,
      );
      reject(error);
      outgoing.destroy();
    };
    if (announced > limit) return tooMuch();
    incoming.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) tooMuch();
      else chunks.push(chunk);
    });
    incoming.once("error", reject);
    incoming.once("end", () => resolve(Buffer.concat(chunks)));
  });
}

function toldOf({ headers }: IncomingMessage, status: number, body: Buffer): Told {
  return {
    status,
    body,
    etag: headers.etag ?? null,
    lastModified: headers["last-modified"] ?? null,
  };
}

/** Who answers for an authority is whom the site document names, and nobody that one points to. */
function followed(from: URL, location: string): URL {
  const to = URL.parse(location, from.href);
  if (to !== null && to.host === from.host && to.protocol === from.protocol) return to;
  throw new PeerError(
    "outside-answer",
    `${from.host} redirects to ${to === null ? "nowhere" : to.origin}, which is another server`,
    "If that is right, write its address into the site document.",
  );
}

function explain(error: unknown, url: URL, late: string | null): NiacError {
  if (error instanceof NiacError) return error;
  const code = systemCode(error);
  if (code.startsWith("HPE_"))
    return new PeerError("outside-answer", `what ${url.host} answers is no HTTP (${code})`);
  const why =
    late ?? (code === "" || code === "ABORT_ERR" ? printable(messageOf(error)).slice(0, 200) : code);
  return new UnavailableError(
    "outside-away",
    `${url.host} cannot be asked (${why})`,
    "Check the address in the site document, and that the plant network lets the appliance reach it.",
    { cause: error },
  );
}
