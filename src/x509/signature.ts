/**
 * What certificates, requests and revocation lists have in common (RFC 5280, section 4.1.1):
 *
 *     SEQUENCE { what is signed, AlgorithmIdentifier, signature BIT STRING }
 */
import { sign, verify, type KeyObject } from "node:crypto";
import { PeerError, UsageError } from "../base/index.ts";
import {
  ECDSA_HASHES,
  HASHES,
  KEY,
  readAlgorithm,
  RSA_HASHES,
  RSA_PSS,
  type Algorithm,
} from "./algorithm.ts";
import { bitsOf, DerReader, only, TAG, unsignedOf, type Element } from "./der.ts";
import { bitString, oid, sequence } from "./der-writer.ts";
import { keyAlgorithmOf } from "./keys.ts";

/** Of RSA keys that sign here; what is shorter verifies nothing but its own owner's request. */
export const MIN_RSA_BITS = 2048;

export interface Signed {
  /** The signed element, tag and length too. */
  readonly tbs: Uint8Array;
  readonly algorithm: Algorithm;
  /** DER of the AlgorithmIdentifier. */
  readonly algorithmDer: Uint8Array;
  readonly signature: Uint8Array;
}

/** `what` names the whole to the reader: "the certificate". */
export function readSigned(der: Uint8Array, what: string): Signed {
  const fields = new DerReader(only(der, TAG.sequence, what));
  const signedPart = readSignedFields(fields);
  fields.finish("the signature");
  return signedPart;
}

/** The three of them, where more may follow. */
export function readSignedFields(fields: DerReader): Signed {
  const tbs = fields.any("the signed part");
  if (tbs.tag !== TAG.sequence) throw new PeerError("der-tag", "the signed part is no sequence");
  const algorithm = fields.any("the signature algorithm");
  const { bytes, unused } = bitsOf(fields.take(TAG.bitString, "the signature"), "the signature");
  if (unused !== 0) throw new PeerError("der-bits", "the signature is not whole bytes");
  return {
    tbs: tbs.whole,
    algorithm: readAlgorithm(algorithm, "the signature algorithm"),
    algorithmDer: algorithm.whole,
    signature: bytes,
  };
}

export interface SignatureScheme {
  /** DER of the AlgorithmIdentifier. */
  readonly algorithmDer: Buffer;
  /** Null: the algorithm hashes by itself. */
  readonly hash: string | null;
}

/** How a key of niac's own kinds signs: by its kind alone. Throws a UsageError for others. */
export function signatureFor(key: KeyObject): SignatureScheme {
  switch (keyAlgorithmOf(key)) {
    case "p256":
      return { algorithmDer: sequence(oid("1.2.840.10045.4.3.2")), hash: "sha256" };
    case "p384":
      return { algorithmDer: sequence(oid("1.2.840.10045.4.3.3")), hash: "sha384" };
    case "ed25519":
      return { algorithmDer: sequence(oid(KEY.ed25519)), hash: null };
    case "ml-dsa-65":
      return { algorithmDer: sequence(oid(KEY.mlDsa65)), hash: null };
    case null: {
      const kind = key.asymmetricKeyType ?? "secret";
      const advice = "Make one of P-256, P-384, Ed25519 or ML-DSA-65.";
      throw new UsageError("key-algorithm", `niac does not sign with a key of the kind ${kind}`, advice);
    }
  }
}

/** `tbs`, DER, signed with the key's own algorithm. */
export function signed(tbs: Uint8Array, key: KeyObject): Buffer {
  const { algorithmDer, hash } = signatureFor(key);
  return sequence(tbs, algorithmDer, bitString(sign(hash, tbs, key)));
}

/** Whether the issuer's key made the signature, with an algorithm that is taken. Never throws. */
export function verifySigned(signedPart: Signed, issuerKey: KeyObject): boolean {
  const bits = issuerKey.asymmetricKeyDetails?.modulusLength;
  return (bits === undefined || bits >= MIN_RSA_BITS) && signatureMatches(signedPart, issuerKey);
}

/** The same, RSA keys of any length included: for the proof that a requester holds the key, which vouches for nothing more. */
export function signatureMatches(signedPart: Signed, key: KeyObject): boolean {
  try {
    const scheme = schemeOf(signedPart.algorithm, key);
    if (scheme === null) return false;
    const { hash, ...options } = scheme;
    return verify(hash, signedPart.tbs, { key, ...options }, signedPart.signature);
  } catch {
    // OpenSSL throws for a key that cannot be used so. Whatever it is, the signature does not stand.
    return false;
  }
}

interface Scheme {
  readonly hash: string | null;
  readonly padding?: number;
  readonly saltLength?: number;
}

/** RSA_PKCS1_PADDING and RSA_PKCS1_PSS_PADDING of node:crypto's constants. */
const PKCS1 = 1;
const PSS = 6;
const CURVES: readonly (string | undefined)[] = ["prime256v1", "secp384r1", "secp521r1"];
const OWN_ALGORITHM: ReadonlyMap<string, string> = new Map([
  ["ed25519", KEY.ed25519],
  ["ed448", KEY.ed448],
  ["ml-dsa-44", KEY.mlDsa44],
  ["ml-dsa-65", KEY.mlDsa65],
  ["ml-dsa-87", KEY.mlDsa87],
]);

/** Null: not taken, or the algorithm is not one of this key. */
function schemeOf(algorithm: Algorithm, key: KeyObject): Scheme | null {
  const type = key.asymmetricKeyType;
  const { oid: name, parameters } = algorithm;
  if (type === "ec" && CURVES.includes(key.asymmetricKeyDetails?.namedCurve)) {
    const hash = ECDSA_HASHES.get(name);
    return hash === undefined || parameters !== null ? null : { hash };
  }
  if ((type === "rsa" || type === "rsa-pss") && name === RSA_PSS) return pssScheme(parameters);
  if (type === "rsa") {
    const hash = RSA_HASHES.get(name);
    return hash === undefined || !isNullOrAbsent(parameters) ? null : { hash, padding: PKCS1 };
  }
  return type !== undefined && OWN_ALGORITHM.get(type) === name && parameters === null
    ? { hash: null }
    : null;
}

/** RFC 4055, section 5: NULL belongs there, and its absence is taken as well. */
function isNullOrAbsent(parameters: Element | null): boolean {
  return parameters === null || (parameters.tag === TAG.null && parameters.content.length === 0);
}

const MGF1 = "1.2.840.113549.1.1.8";
const DEFAULT_SALT_LENGTH = 20;

/**
 * RSASSA-PSS-params (RFC 4055, section 3.1): SEQUENCE { [0] hash, [1] mask generation, [2] salt length DEFAULT 20, [3] trailer DEFAULT 1 }.
 * Without a hash it is SHA-1, which is not taken; both hashes are the same (section 3.1).
 */
function pssScheme(parameters: Element | null): Scheme | null {
  if (parameters?.tag !== TAG.sequence) return null;
  const fields = new DerReader(parameters.content);
  const hash = fields.optional(0xa0, "the hash");
  const mask = fields.optional(0xa1, "the mask");
  const salt = fields.optional(0xa2, "the salt length");
  const trailer = fields.optional(0xa3, "the trailer");
  fields.finish("the PSS parameters");
  if (hash === null || mask === null || trailer !== null) return null;
  const mgf = algorithmIn(mask, "the mask");
  if (mgf.oid !== MGF1 || mgf.parameters === null) return null;
  const hashName = algorithmIn(hash, "the hash").oid;
  if (readAlgorithm(mgf.parameters, "the mask's hash").oid !== hashName) return null;
  const name = HASHES.get(hashName);
  const saltLength = salt === null ? DEFAULT_SALT_LENGTH : smallInteger(salt, "the salt length");
  return name === undefined ? null : { hash: name, padding: PSS, saltLength };
}

function algorithmIn(content: Uint8Array, what: string): Algorithm {
  const reader = new DerReader(content);
  const algorithm = readAlgorithm(reader.any(what), what);
  reader.finish(what);
  return algorithm;
}

function smallInteger(content: Uint8Array, what: string): number {
  const bytes = unsignedOf(only(content, TAG.integer, what), what);
  if (bytes.length > 2)
    throw new PeerError("der-integer", `${what} has ${bytes.length} bytes, not 2 at most`);
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
