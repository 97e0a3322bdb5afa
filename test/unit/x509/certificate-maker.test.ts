import test from "ava";
import { X509Certificate } from "node:crypto";
import * as fc from "fast-check";
import * as x509 from "../../../src/x509/index.ts";
import { codeOf, flipped, issuerName, keyOf, keys, made, NOW, truncated } from "./made.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("a certificate of each algorithm reads back as it was made, here and in OpenSSL", (t) => {
  for (const [algorithm, { privateKey, publicKey }] of keys) {
    const subject = x509.makeName([
      ["O", "Plant 7"],
      ["CN", "alice"],
    ]);
    const publicKeyInfo = x509.publicKeyInfoOf(publicKey);
    const serialNumber = x509.randomSerial();
    const extensions = [
      x509.basicConstraints({ ca: false }),
      x509.keyUsage(["digitalSignature"]),
      x509.extendedKeyUsage(["clientAuth"]),
      x509.subjectAltName([{ uri: "urn:niac:device:laptop-7" }]),
    ];
    const notAfter = Date.UTC(2051, 0, 1);
    const bytes = made(
      { serialNumber, subject, publicKey: publicKeyInfo, extensions, notBefore: NOW, notAfter },
      privateKey,
    );
    const read = x509.readCertificate(bytes);
    t.is(read.serialNumber, hex(serialNumber));
    t.deepEqual(Buffer.from(read.issuerDer), issuerName);
    t.deepEqual(Buffer.from(read.subjectDer), subject);
    t.deepEqual([read.notBefore, read.notAfter], [NOW, notAfter]);
    t.deepEqual(Buffer.from(read.publicKeyInfo), publicKeyInfo);
    t.is(x509.kindOf(read.key).keyAlgorithm, algorithm);
    t.deepEqual(x509.readSubjectAltName(read).uri, ["urn:niac:device:laptop-7"]);
    t.deepEqual(x509.keyUsagesOf(read), ["digitalSignature"]);
    t.true(x509.verifySigned(read.signed, publicKey));

    const openssl = new X509Certificate(bytes);
    t.true(openssl.verify(publicKey));
    t.is(openssl.serialNumber.toLowerCase(), hex(serialNumber));
    t.is(openssl.validFromDate.getTime(), NOW);
    t.is(openssl.validToDate.getTime(), notAfter);
    t.is(openssl.subjectAltName, "URI:urn:niac:device:laptop-7");
    t.is(openssl.subject, "O=Plant 7\nCN=alice");
  }
});

test("names, serial numbers and times of any kind read back the same", (t) => {
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
  const time = fc.integer({ min: 0, max: 253_402_300_799 });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), name, time, time, (serial, cn, from, to) => {
      const subject = x509.makeName([["CN", cn]]);
      const bytes = made({ serialNumber: serial, subject, notBefore: from * 1000, notAfter: to * 1000 });
      const read = x509.readCertificate(bytes);
      return (
        BigInt(`0x${read.serialNumber}`) === BigInt(`0x${hex(serial)}`) &&
        hex(read.subjectDer) === hex(subject) &&
        read.notBefore === from * 1000 &&
        read.notAfter === to * 1000
      );
    }),
    { numRuns: 200 },
  );
  t.pass();
});

test("serial numbers are 16 bytes, positive and never the same", (t) => {
  const serials = Array.from({ length: 1000 }, () => x509.randomSerial());
  t.true(serials.every((serial) => serial.length === 16 && serial[0]! >= 0x40 && serial[0]! <= 0x7f));
  t.is(new Set(serials.map(hex)).size, serials.length);
});

test("a certificate cut short is refused, one with a byte changed is refused or no longer verifies", (t) => {
  const { publicKey } = keyOf("p256");
  const bytes = made({ extensions: [x509.subjectAltName([{ dns: "a.plant" }])] });
  for (const cut of truncated(bytes))
    t.not(
      codeOf(() => x509.readCertificate(cut)),
      "accepted",
    );
  for (const mask of [0x01, 0x80, 0xff]) {
    for (const changed of flipped(bytes, mask)) {
      codeOf(() => {
        const { signed } = x509.readCertificate(changed);
        t.false(x509.verifySigned(signed, publicKey), changed.toString("hex"));
      });
    }
  }
});

const sized = (length: number): Buffer =>
  made({ extensions: [x509.makeExtension("1.2.3", Buffer.alloc(length), false)] });

test("16,384 bytes of certificate are read, one more is not", (t) => {
  // The signature's length varies by a byte or two.
  const base = sized(10_000).length - 10_000;
  const lengths = Array.from({ length: 12 }, (_, at) => sized(x509.MAX_CERTIFICATE_LENGTH - base - 6 + at));
  for (const bytes of lengths) {
    const code = codeOf(() => x509.readCertificate(bytes));
    t.is(code, bytes.length <= x509.MAX_CERTIFICATE_LENGTH ? "accepted" : "too-large");
  }
  const over = lengths.map(({ length }) => length - x509.MAX_CERTIFICATE_LENGTH);
  t.true(Math.min(...over) <= 0 && Math.max(...over) > 0);
});
