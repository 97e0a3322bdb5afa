import * as z from "zod";
import { BugError, PeerError, TABLES } from "../base/index.ts";
import { RECORD_KINDS, type AuditRecord, type RecordDraft } from "./record.ts";

/** Bytes of a record's canonical JSON; a tile's entry holds at most 65,535 (C2SP tlog-tiles). */
export const MAX_RECORD_BYTES = 60_000;
/** Drafts in one append. */
export const MAX_DRAFTS = 1_000;

/** Characters of a name: user, machine, rule, the appliance's own. */
export const MAX_NAME = 255;
const MAX_REASON = 1_024;
const MAX_VALUES = 2_000;
const MAX_GROUPS = 256;
const MAX_DATA_BYTES = 253;
const MAX_MALFORMED_BYTES = 300;
const MAX_TIME = 8.64e15;

/** A surrogate without its other half becomes U+FFFD: a name cut in the middle must not keep its record off the log. */
const text = (most: number) => z.string().overwrite(wellFormed).max(most);
const name = text(MAX_NAME);
const key = z
  .string()
  .regex(/^[\x21-\x7e]+$/, "is not printable ASCII without spaces")
  .max(MAX_NAME);
const hex = (bytes: number) =>
  z
    .string()
    .regex(/^(?:[0-9a-f]{2})*$/, "is not lower-case hexadecimal")
    .max(2 * bytes);
const count = z.int().min(0);
const time = count.max(MAX_TIME);
const byte = count.max(0xff);
const word = count.max(0xffff);

/** zod leaves a `__proto__` key out in silence; what is not known is refused. */
function flat<T extends z.ZodType>(value: T, most: number) {
  return z
    .custom<object>((raw) => typeof raw === "object" && raw !== null && !Object.hasOwn(raw, "__proto__"))
    .pipe(z.record(text(MAX_NAME).min(1), value))
    .refine((map) => Object.keys(map).length <= most, `has more than ${most} entries`);
}

const range = { table: z.enum(TABLES), address: word, quantity: count.min(1).max(0x1_0000) };
const write = z.strictObject({
  ...range,
  values: z.array(word).max(MAX_VALUES).readonly().exactOptional(),
  and: word.exactOptional(),
  or: word.exactOptional(),
});
const file = z.strictObject({
  file: word,
  record: word,
  length: word,
  values: z.array(word).max(MAX_VALUES).readonly().exactOptional(),
});

const operation = z.strictObject({
  unit: byte,
  functionCode: byte,
  subFunction: word.exactOptional(),
  reads: z.strictObject(range).exactOptional(),
  writes: write.exactOptional(),
  files: z.array(file).max(MAX_GROUPS).readonly().exactOptional(),
  data: hex(MAX_DATA_BYTES).exactOptional(),
});

const identity = z.strictObject({
  kind: z.enum(["source", "machine"]).exactOptional(),
  user: name,
  device: name.nullable(),
  groups: z.array(name).max(MAX_GROUPS).readonly(),
  role: name.nullable(),
  tier: name.nullable(),
  tenant: name.nullable(),
  serialNumber: name,
  fingerprint: name,
});

const draftFields = {
  time,
  kind: z.enum(RECORD_KINDS),
  id: key,
  session: key.exactOptional(),
  identity: identity.exactOptional(),
  presented: z
    .strictObject({ subject: text(MAX_REASON), serialNumber: name, fingerprint: name })
    .exactOptional(),
  source: name.exactOptional(),
  machine: name.exactOptional(),
  service: name.exactOptional(),
  operation: operation.exactOptional(),
  decision: z.enum(["permit", "denial"]).exactOptional(),
  stage: name.exactOptional(),
  rule: name.exactOptional(),
  reason: text(MAX_REASON).exactOptional(),
  ref: key.exactOptional(),
  outcome: name.exactOptional(),
  exception: byte.exactOptional(),
  bytes: hex(MAX_MALFORMED_BYTES).exactOptional(),
  counts: flat(count, 1_000).exactOptional(),
  duration: count.exactOptional(),
  siteVersion: count.exactOptional(),
  detail: flat(z.union([text(MAX_REASON), z.number(), z.boolean()]), 64).exactOptional(),
};

const draftSchema: z.ZodType<RecordDraft> = z.strictObject(draftFields);
const draftsSchema = z.array(draftSchema).max(MAX_DRAFTS);
const recordSchema: z.ZodType<AuditRecord> = z.strictObject({
  ...draftFields,
  origin: name,
  index: count,
  stored: time,
});

/** What a writer handed in, checked whole; throws PeerError `audit-draft` naming the first field that is wrong. */
export function parseDrafts(json: unknown): readonly RecordDraft[] {
  const result = draftsSchema.safeParse(json);
  if (result.success) return result.data;
  throw new PeerError(
    "audit-draft",
    `a record handed in for the audit log is refused: ${complaint(result.error)}`,
  );
}

/** A record as it stands in the database; throws BugError `audit-doubt` where it is none. */
export function parseRecord(json: string): AuditRecord {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw damaged("it is no JSON", cause);
  }
  const result = recordSchema.safeParse(value);
  if (result.success) return result.data;
  throw damaged(complaint(result.error), result.error);
}

function damaged(what: string, cause: unknown): BugError {
  return new BugError(
    "audit-doubt",
    `a record of the audit log cannot be read: ${what}`,
    "The database was damaged or changed by something other than niac. Keep a copy of it for inspection before anything else.",
    { cause },
  );
}

function complaint(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "it has the wrong shape";
  const where = issue.path.length > 0 ? `${issue.path.map(String).join(".").slice(0, 200)}: ` : "";
  return `${where}${issue.message.slice(0, 200)}`;
}

function wellFormed(value: string): string {
  return value.toWellFormed();
}
