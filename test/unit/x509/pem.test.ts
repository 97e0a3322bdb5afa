import test from "ava";
import { X509Certificate } from "node:crypto";
import * as fc from "fast-check";
import { certificatePem, pemToDer, toPem } from "../../../src/x509/index.ts";
import { codeOf, made } from "./made.ts";

const BLOCK = toPem(Buffer.alloc(3), "CERTIFICATE");

test("a certificate's PEM is the text that OpenSSL gives", (t) => {
  const bytes = made();
  t.is(certificatePem(bytes), new X509Certificate(bytes).toString());
});

test("any bytes go there and back", (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 4 }),
      (list) => {
        const text = list.map((bytes) => toPem(bytes, "X509 CRL")).join("");
        const read = pemToDer(text, "X509 CRL");
        return read.length === list.length && read.every((bytes, at) => bytes.equals(list[at]!));
      },
    ),
  );
  t.pass();
});

test("words around the blocks, and lines that end as on Windows, are passed over", (t) => {
  const text = `subject=CN = Root\n\n${BLOCK}\nand another\n${BLOCK.replaceAll("\n", "\r\n")}`;
  t.is(pemToDer(text).length, 2);
});

test("what is not PEM of that kind is refused", (t) => {
  const cases: readonly (readonly [text: string, code: string])[] = [
    ["", "pem-malformed"],
    ["words", "pem-malformed"],
    [toPem(Buffer.alloc(3), "PKCS7"), "pem-label"],
    [`${BLOCK}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`, "pem-label"],
    ["-----BEGIN CERTIFICATE-----\nAAAA\n", "pem-malformed"],
    ["AAAA\n-----END CERTIFICATE-----\n", "pem-malformed"],
    ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END X509 CRL-----\n", "pem-label"],
    [
      "-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      "pem-malformed",
    ],
    ["-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "pem-malformed"],
    ["-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n", "pem-malformed"],
    ["-----BEGIN CERTIFICATE-----\nAAAB====\n-----END CERTIFICATE-----\n", "pem-malformed"],
    ["-----BEGIN CERTIFICATE-----\nAA AA\n-----END CERTIFICATE-----\n", "pem-malformed"],
    ["-----BEGIN CERTIFICATE-----\nAAB=\n-----END CERTIFICATE-----\n", "pem-malformed"],
    [
      "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nAAAA\n-----END CERTIFICATE-----\n",
      "pem-malformed",
    ],
  ];
  for (const [text, code] of cases) {
    t.is(
      codeOf(() => pemToDer(text)),
      code,
      text,
    );
  }
});

test("256 blocks are taken, 257 are not; a text is taken at its limit, not one over", (t) => {
  t.is(pemToDer(BLOCK.repeat(256)).length, 256);
  t.is(
    codeOf(() => pemToDer(BLOCK.repeat(257))),
    "pem-too-large",
  );
  const limit = BLOCK.length + 10;
  t.is(pemToDer(`${BLOCK}${"\n".repeat(10)}`, "CERTIFICATE", limit).length, 1);
  t.is(
    codeOf(() => pemToDer(`${BLOCK}${"\n".repeat(11)}`, "CERTIFICATE", limit)),
    "pem-too-large",
  );
});
