import test from "ava";
import * as fc from "fast-check";
import {
  der as write,
  makeCertsOnly,
  MAX_CERTS_ONLY_LENGTH,
  readCertsOnly,
} from "../../../src/x509/index.ts";
import { codeOf, flipped, made, truncated } from "./made.ts";
import { der, int, oid, seq, set } from "./writer.ts";

const SIGNED_DATA = oid("1.2.840.113549.1.7.2");
const DATA = oid("1.2.840.113549.1.7.1");
const message = (...fields: readonly Uint8Array[]): Buffer => seq(SIGNED_DATA, der(0xa0, seq(...fields)));
const code = (bytes: Uint8Array): string => codeOf(() => readCertsOnly(bytes));

test("certificates come out as they went in, in their order, and none of none", (t) => {
  const certificates = [made(), made(), made()];
  t.deepEqual(readCertsOnly(makeCertsOnly(certificates)), certificates);
  t.deepEqual(readCertsOnly(makeCertsOnly([])), []);
});

test("the message is the degenerate one of RFC 5652, byte by byte", (t) => {
  t.is(
    makeCertsOnly([Buffer.from("3000", "hex")]).toString("hex"),
    seq(SIGNED_DATA, der(0xa0, seq(int(1), set(), seq(DATA), der(0xa0, seq()), set()))).toString("hex"),
  );
});

test("a message cut short is refused, one with a byte changed is refused or reads as different", (t) => {
  const certificates = [made()];
  const bytes = makeCertsOnly(certificates);
  for (const cut of truncated(bytes)) t.is(code(cut), "certs-only-malformed");
  for (const mask of [0x01, 0x80, 0xff]) {
    for (const changed of flipped(bytes, mask)) {
      const outcome = codeOf(() =>
        t.notDeepEqual(readCertsOnly(changed), certificates, changed.toString("hex")),
      );
      t.regex(outcome, /^(?:accepted|certs-only-malformed)$/);
    }
  }
});

test("any bytes are refused", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => code(bytes) === "certs-only-malformed"),
  );
  t.pass();
});

test("revocation lists that come along are passed over; signers, digests and other content are refused", (t) => {
  const [version, inner, list] = [int(1), seq(DATA), der(0xa1, seq())];
  t.is(code(message(version, set(), inner, list, set())), "accepted");
  t.is(code(message(int(3), set(), inner, set())), "certs-only-malformed");
  t.is(code(message(version, set(seq()), inner, set())), "certs-only-malformed");
  t.is(code(message(version, set(), inner, set(seq()))), "certs-only-malformed");
  t.is(code(message(version, set(), seq(DATA, der(0xa0, der(0x04))), set())), "certs-only-malformed");
  t.is(code(message(version, set(), seq(SIGNED_DATA), set())), "certs-only-malformed");
  t.is(code(message(version, set(), inner, set(), set())), "certs-only-malformed");
  t.is(code(message(version, set(), inner, der(0xa0, der(0xa1)), set())), "certs-only-malformed");
  t.is(code(seq(DATA, der(0xa0, seq()))), "certs-only-malformed");
});

const many = (count: number): Buffer => makeCertsOnly(Array<Buffer>(count).fill(seq()));

const sized = (length: number): Buffer => makeCertsOnly([write.sequence(Buffer.alloc(length))]);

test("64 certificates are taken, 65 not; a megabyte at most", (t) => {
  t.is(readCertsOnly(many(64)).length, 64);
  t.is(code(many(65)), "certs-only-malformed");
  const base = sized(1_000_000).length - 1_000_000;
  t.is(code(sized(MAX_CERTS_ONLY_LENGTH - base)), "accepted");
  t.is(code(sized(MAX_CERTS_ONLY_LENGTH - base + 1)), "certs-only-too-large");
});
