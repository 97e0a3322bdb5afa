/** Algorithms as X.509 names them: object identifiers of keys, curves, signatures and hashes, and how they are read. */
import { DerReader, oidText, only, TAG, type Element } from "./der.ts";

export interface Algorithm {
  readonly oid: string;
  readonly parameters: Element | null;
}

/** Of keys. Ed25519, Ed448 (RFC 8410) and ML-DSA (FIPS 204, RFC 9881) have one identifier for key and signature. */
export const KEY = {
  rsa: "1.2.840.113549.1.1.1",
  ec: "1.2.840.10045.2.1",
  ed25519: "1.3.101.112",
  ed448: "1.3.101.113",
  mlDsa44: "2.16.840.1.101.3.4.3.17",
  mlDsa65: "2.16.840.1.101.3.4.3.18",
  mlDsa87: "2.16.840.1.101.3.4.3.19",
} as const;

export const CURVE = {
  p256: "1.2.840.10045.3.1.7",
  p384: "1.3.132.0.34",
  p521: "1.3.132.0.35",
} as const;

/** Their hash is named with them, in Node's words. */
export const ECDSA_HASHES: ReadonlyMap<string, string> = new Map([
  ["1.2.840.10045.4.3.2", "sha256"],
  ["1.2.840.10045.4.3.3", "sha384"],
  ["1.2.840.10045.4.3.4", "sha512"],
]);
/** RSASSA-PKCS1-v1_5. */
export const RSA_HASHES: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.1.1.11", "sha256"],
  ["1.2.840.113549.1.1.12", "sha384"],
  ["1.2.840.113549.1.1.13", "sha512"],
]);
export const RSA_PSS = "1.2.840.113549.1.1.10";
/** SHA-1 and MD5 are not among them: they sign nothing here. */
export const HASHES: ReadonlyMap<string, string> = new Map([
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
]);

/** `AlgorithmIdentifier`, RFC 5280, section 4.1.1.2. */
export function readAlgorithm(element: Element, what: string): Algorithm {
  const fields = new DerReader(only(element.whole, TAG.sequence, what));
  const oid = oidText(fields.take(TAG.oid, what));
  const parameters = fields.done ? null : fields.any(`the parameters of ${what}`);
  fields.finish(what);
  return { oid, parameters };
}

/** The named curve of an EC key; null for curves spelled out. */
export function curveOf(algorithm: Algorithm): string | null {
  return algorithm.parameters?.tag === TAG.oid ? oidText(algorithm.parameters.content) : null;
}

/** RSASSA-PSS-params (RFC 4055, section 3.1): [0] is the hash. Null: absent, which means SHA-1. */
export function pssHash(algorithm: Algorithm): string | null {
  if (algorithm.parameters?.tag !== TAG.sequence) return null;
  const hash = new DerReader(algorithm.parameters.content).optional(0xa0, "the hash");
  if (hash === null) return null;
  const fields = new DerReader(hash);
  const { oid } = readAlgorithm(fields.any("the hash"), "the hash");
  fields.finish("the hash");
  return oid;
}
