/** What the tests of x509/ make their certificates, requests and lists of: keys of every kind, and an authority for each. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { PeerError, UsageError } from "../../../src/base/index.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  generateKey,
  KEY_ALGORITHMS,
  keyIdOf,
  keyUsage,
  makeCertificate,
  makeName,
  publicKeyInfoOf,
  randomSerial,
  readCertificate,
  subjectKeyIdentifier,
  type Certificate,
  type CertificateTemplate,
  type KeyAlgorithm,
  type KeyPair,
} from "../../../src/x509/index.ts";

/** On the second, as DER has them. */
export const NOW = Date.UTC(2026, 5, 15, 12, 0, 0);
export const DAY = 86_400_000;

export const keys: ReadonlyMap<KeyAlgorithm, KeyPair> = new Map(
  await Promise.all(
    KEY_ALGORITHMS.map(async (algorithm) => [algorithm, await generateKey(algorithm)] as const),
  ),
);

export function keyOf(algorithm: KeyAlgorithm): KeyPair {
  const pair = keys.get(algorithm);
  if (pair === undefined) throw new Error(`no key of ${algorithm}`);
  return pair;
}

export const rsa2048 = generateKeyPairSync("rsa", { modulusLength: 2048 });

export const issuerName = makeName([
  ["O", "Plant 7"],
  ["CN", "Plant 7 issuing"],
]);

/** A certificate of `parts`; default: a leaf of the P-256 authority's, valid for a day around NOW. */
export function made(parts: Partial<CertificateTemplate> = {}, issuerKey?: KeyObject): Buffer {
  return makeCertificate(
    {
      serialNumber: randomSerial(),
      issuer: issuerName,
      subject: makeName([["CN", "alice"]]),
      notBefore: NOW - DAY / 2,
      notAfter: NOW + DAY / 2,
      publicKey: publicKeyInfoOf(keyOf("p256").publicKey),
      extensions: [],
      ...parts,
    },
    issuerKey ?? keyOf("p256").privateKey,
  );
}

/** The authority of that name whose key this is, signed by itself. */
export function authority(privateKey: KeyObject, extensions?: readonly Uint8Array[]): Certificate {
  const publicKey = publicKeyInfoOf(createPublicKey(privateKey));
  const usual = [
    basicConstraints({ ca: true }),
    keyUsage(["keyCertSign", "cRLSign"]),
    subjectKeyIdentifier(publicKey),
    authorityKeyIdentifier(keyIdOf(publicKey)),
  ];
  // What an RSA authority says of itself is signed by another: niac signs with no RSA key.
  const own = privateKey.asymmetricKeyType === "rsa" ? keyOf("p256").privateKey : privateKey;
  return readCertificate(made({ subject: issuerName, publicKey, extensions: extensions ?? usual }, own));
}

/** The code of the PeerError or UsageError, or "accepted"; whatever else is thrown goes on. */
export function codeOf(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (error instanceof PeerError || error instanceof UsageError) return error.code;
    throw error;
  }
}

/** Every byte changed in turn, by the bits of `mask`. */
export function* flipped(bytes: Uint8Array, mask = 0xff): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= mask;
    yield changed;
  }
}

/** Every beginning that is not the whole. */
export function* truncated(bytes: Uint8Array): Generator<Buffer> {
  for (let length = 0; length < bytes.length; length++) yield Buffer.from(bytes.subarray(0, length));
}
