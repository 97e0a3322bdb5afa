import test from "ava";
import { constants, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { UsageError } from "../../../src/base/index.ts";
import { readSigned, signatureMatches } from "../../../src/x509/signature.ts";
import { der as write, signed, verifySigned } from "../../../src/x509/index.ts";
import { codeOf, flipped, keyOf, keys, rsa2048 } from "./made.ts";
import { bits, der, int, oid, seq } from "./writer.ts";

const TBS = seq(int(1), oid("1.2.3"));
const NULL = der(0x05);
const SHA = {
  1: "1.3.14.3.2.26",
  256: "2.16.840.1.101.3.4.2.1",
  384: "2.16.840.1.101.3.4.2.2",
  512: "2.16.840.1.101.3.4.2.3",
};

/** What another implementation would hand in: any algorithm's name beside any signature. */
const verifies = (algorithm: Uint8Array, signature: Uint8Array, key: KeyObject): boolean =>
  verifySigned(readSigned(seq(TBS, algorithm, bits(0, signature)), "x"), key);

test("what a key of niac's signs verifies with that key and with no other", (t) => {
  for (const [algorithm, { privateKey }] of keys) {
    const whole = readSigned(signed(TBS, privateKey), "x");
    t.deepEqual(Buffer.from(whole.tbs), TBS);
    for (const [other, { publicKey }] of keys)
      t.is(verifySigned(whole, publicKey), other === algorithm, other);
  }
});

test("a byte changed anywhere is refused or does not verify", (t) => {
  for (const [algorithm, { privateKey, publicKey }] of keys) {
    // An ML-DSA signature has 3,309 bytes: enough of them in one test.
    if (algorithm === "ml-dsa-65") continue;
    for (const bytes of flipped(signed(TBS, privateKey), 0x01)) {
      const verified = codeOf(() => {
        if (verifySigned(readSigned(bytes, "x"), publicKey))
          throw new Error(`${algorithm} ${bytes.toString("hex")}`);
      });
      t.is(typeof verified, "string");
    }
  }
});

test("niac signs with its own kinds of keys alone", (t) => {
  for (const { privateKey } of [
    rsa2048,
    generateKeyPairSync("ec", { namedCurve: "P-521" }),
    generateKeyPairSync("x25519"),
  ]) {
    t.throws(() => signed(TBS, privateKey), { instanceOf: UsageError, code: "key-algorithm" });
  }
});

test("ECDSA and RSA with SHA-256, -384 and -512 verify; SHA-1, SHA-224 and MD5 never do", (t) => {
  const ec = {
    sha1: "1.2.840.10045.4.1",
    sha224: "1.2.840.10045.4.3.1",
    sha256: "1.2.840.10045.4.3.2",
    sha384: "1.2.840.10045.4.3.3",
    sha512: "1.2.840.10045.4.3.4",
  };
  for (const curve of ["P-256", "P-384", "P-521"]) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curve });
    for (const [hash, name] of Object.entries(ec)) {
      const strong = Number(hash.slice(3)) >= 256;
      t.is(verifies(seq(oid(name)), sign(hash, TBS, privateKey), publicKey), strong, `${curve} ${hash}`);
    }
    // RFC 5758, section 3.2: no parameters.
    t.false(verifies(seq(oid(ec.sha256), NULL), sign("sha256", TBS, privateKey), publicKey));
  }
  const rsa = {
    md5: "1.2.840.113549.1.1.4",
    sha1: "1.2.840.113549.1.1.5",
    sha256: "1.2.840.113549.1.1.11",
    sha384: "1.2.840.113549.1.1.12",
    sha512: "1.2.840.113549.1.1.13",
  };
  const { privateKey, publicKey } = rsa2048;
  for (const [hash, name] of Object.entries(rsa)) {
    const strong = Number(hash.slice(3)) >= 256;
    t.is(verifies(seq(oid(name), NULL), sign(hash, TBS, privateKey), publicKey), strong, hash);
  }
  t.true(verifies(seq(oid(rsa.sha256)), sign("sha256", TBS, privateKey), publicKey));
  t.false(verifies(seq(oid(rsa.sha256), int(0)), sign("sha256", TBS, privateKey), publicKey));
  t.false(verifies(seq(oid(rsa.sha384), NULL), sign("sha256", TBS, privateKey), publicKey));
});

test("a curve beyond NIST's does not verify", (t) => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
  t.false(verifies(seq(oid("1.2.840.10045.4.3.2")), sign("sha256", TBS, privateKey), publicKey));
});

test("Ed25519, Ed448 and ML-DSA verify under their own name alone", (t) => {
  const names = {
    ed25519: "1.3.101.112",
    ed448: "1.3.101.113",
    "ml-dsa-44": "2.16.840.1.101.3.4.3.17",
    "ml-dsa-65": "2.16.840.1.101.3.4.3.18",
    "ml-dsa-87": "2.16.840.1.101.3.4.3.19",
  } as const;
  const pairs = [
    generateKeyPairSync("ed25519"),
    generateKeyPairSync("ed448"),
    generateKeyPairSync("ml-dsa-44"),
    generateKeyPairSync("ml-dsa-65"),
    generateKeyPairSync("ml-dsa-87"),
  ];
  for (const { privateKey, publicKey } of pairs) {
    const signature = sign(null, TBS, privateKey);
    for (const [type, name] of Object.entries(names)) {
      t.is(verifies(seq(oid(name)), signature, publicKey), type === publicKey.asymmetricKeyType, type);
      t.false(verifies(seq(oid(name), NULL), signature, publicKey));
    }
  }
});

const MGF1 = "1.2.840.113549.1.1.8";
/** RSASSA-PSS-params. */
const pss = (hash: string, maskHash: string, ...more: readonly Uint8Array[]): Buffer =>
  seq(
    oid("1.2.840.113549.1.1.10"),
    seq(der(0xa0, seq(oid(hash), NULL)), der(0xa1, seq(oid(MGF1), seq(oid(maskHash), NULL))), ...more),
  );
const salt = (length: number): Buffer => der(0xa2, write.integer(length));
const pssSignature = (hash: string, saltLength: number, key: KeyObject): Buffer =>
  sign(hash, TBS, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

test("PSS: the hash, the mask and the salt have to be those that were signed with", (t) => {
  const { privateKey, publicKey } = rsa2048;
  const one = pssSignature("sha256", 32, privateKey);
  t.true(verifies(pss(SHA[256], SHA[256], salt(32)), one, publicKey));
  t.true(verifies(pss(SHA[512], SHA[512], salt(64)), pssSignature("sha512", 64, privateKey), publicKey));
  t.true(verifies(pss(SHA[256], SHA[256]), pssSignature("sha256", 20, privateKey), publicKey));
  t.false(verifies(pss(SHA[256], SHA[256], salt(20)), one, publicKey));
  t.false(verifies(pss(SHA[256], SHA[384], salt(32)), one, publicKey));
  t.false(verifies(pss(SHA[384], SHA[384], salt(32)), one, publicKey));
  t.false(verifies(pss(SHA[1], SHA[1], salt(20)), pssSignature("sha1", 20, privateKey), publicKey));
  t.false(verifies(seq(oid("1.2.840.113549.1.1.10")), pssSignature("sha1", 20, privateKey), publicKey));
  t.false(
    verifies(seq(oid("1.2.840.113549.1.1.10"), seq()), pssSignature("sha1", 20, privateKey), publicKey),
  );
  // The trailer has its one value by default, and DER leaves that out.
  t.false(verifies(pss(SHA[256], SHA[256], salt(32), der(0xa3, int(1))), one, publicKey));
  t.false(verifies(pss(SHA[256], SHA[256], der(0xa2, int(1, 0, 0))), one, publicKey));
  t.false(verifies(pss(SHA[256], SHA[256], salt(32)), one, keyOf("p256").publicKey));
});

test("a key for PSS alone does no PKCS#1 v1.5", (t) => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa-pss", { modulusLength: 2048 });
  t.true(verifies(pss(SHA[256], SHA[256], salt(32)), pssSignature("sha256", 32, privateKey), publicKey));
  t.false(
    verifies(seq(oid("1.2.840.113549.1.1.11"), NULL), pssSignature("sha256", 32, privateKey), publicKey),
  );
});

test("RSA keys below 2048 bits vouch for nobody, and still prove that their owner holds them", (t) => {
  for (const [modulusLength, strong] of [
    [1024, false],
    [2047, false],
    [2048, true],
  ] as const) {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength });
    const algorithm = seq(oid("1.2.840.113549.1.1.11"), NULL);
    const whole = readSigned(seq(TBS, algorithm, bits(0, sign("sha256", TBS, privateKey))), "x");
    t.is(verifySigned(whole, publicKey), strong);
    t.true(signatureMatches(whole, publicKey));
  }
});

test("a signature that is not whole bytes, and a signed part that is none, are refused", (t) => {
  const algorithm = seq(oid("1.2.3"));
  t.is(
    codeOf(() => readSigned(seq(TBS, algorithm, bits(1, Buffer.of(2))), "x")),
    "der-bits",
  );
  t.is(
    codeOf(() => readSigned(seq(int(1), algorithm, bits(0, Buffer.of(2))), "x")),
    "der-tag",
  );
  t.is(
    codeOf(() => readSigned(seq(TBS, algorithm, bits(0, Buffer.of(2)), int(1)), "x")),
    "trailing-bytes",
  );
});
