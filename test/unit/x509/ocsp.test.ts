import test from "ava";
import { createHash } from "node:crypto";
import { BugError } from "../../../src/base/index.ts";
import * as x509 from "../../../src/x509/index.ts";
import { readCertId } from "../../../src/x509/ocsp.ts";
import { authority, codeOf, keyOf } from "./made.ts";
import { der, int, oid, seq } from "./writer.ts";

const issuer = authority(keyOf("p256").privateKey);
const subject: x509.OcspSubject = {
  issuerName: issuer.subjectDer,
  issuerKey: issuer.key.bytes,
  serialNumber: "ff01",
};
const hash = (name: string, bytes: Uint8Array): Buffer => der(0x04, createHash(name).update(bytes).digest());
const idOf = (name: string, type: string): Buffer =>
  seq(
    seq(oid(type), der(0x05)),
    hash(name, subject.issuerName),
    hash(name, subject.issuerKey),
    int(0, 0xff, 1),
  );

test("a request asks about one certificate, by SHA-1 unless said otherwise", (t) => {
  const sha1 = idOf("sha1", "1.3.14.3.2.26");
  const sha256 = idOf("sha256", "2.16.840.1.101.3.4.2.1");
  t.deepEqual(x509.makeOcspRequest(subject), seq(seq(seq(seq(sha1)))));
  t.deepEqual(x509.makeOcspRequest({ ...subject, hash: "sha256" }), seq(seq(seq(seq(sha256)))));
});

test("a nonce of 1 to 128 bytes goes along", (t) => {
  const nonce = Buffer.alloc(128, 5);
  const extension = seq(oid("1.3.6.1.5.5.7.48.1.2"), der(0x04, der(0x04, nonce)));
  const sha1 = idOf("sha1", "1.3.14.3.2.26");
  t.deepEqual(
    x509.makeOcspRequest({ ...subject, nonce }),
    seq(seq(seq(seq(sha1)), der(0xa2, seq(extension)))),
  );
  for (const length of [0, 129]) {
    t.throws(() => x509.makeOcspRequest({ ...subject, nonce: Buffer.alloc(length) }), {
      instanceOf: BugError,
    });
  }
  t.throws(() => x509.makeOcspRequest({ ...subject, serialNumber: "1" }), { instanceOf: BugError });
});

test("an id is a certificate's where issuer, key and serial number are, by any hash", (t) => {
  for (const [name, type] of [
    ["sha1", "1.3.14.3.2.26"],
    ["sha256", "2.16.840.1.101.3.4.2.1"],
    ["sha512", "2.16.840.1.101.3.4.2.3"],
  ] as const) {
    const id = readCertId(idOf(name, type));
    t.true(x509.isCertIdOf(id, subject));
    t.false(x509.isCertIdOf(id, { ...subject, serialNumber: "ff02" }));
    t.false(x509.isCertIdOf(id, { ...subject, issuerName: x509.makeName([]) }));
    t.false(x509.isCertIdOf(id, { ...subject, issuerKey: Buffer.of(1) }));
  }
  const md5 = readCertId(idOf("md5", "1.2.840.113549.2.5"));
  t.false(x509.isCertIdOf(md5, subject));
});

test("an id that is none is refused", (t) => {
  t.is(
    codeOf(() => readCertId(seq(seq(oid("1.3.14.3.2.26")), der(0x04), der(0x04), int(1), int(1)))),
    "trailing-bytes",
  );
  t.is(
    codeOf(() => readCertId(seq(seq(oid("1.3.14.3.2.26")), der(0x04), int(1)))),
    "der-tag",
  );
});
