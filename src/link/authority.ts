/** What commands ask of the plant's authority. */
import * as z from "zod";
import { defineCall } from "../base/index.ts";

/** Whom a certificate is for decides for how long and with which names; each profile of people is a tier. */
export const TIERS = ["managed", "byod", "contractor"] as const;
export type Tier = (typeof TIERS)[number];
/** What an authority can sign with. */
export const ALGORITHMS = ["p256", "p384", "ed25519", "ml-dsa-65"] as const;

const text = z.string().min(1).max(255);
/** Milliseconds since the epoch. */
const time = z.int().min(0);
const algorithm = z.enum(ALGORITHMS);
const tier = z.enum(TIERS);

const authoritySchema = z.strictObject({
  id: z.int(),
  name: z.string(),
  role: z.enum(["root", "issuing", "infrastructure"]),
  tier: tier.nullable(),
  tenant: z.string().nullable(),
  algorithm,
  /** `retiring`: issues no more, and what it issued is good until it ends. `retired`: nothing of it is good any more. */
  state: z.enum(["current", "retiring", "retired", "revoked"]),
  fingerprint: z.string(),
  created: time,
  notAfter: time,
  /** Certificates that are good now; of a root, authorities. */
  live: z.int(),
  list: z.strictObject({ number: z.string(), entries: z.int(), nextUpdate: time }).nullable(),
});
export type AuthorityView = z.infer<typeof authoritySchema>;

const plantSchema = z.strictObject({
  name: z.string(),
  created: time,
  /** Milliseconds that a certificate of each tier is good for. */
  lifetimes: z.record(tier, z.int()),
  crlUrl: z.string().nullable(),
  /** How keys are kept; in `problem` why they cannot be opened now. */
  keys: z.strictObject({ kind: z.string(), protects: z.string() }).nullable(),
  problem: z.string().nullable(),
  /** SHA-256, hexadecimal, of the root that the appliance's own certificate comes from: what laptops compare. */
  fingerprint: z.string(),
  authorities: z.array(authoritySchema),
});
export type PlantView = z.infer<typeof plantSchema>;

export const authorityShow = defineCall("authority.show", z.null(), plantSchema);

export const authorityInit = defineCall(
  "authority.init",
  z.strictObject({
    name: text,
    algorithm,
    tenants: z.array(text),
    /** Milliseconds; what is left out is as is usual. */
    lifetimes: z.partialRecord(tier, z.int()),
    crlUrl: z.string().nullable(),
    by: text,
  }),
  plantSchema,
);

/** Which authorities: all of the plant's, unless something narrows it. */
const scopeSchema = z.strictObject({
  /** A new root, and with it new ones of all others. */
  root: z.boolean(),
  infrastructure: z.boolean(),
  tier: tier.nullable(),
  tenant: text.nullable(),
});
export type RotationScope = z.infer<typeof scopeSchema>;

export const authorityRotate = defineCall(
  "authority.rotate",
  /** `algorithm` null: as the one before. */
  z.strictObject({ scope: scopeSchema, algorithm: algorithm.nullable(), by: text }),
  z.strictObject({ made: z.array(z.string()) }),
);
export const authorityRetire = defineCall(
  "authority.retire",
  z.strictObject({ scope: scopeSchema, by: text }),
  /** `cut`: certificates that were good until now. */
  z.strictObject({ retired: z.array(z.string()), cut: z.int() }),
);
export const authorityTenant = defineCall(
  "authority.tenant",
  z.strictObject({ tenant: text, by: text }),
  z.strictObject({ made: z.array(z.string()) }),
);

const certificateSchema = z.strictObject({
  serialNumber: z.string(),
  fingerprint: z.string(),
  authority: z.string(),
  kind: z.enum(["laptop", "appliance"]),
  user: z.string(),
  device: z.string(),
  tier: z.string().nullable(),
  tenant: z.string().nullable(),
  notBefore: time,
  notAfter: time,
  issuedBy: z.string(),
  revokedAt: time.nullable(),
  reason: z.string().nullable(),
});
export type CertificateView = z.infer<typeof certificateSchema>;

/** Those that are good now, and with `all` the others too; the newest first. */
export const authorityCertificates = defineCall(
  "authority.certificates",
  z.strictObject({ user: text.nullable(), device: text.nullable(), all: z.boolean(), limit: z.int().min(1) }),
  z.array(certificateSchema),
);

export const authorityIssue = defineCall(
  "authority.issue",
  z.strictObject({
    /** PEM of a PKCS#10 request. */
    request: z.string(),
    tier,
    tenant: text.nullable(),
    user: z.string(),
    device: z.string(),
    groups: z.array(z.string()),
    role: z.string().nullable(),
    until: time.nullable(),
    by: text,
  }),
  /** PEM: the certificate and those above it, the root last. */
  z.strictObject({ chain: z.string(), serialNumber: z.string(), notAfter: time }),
);

export const REVOKE_BY = ["serial", "fingerprint", "user", "device", "authority"] as const;
export type RevokeBy = (typeof REVOKE_BY)[number];

export const authorityRevoke = defineCall(
  "authority.revoke",
  z.strictObject({ what: z.enum(REVOKE_BY), value: text, reason: z.string().min(1).max(500), by: text }),
  z.strictObject({
    /** How many that were good until now. */
    count: z.int(),
    /** The first of them. */
    revoked: z.array(certificateSchema),
    /** Sessions that ended with them; null: the gateway could not be asked, and ends them when it can. */
    sessions: z.int().nullable(),
    /** Why the revocation list could not be made anew; null: it was. */
    list: z.string().nullable(),
  }),
);

/** Base64 of DER. `authority`: its number or name. */
export const authorityCrl = defineCall(
  "authority.crl",
  z.strictObject({ authority: text }),
  z.strictObject({ der: z.string() }),
);
/** PEM of what must be trusted by whoever verifies the appliance's certificates, and clients': roots first. */
export const authorityTrust = defineCall("authority.trust", z.null(), z.strictObject({ pem: z.string() }));

/** Seals the keyring's key by what the settings ask for now: a TPM that was added, another key file. `protects`: one sentence, for people. */
export const authorityReseal = defineCall(
  "authority.reseal",
  z.strictObject({ by: text }),
  z.strictObject({ protects: z.string() }),
);

/** `file`: text. */
export const authorityExport = defineCall(
  "authority.export",
  z.strictObject({ passphrase: z.string(), by: text }),
  z.strictObject({ file: z.string() }),
);
export const authorityImport = defineCall(
  "authority.import",
  z.strictObject({ file: z.string(), passphrase: z.string(), by: text }),
  /** When the backup was made. */
  z.strictObject({ made: time, plant: plantSchema }),
);
