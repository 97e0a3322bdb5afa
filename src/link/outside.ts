/** What commands ask of control about other authorities' certificates: what is known of their revocation, and lists brought by hand. */
import * as z from "zod";
import { defineCall } from "../base/index.ts";

/** Milliseconds since the epoch. */
const time = z.number();

const listSchema = z.strictObject({
  /** Whose list it is. */
  of: z.string(),
  /** Decimal; null: it has none. */
  number: z.string().nullable(),
  thisUpdate: time,
  nextUpdate: time,
  /** In the complete list, and in a delta laid over it. */
  entries: z.int(),
  changes: z.int(),
  received: time,
  /** `fetched`, or who brought it. */
  by: z.string(),
});
export type CrlView = z.infer<typeof listSchema>;

const outsideSchema = z.strictObject({
  name: z.string(),
  revocation: z.enum(["crl", "ocsp", "unchecked"]),
  /** Its own, then those of the authorities above it, as far as they are held. */
  lists: z.array(listSchema),
  fetch: z.strictObject({ at: time, problem: z.string().nullable() }).nullable(),
  responder: z.strictObject({ answered: time.nullable(), problem: z.string().nullable() }).nullable(),
  /** What somebody should see to; null: all is well. */
  trouble: z.string().nullable(),
  /** What this authority's certificates are not checked for, by decision of the site document. */
  weakening: z.string().nullable(),
  /** A grace by which somebody may be let in now although revocation is not known; null: none is in force. */
  grace: z.string().nullable(),
});
/** What is known of the revocation of one outside authority's certificates. */
export type OutsideView = z.infer<typeof outsideSchema>;

export const outsideShow = defineCall("outside.show", z.null(), z.array(outsideSchema));

/** Characters of base64 in one part of a list; a list of 64 MiB comes in several. */
export const MAX_PART = 8 * 1024 * 1024;

/** A list brought by hand, DER or PEM, in parts of one after the other; the answer to the last says what became of it. */
export const crlImport = defineCall(
  "crl.import",
  z.strictObject({ part: z.base64().max(MAX_PART), last: z.boolean(), by: z.string() }),
  z.strictObject({
    taken: z.strictObject({ list: listSchema, delta: z.boolean(), same: z.boolean() }).nullable(),
  }),
);
/** Fetches lists now: of one authority, or of all. */
export const crlFetch = defineCall(
  "crl.fetch",
  z.strictObject({ authority: z.string().nullable() }),
  z.array(outsideSchema),
);
