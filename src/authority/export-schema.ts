/** What is in a backup of the authority, before it is sealed. */
import * as z from "zod";
import { TIERS } from "../link/index.ts";
import { KEY_ALGORITHMS } from "../x509/index.ts";
import { lifetimesSchema, subjectSchema } from "./store.ts";

/** Milliseconds since the epoch. */
const time = z.int().min(0);
const text = z.string().nullable();
/** Base64 in the file. */
const bytes = z.codec(z.base64(), z.instanceof(Buffer), {
  decode: (base64) => Buffer.from(base64, "base64"),
  encode: (buffer) => buffer.toString("base64"),
});

const authority = z.strictObject({
  id: z.int().min(1),
  role: z.enum(["root", "issuing", "infrastructure"]),
  parent: z.int().nullable(),
  name: z.string(),
  tier: z.enum(TIERS).nullable(),
  tenant: text,
  algorithm: z.enum(KEY_ALGORITHMS),
  certificate: bytes,
  fingerprint: z.string(),
  serial: z.string(),
  /** PKCS#8. */
  key: bytes.nullable(),
  state: z.enum(["current", "retiring", "retired", "revoked"]),
  created: time,
  notAfter: time,
  revokedAt: time.nullable(),
  reason: text,
});

const certificate = z.strictObject({
  serial: z.string(),
  fingerprint: z.string(),
  authority: z.int(),
  kind: z.enum(["laptop", "appliance"]),
  user: z.string(),
  device: z.string(),
  subject: subjectSchema.nullable(),
  notBefore: time,
  notAfter: time,
  issuedAt: time,
  issuedBy: z.string(),
  revokedAt: time.nullable(),
  revokedBy: text,
  reason: text,
});

const list = z.strictObject({
  authority: z.int(),
  number: z.int(),
  der: bytes,
  thisUpdate: time,
  nextUpdate: time,
  entries: z.int(),
  revocations: z.int(),
});

export const backupSchema = z.strictObject({
  about: z.literal("niac authority"),
  version: z.literal(1),
  /** The niac that wrote it. */
  niac: z.string(),
  made: time,
  plant: z.strictObject({ name: z.string(), lifetimes: lifetimesSchema, crlUrl: text, created: time }),
  authorities: z.array(authority),
  certificates: z.array(certificate),
  lists: z.array(list),
});
export type Backup = z.output<typeof backupSchema>;
