/** Who may have a certificate: what commands ask control of one-time codes and of requests that wait. */
import * as z from "zod";
import { defineCall } from "../base/index.ts";
import { TIERS } from "./authority.ts";

const name = z.string().min(1).max(255);
/** Milliseconds since the epoch. */
const time = z.int().min(0);

/** For whom a certificate is to be; see Subject of authority/. */
const subjectSchema = z.strictObject({
  tier: z.enum(TIERS),
  tenant: name.nullable(),
  user: name,
  device: name,
  groups: z.array(name).max(64),
  role: name.nullable(),
  until: time.nullable(),
});
export type EnrolmentSubject = z.infer<typeof subjectSchema>;
export { subjectSchema as enrolmentSubjectSchema };

/** Makes a one-time code; `valid`: milliseconds. The code is in the answer and nowhere else. */
export const enrolmentCode = defineCall(
  "enrolment.code",
  z.strictObject({ subject: subjectSchema, valid: z.int().min(1), by: name }),
  z.strictObject({ id: z.int(), code: z.string(), expires: time }),
);

const codeSchema = z.strictObject({
  id: z.int(),
  subject: subjectSchema,
  by: name,
  expires: time,
});
export type OpenCode = z.infer<typeof codeSchema>;
/** Codes that nobody has used and that are still good. */
export const enrolmentCodes = defineCall("enrolment.codes", z.null(), z.array(codeSchema));
export const enrolmentWithdraw = defineCall(
  "enrolment.withdraw",
  z.strictObject({ id: z.int(), by: name }),
  z.null(),
);

const waitingSchema = z.strictObject({
  id: z.string(),
  /** The key's fingerprint in words, which the person at the laptop sees too. */
  words: z.string(),
  /** RFC 4514 text of the subject that the request names; nobody has checked it. */
  subject: z.string(),
  /** Alternative names that it asks for. */
  names: z.array(z.string()),
  key: z.string(),
  source: z.string(),
  /** By the label that the laptop chose. */
  tier: subjectSchema.shape.tier,
  tenant: name.nullable(),
  since: time,
  /** When the laptop last asked. */
  asked: time,
});
export type WaitingRequest = z.infer<typeof waitingSchema>;
export const enrolmentRequests = defineCall("enrolment.requests", z.null(), z.array(waitingSchema));
export const enrolmentApprove = defineCall(
  "enrolment.approve",
  z.strictObject({ id: z.string(), subject: subjectSchema, by: name }),
  z.strictObject({ serialNumber: z.string(), notAfter: time }),
);
export const enrolmentDeny = defineCall(
  "enrolment.deny",
  z.strictObject({ id: z.string(), reason: z.string().min(1).max(500), by: name }),
  z.null(),
);
/** Whether requests without credentials wait for approval, or are refused; null: only asks. */
export const enrolmentWaiting = defineCall(
  "enrolment.waiting",
  z.strictObject({ allowed: z.boolean().nullable(), by: name }),
  z.strictObject({ allowed: z.boolean() }),
);
