/** What an EST server's answers mean (RFC 7030, section 4; RFC 8951, section 3); pure. */
import { PeerError, printable, UnavailableError, UsageError } from "../base/index.ts";
import type { Answer } from "./est-client-http.ts";

/** Characters of a server's own words that are shown. */
const MAX_WORDS = 300;
/** Milliseconds between two questions for a certificate that waits for approval. */
const SOONEST = 1_000;
const LATEST = 24 * 3_600_000;
const USUAL = 60_000;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The DER that a 200 carries in base64, line breaks or not. Throws a PeerError where type or text are not what they must be. */
export function bodyOf(answer: Answer, type: string, host: string): Buffer {
  const given = answer.header("content-type") ?? "";
  if (given.split(";", 1)[0]?.trim().toLowerCase() !== type) {
    throw new PeerError(
      "est-answer",
      `${host} answers with the content type ${quoted(given)} instead of ${type}`,
      "Check that the address is that of an EST server.",
    );
  }
  const text = answer.body.toString("latin1").replace(/[ \t\r\n]+/g, "");
  if (text === "" || !BASE64.test(text))
    throw new PeerError("est-answer", `${host} answers with a body that is no base64`);
  return Buffer.from(text, "base64");
}

/** Milliseconds to wait after a 202 (RFC 7030, section 4.2.3): seconds or a date; bounded, since nobody waits a year. */
export function retryAfter(answer: Answer, now: number): number {
  const text = answer.header("retry-after")?.trim() ?? "";
  const asked = /^\d{1,10}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(asked) ? USUAL : Math.min(Math.max(asked, SOONEST), LATEST);
}

/** The error that any other status is; codes: est-credentials, est-refused, est-missing, est-redirect, est-busy, est-failed. */
export function refusalOf(answer: Answer, what: string, host: string): Error {
  const { status } = answer;
  const words = wordsOf(answer);
  const said = words === "" ? `status ${status}` : `status ${status}: ${words}`;
  if (status === 401) {
    return new UsageError(
      "est-credentials",
      `${host} does not accept the credentials for ${what} (${said})`,
      "Check the user name and the code; a code can be used once, and for a limited time.",
    );
  }
  if (status === 404) {
    return new UsageError(
      "est-missing",
      `${host} has no ${what} at this address (${said})`,
      "Check the address and its label: https://host/.well-known/est/label.",
    );
  }
  if (status >= 300 && status < 400)
    return new PeerError(
      "est-redirect",
      `${host} sends the question for ${what} elsewhere, which is not followed (${said})`,
    );
  if (status === 429 || status === 503)
    return new UnavailableError(
      "est-busy",
      `${host} does not answer ${what} now (${said})`,
      "Try again later.",
    );
  if (status >= 500)
    return new UnavailableError(
      "est-failed",
      `${host} failed at ${what} (${said})`,
      "Try again, and ask who runs it.",
    );
  return new UsageError("est-refused", `${host} refuses ${what} (${said})`);
}

/** Only plain text is shown: the page of a proxy in between says nothing to a person at a prompt. */
function wordsOf({ header, body }: Answer): string {
  if (!/^text\/plain\b/i.test(header("content-type") ?? "")) return "";
  return printable(
    body
      .subarray(0, 4 * MAX_WORDS)
      .toString("utf8")
      .replace(/\s+/g, " ")
      .trim(),
  ).slice(0, MAX_WORDS);
}

function quoted(text: string): string {
  return JSON.stringify(printable(text).slice(0, 80));
}
