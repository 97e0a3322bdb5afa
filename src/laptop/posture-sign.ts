import { createHash, createPrivateKey, sign } from "node:crypto";
import { POSTURE_TYPE, postureAlgorithms } from "../est/index.ts";
import { UsageError } from "../base/index.ts";
import type { PostureFacts } from "./posture-facts.ts";

/** RSA_PKCS1_PSS_PADDING of node:crypto's constants; the salt is as long as the hash (RFC 7518, section 3.5). */
const PSS = { padding: 6, saltLength: 32 };
const HASHES: Readonly<Record<string, string>> = { ES256: "sha256", ES384: "sha384", PS256: "sha256" };

export interface Signing {
  /** PEM. */
  readonly key: string;
  /** DER of its certificate. */
  readonly certificate: Uint8Array;
  readonly device: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The report, signed: a JWS in compact serialization. Throws a UsageError for a key that signs none. */
export function signedReport(facts: PostureFacts, { key, certificate, device, now }: Signing): string {
  const privateKey = createPrivateKey(key);
  const [alg] = postureAlgorithms(privateKey);
  if (alg === undefined) {
    throw new UsageError(
      "posture-key",
      `a key of the kind ${privateKey.asymmetricKeyType ?? "unknown"} signs no reports`,
      "Enrol anew with a key of P-256: niac enroll ... --again",
    );
  }
  const header = {
    typ: POSTURE_TYPE,
    alg,
    "x5t#S256": createHash("sha256").update(certificate).digest("base64url"),
  };
  const input = `${encoded(header)}.${encoded({ device, iat: Math.floor(now / 1_000), facts })}`;
  const how = { key: privateKey, dsaEncoding: "ieee-p1363", ...(alg === "PS256" ? PSS : {}) } as const;
  const signature = sign(HASHES[alg] ?? null, Buffer.from(input), how);
  return `${input}.${signature.toString("base64url")}`;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
