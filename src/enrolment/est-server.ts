/** EST (RFC 7030, RFC 8951), revocation lists and what laptops ask besides: from a question to its answer. */
import { isRefusal, readIdentity, type Identity, type TenantAuthority } from "../identity/index.ts";
import { der, makeCertsOnly, readRequest } from "../x509/index.ts";
import { readAuthorization } from "./est-server-auth.ts";
import { page } from "./est-server-page.ts";
import { readPath, type Asked, type Operation } from "./est-server-paths.ts";
import type { EnrolRefusals } from "./enrol-refusals.ts";
import type { Label } from "./enrol-requests.ts";
import { badCode, CHALLENGE, type Answered, type Enrolment } from "./enrolment.ts";
import { decodeBase64Body } from "./http-base64.ts";
import { sourceOf, type Attempts } from "./http-limits.ts";
import {
  HttpRefusal,
  plain,
  refusalOf,
  refusalReply,
  type HttpQuestion,
  type HttpReply,
} from "./http-reply.ts";

/** Takes a posture report of a laptop, or of a management system that has no certificate of its own. */
export type PostureHandler = (
  identity: Identity | null,
  body: Buffer,
  question: Pick<HttpQuestion, "header" | "peer">,
) => Promise<HttpReply>;

export interface EstServerParts {
  readonly enrolment: Enrolment;
  readonly attempts: Attempts;
  readonly refusals: EnrolRefusals;
  /** Every authority that issues clients' certificates; empty: none are told apart. */
  authorities(): readonly TenantAuthority[];
  /** DER; null: there is no such authority. */
  crl(authority: string): Buffer | null;
  /** SHA-256 of the root that laptops ask for, hexadecimal; null: there is none. */
  fingerprint(): string | null;
  readonly posture: PostureHandler | null;
  /** Milliseconds of a clock that never goes back. */
  monotonic(): number;
  /** Told when a request waits for somebody to approve it. */
  waits(id: string, source: string): void;
  fault(error: unknown): void;
}

/** Seconds until a waiting laptop asks again; at an admin's console that is no time at all. */
const POLL = 15;

export class EstServer {
  readonly #parts: EstServerParts;

  constructor(parts: EstServerParts) {
    this.#parts = parts;
  }

  /** Answers whatever is asked; what is not right is told in text, and is on record. */
  async answer(question: HttpQuestion): Promise<HttpReply> {
    const asked = readPath(question.method, question.path);
    try {
      return await this.#answer(asked, question);
    } catch (error) {
      const words = refusalOf(error, "request");
      if (words === null) {
        this.#parts.fault(error);
        return plain(500, "niac itself failed at this. Its log says more.\n");
      }
      const { stage, message, recorded, guess } = words;
      if (guess === true) this.#parts.attempts.failed(sourceOf(question.address), this.#parts.monotonic());
      this.#refused(question, stage, recorded ?? message);
      return refusalReply(words);
    }
  }

  async #answer(asked: Asked, question: HttpQuestion): Promise<HttpReply> {
    switch (asked.what) {
      case "est":
        return this.#est(asked.operation, asked.label, question);
      case "crl":
        return this.#crl(asked.authority);
      case "page":
        return page(this.#parts.fingerprint(), question.header("host"));
      case "sign-in":
        return this.#signIn();
      case "posture":
        return this.#posture(question);
      case "refused": {
        const { status, reason: message, allow } = asked;
        const headers = allow === "" ? {} : { Allow: allow };
        const advice = "See RFC 7030: /.well-known/est/cacerts, csrattrs, simpleenroll and simplereenroll.";
        throw new HttpRefusal("path", { status, stage: "path", message: sentence(message), advice, headers });
      }
    }
  }

  async #est(operation: Operation, label: Label | null, question: HttpQuestion): Promise<HttpReply> {
    const { issuer } = this.#parts.enrolment.parts;
    switch (operation) {
      case "cacerts":
        return certsOnly([...issuer.cacerts()]);
      case "csrattrs":
        return { status: 200, type: "application/csrattrs", ...inBase64(CSR_ATTRIBUTES) };
      case "simpleenroll":
        return this.#reply(await this.#first(label, question), question);
      case "simplereenroll":
        return this.#reply(await this.#again(label, question), question);
    }
  }

  async #first(label: Label | null, question: HttpQuestion): Promise<Answered> {
    const { enrolment } = this.#parts;
    const given = readAuthorization(question.header("authorization"));
    if (given !== null) this.#checkRate(question.address);
    const wish = wishOf(question, label);
    if (given === null) return enrolment.byApproval(wish);
    if (given.scheme === "bearer") return enrolment.bySignIn(wish, given.token);
    if (given.scheme === "basic") return enrolment.byCode(wish, given.user, given.code);
    throw badCode("the header Authorization cannot be read");
  }

  async #again(label: Label | null, question: HttpQuestion): Promise<Answered> {
    const wish = wishOf(question, label);
    const identity = this.#identify(question);
    if (identity === null || question.peer.leaf === null) {
      throw new HttpRefusal("no-certificate", {
        status: 401,
        stage: "certificate",
        message: "A certificate is renewed over a connection that shows it, and this one shows none.",
        advice: "Renew with the certificate and its key (niac renew), or enrol anew with a one-time code.",
        headers: CHALLENGE,
      });
    }
    return this.#parts.enrolment.again(wish, identity, question.peer.leaf);
  }

  /** Null: the client showed no certificate. Throws an HttpRefusal for one that is not good. */
  #identify({ peer }: HttpQuestion): Identity | null {
    if (peer.leaf === null) return null;
    const tenants = this.#parts.authorities();
    const now = this.#parts.enrolment.parts.now();
    const found = readIdentity(peer, now, tenants.length === 0 ? {} : { tenants });
    if (!isRefusal(found)) return found;
    const { code, reason, advice } = found;
    throw new HttpRefusal(code, { status: 403, stage: "certificate", message: reason, advice });
  }

  #checkRate(address: string): void {
    const wait = this.#parts.attempts.wait(sourceOf(address), this.#parts.monotonic());
    if (wait === 0) return;
    const seconds = Math.ceil(wait / 1_000);
    throw new HttpRefusal("rate", {
      status: 429,
      stage: "rate",
      message: "Too many failed attempts came from this address.",
      advice: `Try again in ${seconds} seconds.`,
      headers: { "Retry-After": String(seconds) },
      recorded: "too many failed attempts came from this address; more of them are not looked at for now",
    });
  }

  #reply(answered: Answered, question: HttpQuestion): HttpReply {
    if (answered.kind === "issued") return certsOnly([answered.certificate]);
    if (answered.fresh) this.#parts.waits(answered.id, question.source);
    const text = `The request waits until the plant admin approves it: niac enrolment approve ${answered.id}\n`;
    return plain(202, text, { "Retry-After": String(POLL) });
  }

  #crl(authority: string): HttpReply {
    const list = this.#parts.crl(authority);
    if (list !== null) return { status: 200, type: "application/pkix-crl", body: list };
    const advice = "Its address stands in the certificates that the authority issues.";
    const message = "There is no revocation list of this authority.";
    throw new HttpRefusal("no-crl", { status: 404, stage: "path", message, advice });
  }

  #signIn(): HttpReply {
    const settings = this.#parts.enrolment.parts.signIn();
    if (settings === null) {
      return plain(404, "Nobody enrols here by signing in.\nAsk the plant admin for a one-time code.\n");
    }
    const { issuer, clientId, clientSecret, scopes, ca } = settings;
    const shown = { issuer, clientId, clientSecret, scopes, ca };
    return { status: 200, type: "application/json", body: `${JSON.stringify(shown)}\n` };
  }

  async #posture(question: HttpQuestion): Promise<HttpReply> {
    const { posture } = this.#parts;
    if (posture !== null) return posture(this.#identify(question), question.body, question);
    const message = "This appliance takes no posture reports.";
    const advice = "Update it, or ask the plant admin.";
    throw new HttpRefusal("no-posture", { status: 404, stage: "path", message, advice });
  }

  #refused({ address, source, peer }: HttpQuestion, stage: string, reason: string): void {
    const { enrolment, refusals } = this.#parts;
    const shown = peer.leaf === null ? null : readIdentity(peer, enrolment.parts.now());
    const presented =
      shown === null
        ? null
        : isRefusal(shown)
          ? shown.presented
          : { subject: `CN=${shown.user}`, serialNumber: shown.serialNumber, fingerprint: shown.fingerprint };
    refusals.add(address, { source, stage, reason, ...(presented === null ? {} : { presented }) });
  }
}

function wishOf(question: HttpQuestion, label: Label | null) {
  const type = question.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/pkcs10") {
    throw new HttpRefusal("content-type", {
      status: 415,
      stage: "request",
      message: "The request is not of the content type application/pkcs10.",
      advice: "Send the DER of a PKCS#10 request in base64, with Content-Type: application/pkcs10.",
    });
  }
  const bytes = decodeBase64Body(question.body);
  return { request: readRequest(bytes), der: bytes, label, address: question.address };
}

function certsOnly(certificates: readonly Buffer[]): HttpReply {
  const type = "application/pkcs7-mime; smime-type=certs-only";
  return { status: 200, type, ...inBase64(makeCertsOnly(certificates)) };
}

/** One line, as RFC 8951 has it and strongSwan wants it. The header is for readers from before that. */
function inBase64(bytes: Buffer): Pick<HttpReply, "body" | "headers"> {
  return { body: bytes.toString("base64"), headers: { "Content-Transfer-Encoding": "base64" } };
}

const EC_PUBLIC_KEY = "1.2.840.10045.2.1";
const P256 = "1.2.840.10045.3.1.7";
const ECDSA_SHA256 = "1.2.840.10045.4.3.2";
/** CsrAttrs (RFC 7030, section 4.5.2): what a client that has no reason to choose otherwise should make. */
const CSR_ATTRIBUTES = der.sequence(
  der.sequence(der.oid(EC_PUBLIC_KEY), der.set(der.oid(P256))),
  der.oid(ECDSA_SHA256),
);

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
