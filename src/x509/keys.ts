/** Keys: the kinds niac makes, and which kind a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) holds. */
import { createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { PeerError } from "../base/index.ts";
import { CURVE, curveOf, KEY, readAlgorithm, type Algorithm } from "./algorithm.ts";
import { bitsOf, DerReader, only, TAG, unsignedOf } from "./der.ts";

/** What niac makes keys of and signs with. */
export const KEY_ALGORITHMS = ["p256", "p384", "ed25519", "ml-dsa-65"] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const generate = promisify(generateKeyPair);

export function generateKey(algorithm: KeyAlgorithm): Promise<KeyPair> {
  switch (algorithm) {
    case "p256":
      return generate("ec", { namedCurve: "P-256" });
    case "p384":
      return generate("ec", { namedCurve: "P-384" });
    case "ed25519":
      return generate("ed25519");
    case "ml-dsa-65":
      return generate("ml-dsa-65");
  }
}

/** Null for a key of any other kind. Of a private key as well. */
export function keyAlgorithmOf(key: KeyObject): KeyAlgorithm | null {
  const type = key.asymmetricKeyType;
  if (type === "ed25519" || type === "ml-dsa-65") return type;
  if (type !== "ec") return null;
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === "prime256v1") return "p256";
  return curve === "secp384r1" ? "p384" : null;
}

/** DER of the SubjectPublicKeyInfo of a public key, or of the one that belongs to a private key. */
export function publicKeyInfoOf(key: KeyObject): Buffer {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "der" });
}

/** SubjectPublicKeyInfo taken apart: `bytes` are those of its bit string. */
export interface PublicKey {
  readonly algorithm: Algorithm;
  readonly bytes: Uint8Array;
}

export function readPublicKey(publicKeyInfo: Uint8Array): PublicKey {
  const fields = new DerReader(only(publicKeyInfo, TAG.sequence, "the public key"));
  const algorithm = readAlgorithm(fields.any("the key's algorithm"), "the key's algorithm");
  const { bytes, unused } = bitsOf(fields.take(TAG.bitString, "the public key"), "the public key");
  if (unused !== 0) throw new PeerError("der-bits", "the public key is not whole bytes");
  fields.finish("the public key");
  return { algorithm, bytes };
}

export interface KeyKind {
  readonly keyAlgorithm: KeyAlgorithm | "rsa" | "other";
  /** Of an RSA key's modulus; else null. */
  readonly rsaBits: number | null;
}

export function kindOf(key: PublicKey): KeyKind {
  const { oid, parameters } = key.algorithm;
  if (oid === KEY.rsa) return { keyAlgorithm: "rsa", rsaBits: rsaBits(key.bytes) };
  if (oid === KEY.ec) {
    const curve = curveOf(key.algorithm);
    if (curve === CURVE.p256) return { keyAlgorithm: "p256", rsaBits: null };
    if (curve === CURVE.p384) return { keyAlgorithm: "p384", rsaBits: null };
  }
  if (oid === KEY.ed25519 && parameters === null) return { keyAlgorithm: "ed25519", rsaBits: null };
  if (oid === KEY.mlDsa65 && parameters === null) return { keyAlgorithm: "ml-dsa-65", rsaBits: null };
  return { keyAlgorithm: "other", rsaBits: null };
}

/** RSAPublicKey = SEQUENCE { modulus INTEGER, publicExponent INTEGER } (RFC 8017, appendix A.1.1). */
export function rsaBits(key: Uint8Array): number {
  const fields = new DerReader(only(key, TAG.sequence, "the RSA key"));
  const modulus = unsignedOf(fields.take(TAG.integer, "the modulus"), "the modulus");
  unsignedOf(fields.take(TAG.integer, "the exponent"), "the exponent");
  fields.finish("the RSA key");
  return modulus.length * 8 - (Math.clz32(modulus[0] ?? 0) - 24);
}

/** Throws a PeerError `public-key` where OpenSSL cannot use it, e.g. for a point that is not on its curve. */
export function publicKeyFrom(publicKeyInfo: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(publicKeyInfo), format: "der", type: "spki" });
  } catch (error) {
    throw new PeerError("public-key", "OpenSSL cannot use the public key", undefined, { cause: error });
  }
}
