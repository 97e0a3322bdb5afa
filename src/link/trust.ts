/** Whom to trust, now: what control tells the gateway of authorities, locks, posture and time, and what the gateway asks. */
import * as z from "zod";
import { defineCall, defineEvent } from "../base/index.ts";

export const LOCK_KINDS = [
  /** Hexadecimal SHA-256 of the certificate, or its serial number. */
  "certificate",
  "user",
  "device",
  "group",
  /** Behind the appliance: whatever goes to it or comes from it. */
  "machine",
  "tenant",
  "tier",
  /** Name of a requirement of the site document: every laptop that does not meet it. */
  "posture",
  /** A client of `unsafeUnauthenticated`. */
  "source",
] as const;
export type LockKind = (typeof LOCK_KINDS)[number];

const name = z.string().min(1).max(255);
/** Milliseconds since the epoch. */
const time = z.int().min(0);

const lockSchema = z.strictObject({
  id: z.string(),
  kind: z.enum(LOCK_KINDS),
  value: name,
  reason: z.string().min(1).max(1_000),
  by: name,
  since: time,
  /** Null: until somebody unlocks. */
  until: time.nullable(),
});
/** An immediate stop. */
export type Lock = z.infer<typeof lockSchema>;
export { lockSchema };

export const OS_NAMES = ["linux", "windows", "macos"] as const;

const postureFactsSchema = z.strictObject({
  /** Null, here and below: it could not be found out, which meets no requirement. */
  diskEncryption: z.boolean().nullable(),
  os: z.strictObject({ name: z.enum(OS_NAMES), version: z.string().max(100) }).nullable(),
  /** Endpoint detection and response: a known agent runs. */
  edr: z.boolean().nullable(),
});
export type PostureFacts = z.infer<typeof postureFactsSchema>;
export { postureFactsSchema };

const postureSchema = z.strictObject({
  device: name,
  /**
   * Whose device of that name: the outside authority's. Null: that of the plant's own authorities, whichever, or of those of the
   * settings' files while none are listed.
   */
  authority: name.nullable(),
  tenant: name.nullable(),
  /** `laptop`: the device's own certificate signed it; else the name of the management system that did. */
  by: name,
  /** When the facts were looked at, as the signer says, and never later than when they came. */
  made: time,
  received: time,
  facts: postureFactsSchema,
});
/** The latest report of a device by one signer. It counts for identities of the same device, authority and tenant alone. */
export type PostureReport = z.infer<typeof postureSchema>;

/** What one report is kept for. */
export type PostureSubject = Pick<PostureReport, "device" | "authority" | "tenant" | "by">;

export function postureKey({ device, authority, tenant, by }: PostureSubject): string {
  return JSON.stringify([device, authority, tenant, by]);
}

/** Who reported and whose device, for the record: what goes into words, and into `detail`. */
export function postureWords({ device, authority, tenant, by }: PostureSubject): {
  readonly whose: string;
  readonly detail: Readonly<Record<string, string>>;
} {
  const of = { ...(authority === null ? {} : { authority }), ...(tenant === null ? {} : { tenant }) };
  const among = Object.entries(of).map(([what, value]) => `${what} ${value}`);
  const named = among.length === 0 ? device : `${device} (${among.join(", ")})`;
  return {
    whose: by === "laptop" ? named : `${by} of ${named}`,
    detail: { action: "posture", device, signer: by, ...of },
  };
}

const authoritySchema = z.strictObject({
  name: z.string(),
  /** PEM of the authority's own certificate: the issuer of clients' certificates, and not its root. */
  certificate: z.string(),
  /** SHA-256 of its DER, hexadecimal. */
  fingerprint: z.string(),
  tenant: name.nullable(),
  /** Whatever the certificate claims, this is its tier; null: what the certificate claims. */
  tier: name.nullable(),
  /** Of the site document or the settings' files; false: one of the plant's own. */
  outside: z.boolean(),
});
export type IssuingAuthority = z.infer<typeof authoritySchema>;

/** What a gateway's own certificate is to say; control decides it and refuses a request that asks for more. */
const ownNamesSchema = z.strictObject({
  /** The subject's common name. */
  commonName: z.string(),
  dns: z.array(z.string()),
  /** IPv4 and IPv6, textual. */
  ip: z.array(z.string()),
});
export type OwnNames = z.infer<typeof ownNamesSchema>;

const trustSchema = z.strictObject({
  /**
   * Every authority that issues clients' certificates. Empty: the files of the settings alone say whose clients are let in, and there are no
   * tenants.
   */
  authorities: z.array(authoritySchema),
  locks: z.array(lockSchema),
  postures: z.array(postureSchema),
  /** The latest time known: nothing is judged valid by an earlier clock. Milliseconds since the epoch. */
  floor: time,
});
export type TrustState = z.infer<typeof trustSchema>;
export { trustSchema };

/**
 * The whole of it, after every change; the gateway judges all live sessions again at once, and answers once it has. `ended`: how many
 * sessions that ended.
 */
export const gatewayTrust = defineCall(
  "gateway.trust",
  z.strictObject({ trust: trustSchema }),
  z.strictObject({ ended: z.int() }),
);
/** The latest time known has moved, and nothing else; milliseconds since the epoch. */
export const newFloor = defineEvent("trust.floor", z.strictObject({ floor: time }));

/** PEM texts; what the gateway's TLS is made of. */
const tlsSchema = z.strictObject({
  /** From the settings' files. Null: the gateway makes a key of its own, in memory, and has its certificate signed by `certify`. */
  own: z.strictObject({ certificate: z.string(), key: z.string() }).nullable(),
  /** Whose clients are let in. */
  clientCa: z.string(),
  /** Whose servers the gateway trusts where it connects by TLS itself. */
  serverCa: z.string(),
  names: ownNamesSchema,
  /** Digest of all authorities there are: where it changes, a new certificate is due at once. */
  authorities: z.string(),
  /** Milliseconds between rotations of the gateway's own certificate. */
  rotation: z.int().min(1),
});
export type TlsGiven = z.infer<typeof tlsSchema>;
export { tlsSchema };

/** Authorities or names changed. */
export const newTls = defineEvent("trust.tls", z.strictObject({ tls: tlsSchema }));

const verdictSchema = z.strictObject({
  /** Null: not revoked, as far as is to be known. */
  refusal: z
    .strictObject({
      /** One of identity's codes: `revoked` or `revocation-unknown`. */
      code: z.enum(["revoked", "revocation-unknown"]),
      reason: z.string(),
      advice: z.string(),
    })
    .nullable(),
  /** Let in although revocation is not known: why, and until when; goes on the session's record. */
  grace: z.string().nullable(),
});
export type RevocationVerdict = z.infer<typeof verdictSchema>;

const certificateSchema = z.strictObject({
  /** The issuing authority's; null: an authority that only the settings' files name. */
  authority: z.string().nullable(),
  /** Hexadecimal, lower case, as identity has it. */
  serialNumber: z.string(),
  fingerprint: z.string(),
});
export type CertificateInUse = z.infer<typeof certificateSchema>;

/** Is it revoked? Asked before every session that a certificate opens. `groups`: those of the identity, for a grace. */
export const certificateCheck = defineCall(
  "trust.check",
  z.strictObject({ certificate: certificateSchema, groups: z.array(z.string()) }),
  verdictSchema,
);

/** Signs a PKCS#10 request (base64 of its DER) of the gateway's for its own certificate. */
export const certify = defineCall(
  "trust.certify",
  z.strictObject({ request: z.string() }),
  z.strictObject({
    /** PEM: the certificate and its chain, root included (MODBUS/TCP Security R-46). */
    certificate: z.string(),
    notBefore: time,
    notAfter: time,
  }),
);

/** How the gateway's own certificate stands: told after each attempt at a new one, and after attaching. */
export const ownCertificate = defineEvent(
  "trust.own",
  z.strictObject({
    /** Null: there is none yet, and the gateway listens to nobody. */
    notAfter: time.nullable(),
    /** Why the last attempt failed; null: it did not. */
    problem: z.string().nullable(),
  }),
);
export type OwnCertificateState = z.infer<typeof ownCertificate.params>;

/** Of all live sessions that a certificate opened. */
export const gatewayCertificates = defineCall(
  "gateway.certificates",
  z.null(),
  z.array(
    z.strictObject({ session: z.string(), groups: z.array(z.string()), certificate: certificateSchema }),
  ),
);
export const gatewayEndSessions = defineCall(
  "gateway.endSessions",
  z.strictObject({ sessions: z.array(z.string()), stage: z.string(), reason: z.string() }),
  z.strictObject({ ended: z.int() }),
);
