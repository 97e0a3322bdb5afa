/** Posture and trust of a snapshot that came over a channel. */
import * as z from "zod";
import { positive, texts } from "./snapshot-rules.ts";

const name = z.string().min(1);
const url = z.string().min(1);
const version = z.string().regex(/^\d{1,9}(?:\.\d{1,9}){0,3}$/);

export const postures = z
  .array(
    z
      .strictObject({
        name,
        maxAge: positive,
        signedBy: z.enum(["laptop", "management", "any"]),
        diskEncryption: z.literal(true).nullable(),
        edr: z.literal(true).nullable(),
        osVersion: z
          .strictObject({
            linux: version.exactOptional(),
            windows: version.exactOptional(),
            macos: version.exactOptional(),
          })
          .readonly()
          .nullable(),
      })
      .readonly(),
  )
  .readonly();

const authority = z
  .strictObject({
    name,
    certificate: z.string().min(1),
    above: texts,
    tenant: name.nullable(),
    tier: name.nullable(),
    revocation: z.enum(["crl", "ocsp", "unchecked"]),
    crlUrl: url.nullable(),
    crlEvery: positive,
    ocspUrl: url.nullable(),
    grace: z
      .strictObject({ name, reason: z.string().min(1), groups: texts, milliseconds: positive })
      .readonly()
      .nullable(),
  })
  .refine((one) => one.grace === null || one.revocation !== "unchecked", "grace without revocation")
  .readonly();

const signIn = z
  .strictObject({
    issuer: url,
    clientId: name,
    clientSecret: name.nullable(),
    scopes: texts,
    userClaim: name,
    groupsClaim: name.nullable(),
    tier: z.enum(["managed", "byod", "contractor"]),
    tenant: name.nullable(),
    ca: z.string().min(1).nullable(),
  })
  .readonly();

export const trust = z
  .strictObject({
    authorities: z.array(authority).readonly(),
    signIn: signIn.nullable(),
    postureSigners: z.array(z.strictObject({ name, key: z.string().min(1) }).readonly()).readonly(),
  })
  .readonly();
