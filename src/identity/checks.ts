/** What niac asks of a client's certificate on top of a chain that verifies. Each check throws a refusal or returns. */
import type { Algorithm, Certificate } from "./certificate.ts";
import { readAlgorithm } from "./certificate.ts";
import { bitsOf, booleanOf, DerReader, oidText, only, TAG, unsignedOf } from "./der.ts";
import { EXTENSION, extensionOf } from "./extensions.ts";
import { refuse, timeText } from "./refusal.ts";

const MIN_RSA_BITS = 2048;
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
/** Bits of KeyUsage (RFC 5280, section 4.2.1.3), counted from the left of the first byte. */
const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;

const RSA = "1.2.840.113549.1.1.1";
const EC = "1.2.840.10045.2.1";
const CURVES: readonly string[] = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];
/** Their own key and signature algorithm: Ed25519, Ed448 (RFC 8410), ML-DSA-44, -65, -87 (FIPS 204). */
const ONE_PURPOSE: readonly string[] = [
  "1.3.101.112",
  "1.3.101.113",
  "2.16.840.1.101.3.4.3.17",
  "2.16.840.1.101.3.4.3.18",
  "2.16.840.1.101.3.4.3.19",
];
const RSA_PSS = "1.2.840.113549.1.1.10";
const SIGNATURES: readonly string[] = [
  ...ONE_PURPOSE,
  // RSA with SHA-256, -384, -512; ECDSA with the same.
  "1.2.840.113549.1.1.11",
  "1.2.840.113549.1.1.12",
  "1.2.840.113549.1.1.13",
  "1.2.840.10045.4.3.2",
  "1.2.840.10045.4.3.3",
  "1.2.840.10045.4.3.4",
];
/** SHA-256, -384, -512. */
const HASHES: readonly string[] = [
  "2.16.840.1.101.3.4.2.1",
  "2.16.840.1.101.3.4.2.2",
  "2.16.840.1.101.3.4.2.3",
];

const RENEW = "Enrol again, or ask the plant admin for a new certificate.";

/** `now` in milliseconds; both ends belong to the validity. A `now` that is no number is in no validity. */
export function checkValidity(certificate: Certificate, now: number): void {
  const { notBefore, notAfter } = certificate;
  if (now > notAfter) throw refuse("expired", `expired on ${timeText(notAfter)}`, RENEW);
  if (!(now >= notBefore)) {
    throw refuse(
      "not-yet-valid",
      `is not valid before ${timeText(notBefore)}`,
      "Check the date and time of the appliance and of the authority that issued it.",
    );
  }
}

/** A client's certificate: no authority's, for client authentication, and for signing. */
export function checkUsage(certificate: Certificate): void {
  const usage = keyUsageOf(certificate);
  if (isAuthority(certificate) || (usage !== null && (usage & KEY_CERT_SIGN) !== 0)) {
    throw refuse(
      "is-ca",
      "is a certificate authority's, which signs certificates and is nobody's identity",
      "Use the certificate that was issued to the user. If an authority's key is on a laptop, tell the plant admin.",
    );
  }
  if (!purposesOf(certificate).includes(CLIENT_AUTH)) {
    throw refuse(
      "no-client-auth",
      "is not made for clients: its extended key usage does not list client authentication",
      "Ask the plant admin for a certificate with extended key usage clientAuth.",
    );
  }
  if (usage !== null && (usage & DIGITAL_SIGNATURE) === 0) {
    throw refuse(
      "no-digital-signature",
      "is not made for TLS: its key usage does not list digital signature",
      "Ask the plant admin for a certificate with key usage digitalSignature.",
    );
  }
}

export function checkKey(certificate: Certificate): void {
  const { algorithm, bytes } = certificate.key;
  const advice = "Enrol again with a P-256 key (or RSA of 2048 bits and more, P-384, P-521, Ed25519).";
  if (algorithm.oid === RSA) {
    const bits = rsaBits(bytes);
    if (bits >= MIN_RSA_BITS) return;
    throw refuse(
      "weak-key",
      `has an RSA key of ${bits} bits, at least ${MIN_RSA_BITS} are asked for`,
      advice,
    );
  }
  const curve = algorithm.oid === EC ? oidParameter(algorithm) : null;
  if (curve !== null && CURVES.includes(curve)) return;
  if (ONE_PURPOSE.includes(algorithm.oid) && algorithm.parameters === null) return;
  throw refuse("weak-key", `has a key of a kind that is not taken (${curve ?? algorithm.oid})`, advice);
}

/** Of the issuer's signature on the leaf; OpenSSL's security level judges the ones above it. */
export function checkSignature(certificate: Certificate): void {
  const { signatureAlgorithm } = certificate;
  if (SIGNATURES.includes(signatureAlgorithm.oid)) return;
  const hash = signatureAlgorithm.oid === RSA_PSS ? pssHash(signatureAlgorithm) : null;
  if (hash !== null && HASHES.includes(hash)) return;
  throw refuse(
    "weak-signature",
    `is signed with an algorithm that is not taken (${signatureAlgorithm.oid}); SHA-1 and MD5 can be forged`,
    "Ask the plant admin for a certificate signed with SHA-256 or better.",
  );
}

/** BasicConstraints = SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }. */
function isAuthority(certificate: Certificate): boolean {
  const value = extensionOf(certificate, EXTENSION.basicConstraints);
  if (value === null) return false;
  const fields = new DerReader(only(value, TAG.sequence, "the basic constraints"));
  // An explicit FALSE is not DER, but common and clear.
  const ca = fields.optional(TAG.boolean, "the basic constraints");
  fields.optional(TAG.integer, "the path length");
  fields.finish("the basic constraints");
  return ca !== null && booleanOf(ca, "the basic constraints");
}

/** The first byte of the bits; null: no such extension, which allows any use. */
function keyUsageOf(certificate: Certificate): number | null {
  const value = extensionOf(certificate, EXTENSION.keyUsage);
  if (value === null) return null;
  return bitsOf(only(value, TAG.bitString, "the key usage"), "the key usage").bytes[0] ?? 0;
}

/** Empty where the extension is missing: a certificate for any purpose is not one for this. */
function purposesOf(certificate: Certificate): string[] {
  const value = extensionOf(certificate, EXTENSION.extendedKeyUsage);
  if (value === null) return [];
  const list = new DerReader(only(value, TAG.sequence, "the extended key usage"));
  const purposes: string[] = [];
  while (!list.done) purposes.push(oidText(list.take(TAG.oid, "the extended key usage")));
  return purposes;
}

/** RSAPublicKey = SEQUENCE { modulus INTEGER, publicExponent INTEGER } (RFC 8017, appendix A.1.1). */
function rsaBits(key: Uint8Array): number {
  const fields = new DerReader(only(key, TAG.sequence, "the RSA key"));
  const modulus = unsignedOf(fields.take(TAG.integer, "the modulus"), "the modulus");
  unsignedOf(fields.take(TAG.integer, "the exponent"), "the exponent");
  fields.finish("the RSA key");
  return modulus.length * 8 - (Math.clz32(modulus[0] ?? 0) - 24);
}

/** The named curve; null for curves spelled out. */
function oidParameter(algorithm: Algorithm): string | null {
  return algorithm.parameters?.tag === TAG.oid ? oidText(algorithm.parameters.content) : null;
}

/** RSASSA-PSS-params (RFC 4055, section 3.1): [0] is the hash; absent, it is SHA-1. */
function pssHash(algorithm: Algorithm): string | null {
  if (algorithm.parameters?.tag !== TAG.sequence) return null;
  const hash = new DerReader(algorithm.parameters.content).optional(0xa0, "the hash");
  if (hash === null) return null;
  const fields = new DerReader(hash);
  const { oid } = readAlgorithm(fields.any("the hash"), "the hash");
  fields.finish("the hash");
  return oid;
}
