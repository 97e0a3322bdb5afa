import test from "ava";
import { generateKeyPairSync } from "node:crypto";
import { isRefusal, readIdentity } from "../../../src/identity/index.ts";
import {
  bits,
  certificate,
  clientExtensions,
  der,
  ecdsaSha256,
  extension,
  int,
  NOW,
  OID,
  oid,
  seq,
  spkiOf,
  TRUE,
  usage,
  type Parts,
} from "../x509/writer.ts";

const codeOf = (parts: Parts): string => {
  const outcome = readIdentity({ leaf: certificate(parts), authorized: true, authorizationError: null }, NOW);
  return isRefusal(outcome) ? outcome.code : "accepted";
};
const [constraints = Buffer.of(), keyUsage = Buffer.of(), clientAuth = Buffer.of()] = clientExtensions;
const keyUsageOf = (unused: number, ...bytes: readonly number[]): Buffer =>
  extension(OID.keyUsage, bits(unused, Buffer.from(bytes)), true);
const pss = (hash: string): Buffer => seq(der(0xa0, seq(oid(hash))));

test("a certificate authority is no client", (t) => {
  const ca = (...fields: readonly Buffer[]): Parts => ({
    extensions: [extension(OID.basicConstraints, seq(...fields), true), keyUsage, clientAuth],
  });
  t.is(codeOf(ca(TRUE)), "is-ca");
  t.is(codeOf(ca(TRUE, int(0))), "is-ca");
  t.is(codeOf(ca()), "accepted");
  t.is(codeOf(ca(der(0x01, Buffer.of(0)))), "accepted");
  t.is(codeOf(ca(der(0x01, Buffer.of(1)))), "malformed-certificate");
  t.is(codeOf(ca(TRUE, TRUE)), "malformed-certificate");
  t.is(codeOf({ extensions: [keyUsage, clientAuth] }), "accepted");
  t.is(codeOf({ extensions: [keyUsageOf(2, 0x84), clientAuth] }), "is-ca");
});

test("client authentication has to be listed; any purpose and no list are not enough", (t) => {
  const purposes = (...list: readonly string[]): Parts => ({
    extensions: [constraints, keyUsage, usage(...list)],
  });
  t.is(codeOf(purposes(OID.clientAuth)), "accepted");
  t.is(codeOf(purposes(OID.serverAuth, OID.clientAuth)), "accepted");
  t.is(codeOf(purposes(OID.serverAuth)), "no-client-auth");
  t.is(codeOf(purposes(OID.anyEku)), "no-client-auth");
  t.is(codeOf(purposes()), "no-client-auth");
  t.is(codeOf({ extensions: [constraints, keyUsage] }), "no-client-auth");
});

test("key usage, where there is one, includes digital signature", (t) => {
  const used = (...value: readonly [number, ...number[]]): string =>
    codeOf({ extensions: [constraints, keyUsageOf(...value), clientAuth] });
  t.is(used(7, 0x80), "accepted");
  t.is(used(5, 0xa0), "accepted");
  t.is(used(7, 0x80, 0x80), "accepted");
  t.is(used(5, 0x20), "no-digital-signature");
  t.is(used(0), "no-digital-signature");
  t.is(used(7, 0x00, 0x80), "no-digital-signature");
  t.is(codeOf({ extensions: [constraints, clientAuth] }), "accepted");
});

test("two extensions of a kind are refused, also where they agree", (t) => {
  t.is(codeOf({ more: [clientAuth] }), "extension-twice");
  t.is(codeOf({ more: [constraints] }), "extension-twice");
  t.is(codeOf({ more: [extension("1.2.3", seq()), extension("1.2.3", seq())] }), "extension-twice");
  t.is(codeOf({ more: [extension("1.2.3", seq()), extension("1.2.4", seq())] }), "accepted");
});

test("an unknown extension that is critical is refused, one that is not is passed over", (t) => {
  t.is(codeOf({ more: [extension("1.2.3.4", seq(), true)] }), "critical-extension");
  t.is(
    codeOf({ more: [extension(OID.role, der(0x0c, Buffer.from("Operator")), true)] }),
    "critical-extension",
  );
  t.is(codeOf({ more: [extension("1.2.3.4", Buffer.from("no DER"))] }), "accepted");
});

test("keys: RSA from 2048 bits, P-256, P-384, P-521, Ed25519, Ed448 and ML-DSA", (t) => {
  const ec = (namedCurve: string): string =>
    codeOf({ key: spkiOf(generateKeyPairSync("ec", { namedCurve }).privateKey) });
  const rsa = (modulusLength: number): string =>
    codeOf({ key: spkiOf(generateKeyPairSync("rsa", { modulusLength }).privateKey) });
  for (const curve of ["P-256", "P-384", "P-521"]) t.is(ec(curve), "accepted", curve);
  for (const curve of ["P-224", "secp256k1", "brainpoolP256r1"]) t.is(ec(curve), "weak-key", curve);
  t.is(rsa(2048), "accepted");
  t.is(rsa(2047), "weak-key");
  t.is(rsa(1024), "weak-key");
  t.is(codeOf({ key: spkiOf(generateKeyPairSync("ed25519").privateKey) }), "accepted");
  t.is(codeOf({ key: spkiOf(generateKeyPairSync("ed448").privateKey) }), "accepted");
  t.is(codeOf({ key: spkiOf(generateKeyPairSync("ml-dsa-65").privateKey) }), "accepted");
  t.is(codeOf({ key: spkiOf(generateKeyPairSync("x25519").privateKey) }), "weak-key");
});

test("a curve spelled out instead of named, and a key that is none, are refused", (t) => {
  const explicit = generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" });
  t.is(codeOf({ key: spkiOf(explicit.privateKey) }), "weak-key");
  const rsa = seq(oid("1.2.840.113549.1.1.1"), der(0x05));
  t.is(codeOf({ key: seq(rsa, bits(0, seq(int(0), int(3)))) }), "weak-key");
  t.is(codeOf({ key: seq(rsa, bits(0, seq(int(0x80), int(3)))) }), "malformed-certificate");
  t.is(codeOf({ key: seq(rsa, bits(0, Buffer.of())) }), "malformed-certificate");
});

test("signatures: SHA-256 and better; SHA-1, MD5 and PSS without a named hash are refused", (t) => {
  const algorithm = (type: string, ...parameters: readonly Buffer[]): string =>
    codeOf({ algorithm: seq(oid(type), ...parameters) });
  for (const type of [
    "1.2.840.113549.1.1.11",
    "1.2.840.113549.1.1.13",
    "1.2.840.10045.4.3.4",
    "1.3.101.112",
  ]) {
    t.is(algorithm(type), "accepted", type);
  }
  for (const type of [
    "1.2.840.113549.1.1.5",
    "1.2.840.113549.1.1.4",
    "1.2.840.10045.4.1",
    "1.2.840.10045.4.3.1",
  ]) {
    t.is(algorithm(type), "weak-signature", type);
  }
  t.is(algorithm("1.2.840.113549.1.1.10", pss("2.16.840.1.101.3.4.2.1")), "accepted");
  t.is(algorithm("1.2.840.113549.1.1.10", pss("1.3.14.3.2.26")), "weak-signature");
  t.is(algorithm("1.2.840.113549.1.1.10", seq()), "weak-signature");
  t.is(algorithm("1.2.840.113549.1.1.10"), "weak-signature");
  t.is(
    codeOf({ outerAlgorithm: seq(oid("1.2.840.113549.1.1.5")), algorithm: ecdsaSha256 }),
    "malformed-certificate",
  );
});
