import * as z from "zod";
import { KEY_ALGORITHMS } from "../x509/index.ts";
import { messageOf, UsageError } from "../base/index.ts";

/** A key that never leaves a token (TPM, smart card), reached by a PKCS#11 module. */
export const tokenSchema = z.strictObject({
  /** Path of the module. */
  module: z.string().min(1),
  /** The token's label. */
  label: z.string().min(1),
  /** CKA_ID of the key, hexadecimal. */
  id: z.string().regex(/^([0-9a-f]{2}){1,32}$/),
  /** Path of a file with the PIN; null: it is asked for, or stands in NIAC_PIN. */
  pinFile: z.string().nullable(),
});
export type TokenKey = z.infer<typeof tokenSchema>;

const profileSchema = z.strictObject({
  version: z.literal(1),
  /** Where it enrolled and renews: `https://box.example`, with a port where it is not 443. */
  box: z.url({ protocol: /^https$/ }),
  /** Tier and tenant as the box's EST labels have them; null: none was asked for. */
  label: z.string().nullable(),
  /** `host:port` of the box's listener for services. */
  via: z.string(),
  /** The name or address that the box's certificate carries. */
  appliance: z.string(),
  user: z.string(),
  device: z.string(),
  algorithm: z.enum(KEY_ALGORITHMS),
  /** Null: the key stands in identity.pem. */
  token: tokenSchema.nullable(),
});
/** What profile.json says. */
export type Profile = z.infer<typeof profileSchema>;

/** Throws a UsageError that names the file and what is wrong in it. */
export function parseProfile(text: string, path: string): Profile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(path, messageOf(error));
  }
  const parsed = profileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw damaged(path, z.prettifyError(parsed.error));
}

export function profileText(profile: Profile): string {
  return `${JSON.stringify(profile, null, 2)}\n`;
}

function damaged(path: string, how: string): UsageError {
  return new UsageError(
    "profile",
    `${path} cannot be understood: ${how}`,
    "Enrol anew: niac enroll ... --again",
  );
}
