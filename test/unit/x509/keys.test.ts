import test from "ava";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import * as x509 from "../../../src/x509/index.ts";
import { codeOf, keyOf, rsa2048 } from "./made.ts";
import { bits, oid, seq } from "./writer.ts";

const kindOf = (key: KeyObject): x509.KeyKind => x509.kindOf(x509.readPublicKey(x509.publicKeyInfoOf(key)));

test("each kind of key that niac makes is told by the key and by its bytes", (t) => {
  for (const algorithm of x509.KEY_ALGORITHMS) {
    const { privateKey, publicKey } = keyOf(algorithm);
    t.is(x509.keyAlgorithmOf(privateKey), algorithm);
    t.is(x509.keyAlgorithmOf(publicKey), algorithm);
    t.deepEqual(kindOf(publicKey), { keyAlgorithm: algorithm, rsaBits: null });
    t.deepEqual(x509.publicKeyInfoOf(privateKey), x509.publicKeyInfoOf(publicKey));
    t.true(x509.publicKeyFrom(x509.publicKeyInfoOf(publicKey)).equals(publicKey));
    // As it is kept: sealed PKCS#8.
    const kept = privateKey.export({ type: "pkcs8", format: "der" });
    t.is(x509.keyAlgorithmOf(createPrivateKey({ key: kept, format: "der", type: "pkcs8" })), algorithm);
  }
});

test("other kinds are told apart: RSA by its bits, the rest as other", (t) => {
  t.deepEqual(kindOf(rsa2048.publicKey), { keyAlgorithm: "rsa", rsaBits: 2048 });
  const weak = generateKeyPairSync("rsa", { modulusLength: 1023 });
  t.deepEqual(kindOf(weak.publicKey), { keyAlgorithm: "rsa", rsaBits: 1023 });
  const explicit = generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" });
  for (const { publicKey } of [
    generateKeyPairSync("ec", { namedCurve: "P-521" }),
    generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
    generateKeyPairSync("ed448"),
    generateKeyPairSync("ml-dsa-44"),
    generateKeyPairSync("x25519"),
    generateKeyPairSync("rsa-pss", { modulusLength: 2048 }),
    explicit,
  ]) {
    t.deepEqual(kindOf(publicKey), { keyAlgorithm: "other", rsaBits: null });
  }
  t.is(x509.keyAlgorithmOf(rsa2048.privateKey), null);
  t.is(x509.keyAlgorithmOf(generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey), null);
});

test("bytes that are no key are refused", (t) => {
  const p256 = seq(oid(x509.KEY.ec), oid(x509.CURVE.p256));
  const offCurve = seq(p256, bits(0, Buffer.concat([Buffer.of(4), Buffer.alloc(64, 1)])));
  t.is(
    codeOf(() => x509.publicKeyFrom(offCurve)),
    "public-key",
  );
  t.is(
    codeOf(() => x509.publicKeyFrom(Buffer.of())),
    "public-key",
  );
  t.is(
    codeOf(() => x509.readPublicKey(seq(p256, bits(1, Buffer.of(2))))),
    "der-bits",
  );
  t.is(
    codeOf(() => x509.readPublicKey(seq(p256, bits(0, Buffer.of(2)), bits(0, Buffer.of(2))))),
    "trailing-bytes",
  );
});
