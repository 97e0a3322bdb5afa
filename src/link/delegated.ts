/** What commands ask of a site's own authority that stands in place of the plant's. */
import * as z from "zod";
import { defineCall } from "../base/index.ts";

const text = z.string().min(1).max(1_000);

const viewSchema = z.strictObject({
  url: z.string(),
  /** The name that the appliance's identity there bears. */
  name: z.string(),
  /** Until when that is good, milliseconds since the epoch; null: it waits for approval. */
  notAfter: z.int().min(0).nullable(),
  /** Why it was not renewed when that was tried last; null: nothing is wrong. */
  problem: z.string().nullable(),
  /** SHA-256, hexadecimal, of the root that laptops compare. */
  fingerprint: z.string(),
});
export type DelegatedView = z.infer<typeof viewSchema>;

export const delegatedInit = defineCall(
  "delegated.init",
  z.strictObject({
    url: text,
    /** PEM of the authority's root, or the SHA-256 of its DER; one of them. */
    trust: z.union([
      z.strictObject({ ca: z.string().max(1_048_576) }),
      z.strictObject({ fingerprint: z.string().max(200) }),
    ]),
    user: text,
    /** Goes to that authority and nowhere else: no log, no record. */
    code: text,
    by: text,
  }),
  viewSchema,
);
/** Null: there is none. */
export const delegatedShow = defineCall("delegated.show", z.null(), viewSchema.nullable());
