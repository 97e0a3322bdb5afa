/** Who gets a first certificate, and who the next one: by code, by sign-in, by approval, by the certificate held. */
import { createHash } from "node:crypto";
import type { Identity } from "../identity/index.ts";
import type { SignIn } from "../site/index.ts";
import { readCertificate, type CertificationRequest } from "../x509/index.ts";
import type { Issued, Issuer, Subject } from "../authority/index.ts";
import type { Codes } from "./enrol-codes.ts";
import { deviceIn, differenceOf, withoutNames } from "./enrol-names.ts";
import type { Once } from "./enrol-once.ts";
import type { Label, Requests } from "./enrol-requests.ts";
import { HttpRefusal } from "./http-reply.ts";
import type { ProviderKeys } from "./sign-in-keys.ts";
import { verifySignIn } from "./sign-in.ts";

/** Of who holds one already. */
export type HeldCertificate = Pick<Identity, "fingerprint" | "serialNumber">;

export interface EnrolmentParts {
  readonly issuer: Issuer;
  readonly codes: Codes;
  readonly requests: Requests;
  readonly once: Once;
  readonly providerKeys: ProviderKeys;
  /** Of the site document in force; null: nobody signs in. */
  signIn(): SignIn | null;
  /** The user of a certificate that is good and says this device; null: nobody's. */
  userOf(device: string): string | null;
  /** Why a holder may have no certificate though his own is good (a lock); null: he may. */
  refuses(subject: Subject, certificate: HeldCertificate | null): string | null;
  /** Whether requests without credentials wait for approval. */
  waitingAllowed(): boolean;
  /** Milliseconds since the epoch, and never earlier than what was known before. */
  now(): number;
}

/** A request that was read, and as it came. */
export interface Wish {
  readonly request: CertificationRequest;
  readonly der: Buffer;
  /** What the path said; null: nothing, and who decides decides. */
  readonly label: Label | null;
  readonly address: string;
}

export type Answered =
  | { readonly kind: "issued"; readonly certificate: Buffer }
  /** `fresh`: it waits since now. */
  | { readonly kind: "wait"; readonly id: string; readonly fresh: boolean };

export class Enrolment {
  readonly parts: EnrolmentParts;

  constructor(parts: EnrolmentParts) {
    this.parts = parts;
  }

  async byCode(wish: Wish, user: string, typed: string): Promise<Answered> {
    const { codes, once } = this.parts;
    const now = this.parts.now();
    const code = codes.find(user, typed, now);
    if (code === null) throw badCode("no such code for this user, or it has expired");
    this.#check(wish.label, code.subject);
    const by = `one-time code ${code.id} of ${code.by}`;
    const times = { now, forget: code.expires };
    const certificate = await once.take(code.credential, wish.request.publicKeyInfo, times, () =>
      this.#issue(wish.request, code.subject, by),
    );
    if (certificate === null)
      throw badCode(`one-time code ${code.id} was used before, for another key or long ago`);
    return this.#issued(certificate);
  }

  async bySignIn(wish: Wish, token: string): Promise<Answered> {
    const { once, providerKeys } = this.parts;
    const now = this.parts.now();
    const settings = this.parts.signIn();
    if (settings === null) {
      throw new HttpRefusal("sign-in-none", {
        status: 401,
        stage: "sign-in",
        message: "Nobody enrols here by signing in.",
        advice: "Enrol with a one-time code. For the plant admin: see trust.signIn of the site document.",
        headers: CHALLENGE,
        guess: true,
      });
    }
    const { request } = wish;
    const keys = providerKeys.of(settings);
    const signedIn = await verifySignIn(token, request.publicKeyInfo, settings, keys, now);
    const { tier, tenant } = settings;
    const device = this.#deviceOf(request, signedIn.user);
    const { user, groups } = signedIn;
    const subject: Subject = { tier, tenant, user, device, groups, role: null, until: null };
    this.#check(wish.label, subject);
    const by = `sign-in of ${user} at ${settings.issuer}`;
    const times = { now, forget: signedIn.expires };
    const certificate = await once.take(signedIn.credential, request.publicKeyInfo, times, () =>
      this.#issue(request, subject, by),
    );
    if (certificate !== null) return this.#issued(certificate);
    throw new HttpRefusal("sign-in-used", {
      status: 401,
      stage: "sign-in",
      message: "The sign-in is refused: of the ID token, it was used before.",
      advice: "Sign in again with `niac enroll --sign-in`.",
      headers: CHALLENGE,
      guess: true,
    });
  }

  /** Without credentials. */
  byApproval(wish: Wish): Answered {
    if (!this.parts.waitingAllowed()) {
      throw new HttpRefusal("no-credentials", {
        status: 401,
        stage: "approval",
        message: "The request has no credentials, and requests do not wait for approval here.",
        advice: "Ask the plant admin for a one-time code: niac enrolment code.",
        headers: CHALLENGE,
      });
    }
    const { request, der, label, address } = wish;
    const standing = this.parts.requests.ask(request, der, label ?? DEFAULT_LABEL, address, this.parts.now());
    if (standing.state === "approved") return this.#issued(standing.certificate);
    if (standing.state !== "denied")
      return { kind: "wait", id: standing.id, fresh: standing.state === "new" };
    throw new HttpRefusal("approval-denied", {
      status: 403,
      stage: "approval",
      message: `The request was denied: ${standing.reason}`,
      advice: "Ask the plant admin. A request with a new key waits anew.",
    });
  }

  /** By an administrator; resolves to what was issued. Rejects with what the issuer refuses; the request then still waits. */
  async approve(id: string, subject: Subject, by: string): Promise<Issued> {
    const { requests, issuer } = this.parts;
    const request = requests.take(id);
    try {
      const issued = await issuer.issue(request, subject, `approval of request ${id} by ${by}`);
      requests.approve(id, issued.certificate, this.parts.now());
      return issued;
    } finally {
      requests.release(id);
    }
  }

  /** The next certificate of the holder of one. `held`: DER of it. */
  async again(wish: Wish, identity: Identity, held: Uint8Array): Promise<Answered> {
    const { issuer } = this.parts;
    const holder = issuer.holder(identity.fingerprint);
    if (holder === null) {
      throw new HttpRefusal("not-ours", {
        status: 403,
        stage: "certificate",
        message: `The certificate of ${identity.user} is not one that this appliance renews: it was revoked, or another authority issued it.`,
        advice: "Enrol anew: ask the plant admin for a one-time code.",
      });
    }
    const { subject } = holder;
    const refusal = this.parts.refuses(subject, identity);
    if (refusal !== null) throw locked(refusal);
    this.#check(wish.label, subject);
    const difference = differenceOf(wish.request, readCertificate(held));
    if (difference !== null) {
      throw new HttpRefusal("names-differ", {
        status: 400,
        stage: "request",
        message: `The request for renewal has other names than the certificate: ${difference}.`,
        advice: "Ask with the names of the certificate, or with none. Other names need a new enrolment.",
      });
    }
    const request = withoutNames(wish.request);
    const issued = await issuer.issue(request, subject, FOLLOWED, identity.fingerprint);
    return { kind: "issued", certificate: issued.certificate };
  }

  async #issue(request: CertificationRequest, subject: Subject, by: string): Promise<Buffer> {
    const refusal = this.parts.refuses(subject, null);
    if (refusal !== null) throw locked(refusal);
    return (await this.parts.issuer.issue(request, subject, by)).certificate;
  }

  /** Of one that may have been issued earlier: it is not handed out again after it was revoked. */
  #issued(certificate: Buffer): Answered {
    const fingerprint = createHash("sha256").update(certificate).digest("hex");
    if (this.parts.issuer.holder(fingerprint) !== null) return { kind: "issued", certificate };
    throw new HttpRefusal("revoked-since", {
      status: 403,
      stage: "certificate",
      message: "The certificate that was issued for this key has been revoked or has ended.",
      advice: "Ask the plant admin why, and enrol anew with a new key.",
    });
  }

  #check(label: Label | null, { tier, tenant }: Subject): void {
    if (label === null || (label.tier === tier && label.tenant === tenant)) return;
    throw new HttpRefusal("label", {
      status: 403,
      stage: "path",
      message: `The enrolment is for ${labelText({ tier, tenant })}, and the path says ${labelText(label)}.`,
      advice: `Enrol at /.well-known/est/${labelText({ tier, tenant })}, or at /.well-known/est without a label.`,
    });
  }

  #deviceOf(request: CertificationRequest, user: string): string {
    const device = deviceIn(request);
    if (device === null) {
      throw new HttpRefusal("no-device", {
        status: 400,
        stage: "request",
        message: "The request does not name one device.",
        advice: "Give it one alternative name urn:niac:device:<name>; niac enroll does that by itself.",
      });
    }
    const other = this.parts.userOf(device);
    if (other === null || other === user) return device;
    throw new HttpRefusal("device-held", {
      status: 403,
      stage: "sign-in",
      message: `The device ${device} is another user's.`,
      advice: "Choose another name with --device, or ask the plant admin to revoke the other certificate.",
      recorded: `${user} asks for the device ${device}, which is ${other}'s`,
    });
  }
}

function labelText({ tier, tenant }: Label): string {
  return tenant === null ? tier : `${tier}.${tenant}`;
}

const DEFAULT_LABEL: Label = { tier: "managed", tenant: null };
/** For clients that send nothing before they are asked. */
export const CHALLENGE = { "WWW-Authenticate": 'Basic realm="niac", charset="UTF-8"' } as const;

/** Who lets a renewal happen. */
const FOLLOWED = "the certificate that it follows";

/** One answer for a wrong user, a wrong code, one that has expired and one that was used; the record knows. */
export function badCode(recorded: string): HttpRefusal {
  return new HttpRefusal("bad-code", {
    status: 401,
    stage: "code",
    message: "The user and the one-time code do not go together, or the code has expired or was used.",
    advice: "Check both for typing errors, or ask the plant admin for a new code: niac enrolment code.",
    headers: CHALLENGE,
    recorded: `a one-time code is refused: ${recorded}`,
    guess: true,
  });
}

function locked(reason: string): HttpRefusal {
  return new HttpRefusal("locked", {
    status: 403,
    stage: "lock",
    message: `No certificate while a lock holds: ${reason}`,
    advice: "Ask the plant admin to lift it: niac locks, niac unlock.",
  });
}
