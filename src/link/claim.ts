/** The box's identity, and the claim code by which somebody shows that he has the box in his hands. */
import * as z from "zod";
import { defineCall } from "../base/index.ts";

const claimSchema = z.strictObject({
  origin: z.string(),
  /** SHA-256 of the identity's SubjectPublicKeyInfo, hexadecimal. */
  fingerprint: z.string(),
  /** The same in words, as the console of the box and its label show it. */
  words: z.string(),
  claimCode: z.string(),
  /** When the code was made, milliseconds since the epoch. */
  made: z.number(),
});
export type Claim = z.infer<typeof claimSchema>;

/** Each of them is on record, without the code. */
export const claimShow = defineCall("claim.show", z.strictObject({ by: z.string() }), claimSchema);
/** A new code in the place of the old one. */
export const claimRenew = defineCall("claim.renew", z.strictObject({ by: z.string() }), claimSchema);
export const claimVerify = defineCall(
  "claim.verify",
  z.strictObject({ code: z.string().max(128), by: z.string() }),
  z.strictObject({ right: z.boolean() }),
);
