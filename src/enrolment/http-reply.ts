/** Questions and answers of the enrolment listener, and how a refusal is put to a person. */
import { NiacError, PeerError, printable, UnavailableError, UsageError } from "../base/index.ts";
import type { Peer } from "../identity/index.ts";

/** One whole HTTP request. */
export interface HttpQuestion {
  readonly method: "GET" | "POST";
  /** As sent: from the first slash, query string included. */
  readonly path: string;
  /** In lower case; null where it was not sent, or was sent twice with two values. */
  readonly header: (name: string) => string | null;
  /** As sent, 64 KiB at most. */
  readonly body: Buffer;
  /** What the TLS handshake left of the client's certificate. */
  readonly peer: Peer;
  /** The client's IP address; an IPv4 address stands as one. */
  readonly address: string;
  /** `address:port`. */
  readonly source: string;
}

export interface HttpReply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is said to the client, and for the record where that may know more. */
export interface RefusalWords {
  readonly status: number;
  /** Which part refused, for the record: `request`, `code`, `certificate`, `sign-in`, `approval`, `rate`, `lock`, `path`. */
  readonly stage: string;
  readonly message: string;
  /** What would allow it. */
  readonly advice: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the record, where the client is not to know all; default: the message. */
  readonly recorded?: string;
  /** It was a failed attempt to show who one is: it counts towards the limit of such attempts. */
  readonly guess?: boolean;
}

/** A refusal on its way to the client. */
export class HttpRefusal extends PeerError {
  readonly words: RefusalWords;

  constructor(code: string, words: RefusalWords) {
    super(code, words.message, words.advice);
    this.words = words;
  }
}

/** Seconds after which a client may well ask again where something was away. */
const AGAIN = 30;

/** Null: it is no refusal, but a fault of niac's own. */
export function refusalOf(error: unknown, stage: string): RefusalWords | null {
  if (error instanceof HttpRefusal) return error.words;
  if (error instanceof UnavailableError) {
    const advice = error.advice ?? "Try again later.";
    return {
      status: 503,
      stage,
      message: error.message,
      advice,
      headers: { "Retry-After": String(AGAIN) },
    };
  }
  if (!(error instanceof PeerError || error instanceof UsageError)) return null;
  const advice = adviceOf(error);
  return { status: 400, stage, message: error.message, advice };
}

function adviceOf(error: NiacError): string {
  return error.advice ?? "Make the request anew: niac enroll, or openssl req -new.";
}

/** Longest text of a refusal, in characters. */
const MAX_TEXT = 1_000;

export function refusalReply({ status, message, advice, headers }: RefusalWords): HttpReply {
  // What others wrote, such as a lock's reason, may end anyhow; on one line it must not run into the advice.
  const said = printable(message)
    .slice(0, MAX_TEXT)
    .replace(/[^.!?:]$/, "$&.");
  const text = `${said}\n${printable(advice).slice(0, MAX_TEXT)}\n`;
  return plain(status, text, headers);
}

export function plain(status: number, text: string, headers: HttpReply["headers"] = {}): HttpReply {
  return { status, type: "text/plain; charset=utf-8", body: text, headers };
}
