/**
 * A client of EST (RFC 7030, RFC 8951): for a laptop that enrols at the appliance, and for the appliance at the site's own authority.
 *
 * Nothing that is secret is sent before the server's certificate is verified. With a fingerprint alone, the authorities' certificates are
 * fetched unverified first (RFC 7030, section 4.1.1); what has that fingerprint is the root that all further connections are verified by.
 */
import { createHash } from "node:crypto";
import { PeerError, UsageError, type Clock, systemClock } from "../base/index.ts";
import { certificatePem, pemToDer, readCertsOnly } from "../x509/index.ts";
import { bodyOf, refusalOf, retryAfter } from "./est-client-answer.ts";
import { issuedChain, isRoot, parsed } from "./est-client-chain.ts";
import { exchange, type Answer, type Exchange, type ExchangeCredentials } from "./est-client-http.ts";

export interface EstOptions {
  /** `https://host[:port]`, or all of it: `https://host/.well-known/est[/label]`. */
  readonly url: string;
  /** PEM of the authorities trusted, or the SHA-256 of the root's DER: hexadecimal, colons or not, `sha256:` before it or not. */
  readonly trust: { readonly ca: string } | { readonly fingerprint: string };
  /** PEM: the certificate, with its chain, that reenroll() proves who asks by. */
  readonly credentials?: ExchangeCredentials;
  readonly label?: string;
  /** Milliseconds for each question and its answer; default 30 s. */
  readonly timeout?: number;
}

export type EstAuth =
  | { readonly user: string; readonly code: string }
  /** An ID token of OpenID Connect. */
  | { readonly bearer: string };

export type EstAnswer =
  /** DER: the certificate, what is above it in order, its root last. */
  | { readonly kind: "issued"; readonly certificates: Buffer[] }
  /** An administrator has not approved yet; ask with the same request again after that many milliseconds. */
  | { readonly kind: "wait"; readonly retryAfter: number };

/**
 * All of it rejects with errors for people, whose codes are stable: UnavailableError est-away, est-busy, est-failed; UsageError
 * est-credentials (401), est-refused, est-missing (404); PeerError est-server-certificate, est-fingerprint, est-redirect, est-answer,
 * est-other-key, est-chain.
 */
export interface EstClient {
  /** PEM of the authorities that the server is verified by: with a fingerprint, the root that has it. */
  trusted(): Promise<string>;
  /** DER of the authorities' certificates, as the verified server gives them. */
  cacerts(): Promise<Buffer[]>;
  /** DER of what the server wants in a request; null: nothing in particular. */
  csrattrs(): Promise<Buffer | null>;
  /** `request`: DER of PKCS#10. `auth` null: waits for approval, or the credentials say who it is. */
  enroll(request: Uint8Array, auth: EstAuth | null): Promise<EstAnswer>;
  reenroll(request: Uint8Array): Promise<EstAnswer>;
  /** Another document of the same host, such as `/.well-known/niac/sign-in`; null: there is none (404). */
  get(path: string, type: string): Promise<Buffer | null>;
}

const TIMEOUT = 30_000;
/** Bytes: room for a page of large certificates in base64. */
const MAX_ANSWER = 262_144;
const CERTS_ONLY = "application/pkcs7-mime";
const WELL_KNOWN = "/.well-known/est";
const LABEL = /^[A-Za-z0-9._~-]{1,100}$/;

/** Throws a UsageError for an address, label or fingerprint that cannot be used, a PeerError for PEM that cannot; connects to nobody yet. */
export function estClient(options: EstOptions, clock: Clock = systemClock): EstClient {
  return new Client(options, clock);
}

class Client implements EstClient {
  readonly #base: URL;
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #credentials: Exchange["credentials"];
  readonly #fingerprint: string | null;
  /** PEM; null until the root with the fingerprint is found. */
  #ca: string | null;

  constructor({ url, trust, credentials, label, timeout = TIMEOUT }: EstOptions, clock: Clock) {
    this.#base = baseOf(url, label);
    this.#clock = clock;
    this.#timeout = timeout;
    this.#credentials = credentials ?? null;
    this.#fingerprint = "fingerprint" in trust ? readFingerprint(trust.fingerprint) : null;
    this.#ca = "ca" in trust ? readCa(trust.ca) : null;
  }

  async trusted(): Promise<string> {
    if (this.#ca === null) this.#ca = await this.#findRoot();
    return this.#ca;
  }

  async cacerts(): Promise<Buffer[]> {
    return this.#certificates(await this.#ask("GET", "cacerts", {}));
  }

  async csrattrs(): Promise<Buffer | null> {
    const answer = await this.#ask("GET", "csrattrs", {});
    if (answer.status === 204 || answer.status === 404) return null;
    return this.#body(answer, "application/csrattrs", "csrattrs");
  }

  enroll(request: Uint8Array, auth: EstAuth | null): Promise<EstAnswer> {
    return this.#request("simpleenroll", request, auth);
  }

  reenroll(request: Uint8Array): Promise<EstAnswer> {
    return this.#request("simplereenroll", request, null);
  }

  async get(path: string, type: string): Promise<Buffer | null> {
    const answer = await this.#send(new URL(path, this.#base.origin), "GET", {}, null, await this.trusted());
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw refusalOf(answer, path, this.#base.host);
    const given = answer.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
    if (given === type) return answer.body;
    throw new PeerError(
      "est-answer",
      `${this.#base.host} answers ${path} with another content type than ${type}`,
    );
  }

  async #request(operation: string, request: Uint8Array, auth: EstAuth | null): Promise<EstAnswer> {
    const body = Buffer.from(request).toString("base64");
    const headers = { "Content-Type": "application/pkcs10", ...(auth === null ? {} : authorization(auth)) };
    const answer = await this.#ask("POST", operation, headers, body);
    if (answer.status === 202) return { kind: "wait", retryAfter: retryAfter(answer, this.#clock.now()) };
    const given = this.#certificates(answer, operation);
    const above = await this.cacerts();
    // The verified server says which roots there are: beside the one it was verified by there may be the next one.
    const anchors = [...pemToDer(await this.trusted()), ...above.filter(isRoot)];
    const certificates = issuedChain(request, given, above, anchors);
    this.#checkTime(certificates[0]);
    return { kind: "issued", certificates };
  }

  #checkTime(der: Buffer | undefined): void {
    if (der === undefined) return;
    // Laptops run this with Node 20 too, which has no `validToDate`.
    const end = new Date(parsed(der).validTo);
    if (end.getTime() > this.#clock.now()) return;
    throw new PeerError(
      "est-chain",
      `the certificate that came back was valid until ${end.toISOString()} only`,
      "Check this computer's clock and that of the authority.",
    );
  }

  /** The only question asked of a server that is not verified; nothing of its answer counts but what has the fingerprint. */
  async #findRoot(): Promise<string> {
    const answer = await this.#send(this.#at("cacerts"), "GET", {}, null, null);
    const given = [...this.#certificates(answer), ...answer.shown];
    const root = given.find((der) => fingerprintOf(der) === this.#fingerprint);
    if (root === undefined || !isRoot(root)) {
      const seen = given.filter(isRoot).map(fingerprintOf);
      const which = seen.length === 0 ? "it shows none" : `it shows ${[...new Set(seen)].join(", ")}`;
      throw new PeerError(
        "est-fingerprint",
        `${this.#base.host} has no root authority with the fingerprint ${this.#fingerprint ?? ""}; ${which}`,
        "Compare it with what `niac authority show` says on the appliance. If they differ, somebody may stand in between.",
      );
    }
    return certificatePem(root);
  }

  async #ask(
    method: Exchange["method"],
    operation: string,
    headers: Exchange["headers"],
    body: string | null = null,
  ): Promise<Answer> {
    return this.#send(this.#at(operation), method, headers, body, await this.trusted());
  }

  #send(
    url: URL,
    method: Exchange["method"],
    headers: Exchange["headers"],
    body: string | null,
    ca: string | null,
  ): Promise<Answer> {
    const credentials = ca === null ? null : this.#credentials;
    return exchange({
      url,
      method,
      headers,
      body,
      ca,
      credentials,
      timeout: this.#timeout,
      limit: MAX_ANSWER,
    });
  }

  #at(operation: string): URL {
    return new URL(`${this.#base.pathname}/${operation}`, this.#base);
  }

  #certificates(answer: Answer, operation = "cacerts"): Buffer[] {
    return readCertsOnly(this.#body(answer, CERTS_ONLY, operation));
  }

  #body(answer: Answer, type: string, operation: string): Buffer {
    if (answer.status !== 200) throw refusalOf(answer, operation, this.#base.host);
    return bodyOf(answer, type, this.#base.host);
  }
}

/** SHA-256 of a certificate's DER, hexadecimal. */
export function fingerprintOf(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("hex");
}

function readCa(pem: string): string {
  return pemToDer(pem).map(certificatePem).join("");
}

function readFingerprint(text: string): string {
  const digits = text
    .trim()
    .toLowerCase()
    .replace(/^sha-?256:/, "")
    .replaceAll(":", "");
  if (/^[0-9a-f]{64}$/.test(digits)) return digits;
  throw new UsageError(
    "fingerprint",
    `${JSON.stringify(text)} is no fingerprint; it has ${digits.length} characters`,
    "It takes the 64 hexadecimal digits of the root's SHA-256 that `niac authority show` prints.",
  );
}

function baseOf(url: string, label: string | undefined): URL {
  const base = URL.canParse(url) ? new URL(url) : null;
  const path = base?.pathname.replace(/\/$/, "") ?? "";
  const known = path === "" || path === WELL_KNOWN || path.startsWith(`${WELL_KNOWN}/`);
  const plain = base && !base.username && !base.password && !base.search && !base.hash;
  if (base?.protocol !== "https:" || !plain || !known) {
    throw new UsageError(
      "est-url",
      `${JSON.stringify(url)} is no address of an EST server`,
      "It takes https://host, or https://host/.well-known/est/label.",
    );
  }
  if (label !== undefined && (!LABEL.test(label) || path.length > WELL_KNOWN.length))
    throw new UsageError("est-label", `${JSON.stringify(label)} cannot be the label of ${url}`);
  const from = path === "" ? WELL_KNOWN : path;
  base.pathname = label === undefined ? from : `${from}/${label}`;
  return base;
}

function authorization(auth: EstAuth): Record<string, string> {
  if ("bearer" in auth) {
    if (!/^[A-Za-z0-9._~+/=-]+$/.test(auth.bearer))
      throw new UsageError("est-token", "the token has characters that no token has");
    return { Authorization: `Bearer ${auth.bearer}` };
  }
  if (auth.user.includes(":"))
    throw new UsageError(
      "est-user",
      `the user name ${JSON.stringify(auth.user)} has a colon, which HTTP does not allow in one`,
    );
  return { Authorization: `Basic ${Buffer.from(`${auth.user}:${auth.code}`).toString("base64")}` };
}
