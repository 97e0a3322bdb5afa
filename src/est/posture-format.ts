/** The open format of posture reports, for both of its ends; POSTURE.md tells it to everybody else. */
import type { KeyObject } from "node:crypto";
import * as z from "zod";

/** `typ` of the JWS (RFC 7515, section 4.1.9). */
export const POSTURE_TYPE = "niac-posture+jwt";
/** Content type of the request (RFC 7519, section 10.3.1). */
export const POSTURE_MEDIA = "application/jwt";
export const POSTURE_PATH = "/.well-known/niac/posture";

/** JOSE's names of the signatures that a kind of key makes, the one to choose first. Ed25519 is EdDSA's name in RFC 9864. */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  prime256v1: ["ES256"],
  secp384r1: ["ES384"],
  ed25519: ["EdDSA", "Ed25519"],
  "ml-dsa-65": ["ML-DSA-65"],
  rsa: ["PS256", "RS256"],
};

/** Empty: a key of this kind signs no reports. */
export function postureAlgorithms({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  const kind = asymmetricKeyType === "ec" ? asymmetricKeyDetails?.namedCurve : asymmetricKeyType;
  return ALGORITHMS[kind ?? ""] ?? [];
}

/** What the box answers to a report it took, JSON. Times are seconds since the epoch, by the box's clock. */
export const postureAnswerSchema = z.object({
  device: z.string(),
  /** `laptop`, or the management system's name. */
  by: z.string(),
  /** Of the report that counts now. */
  iat: z.number(),
  /** Seconds after which the next report of this signer is due; null: nothing asks for one. */
  again: z.number().nullable(),
  requirements: z.array(
    z.object({
      name: z.string(),
      met: z.boolean(),
      /** Until then it is met, if no other report comes; null: it is not. */
      until: z.number().nullable(),
      /** What is missing, or from then on will be. */
      lack: z.string(),
    }),
  ),
});
export type PostureAnswer = z.infer<typeof postureAnswerSchema>;
