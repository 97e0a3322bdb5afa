import test from "ava";
import * as fc from "fast-check";
import * as x509 from "../../../src/x509/index.ts";
import { byHand, code, entriesOf, list, withEntries } from "./lists.ts";
import { codeOf, DAY, NOW } from "./made.ts";
import { der, extension, ia5, int, seq, time } from "./writer.ts";

test("any entries read back the same, with every reason", (t) => {
  const reason = fc.constantFrom(...x509.CRL_REASONS);
  const serial = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => {
    // As certificates' serial numbers are read: without leading zeros.
    const hex = Buffer.from(bytes).toString("hex");
    return hex.replace(/^(?:00)+(?=..)/, "");
  });
  const revokedAt = fc.integer({ min: 0, max: 253_402_300_799 }).map((seconds) => seconds * 1000);
  const entries = fc.array(fc.record({ serialNumber: serial, revokedAt, reason }), { maxLength: 20 });
  fc.assert(
    fc.property(entries, (given) => {
      const read = entriesOf(list({ entries: given, number: 9n, delta: 7n }));
      const kept = read.map(({ serialNumber, revokedAt: at, reason: why }) => ({
        serialNumber,
        revokedAt: at,
        reason: why,
      }));
      return JSON.stringify(kept) === JSON.stringify(given);
    }),
    { numRuns: 100 },
  );
  t.deepEqual(x509.CRL_REASONS.map(x509.crlReasonNumber), [0, 1, 2, 3, 4, 5, 6, 8, 9, 10]);
});

const listed = (value: Uint8Array): Buffer =>
  withEntries(seq(int(5), time(NOW), seq(extension("2.5.29.21", value))));

const reasonOf = (number: number): unknown => entriesOf(listed(der(0x0a, Buffer.of(number))))[0]?.reason;

test("a reason is one of RFC 5280's; without one it is unspecified", (t) => {
  t.is(reasonOf(4), "superseded");
  t.is(reasonOf(10), "aACompromise");
  for (const bad of [
    der(0x0a, Buffer.of(7)),
    der(0x0a, Buffer.of(11)),
    der(0x0a, Buffer.of(0, 1)),
    der(0x0a),
    int(1),
  ]) {
    t.is(code(listed(bad)), "crl-malformed", bad.toString("hex"));
  }
  t.is(entriesOf(withEntries(seq(int(5), time(NOW))))[0]?.reason, "unspecified");
});

test("entries that are none are refused where they stand", (t) => {
  const good = seq(int(5), time(NOW));
  for (const bad of [
    seq(),
    seq(int(5)),
    seq(time(NOW), int(5)),
    seq(int(0x80), time(NOW)),
    seq(int(...Array<number>(22).fill(1)), time(NOW)),
    seq(int(5), ia5("260301120000Z")),
    seq(int(5), time(NOW), seq(), int(1)),
    int(5),
  ]) {
    const read = x509.readCrl(withEntries(good, bad)).entries()[Symbol.iterator]();
    t.is(read.next().value?.serialNumber, "05");
    t.is(
      codeOf(() => read.next()),
      "crl-malformed",
      bad.toString("hex"),
    );
  }
});

const issuedBy = (...names: readonly Uint8Array[]): Buffer => extension("2.5.29.29", seq(...names), true);

const revoked = (serial: number, ...extensions: readonly Uint8Array[]): Buffer =>
  seq(int(serial), time(NOW), ...(extensions.length === 0 ? [] : [seq(...extensions)]));

test("in an indirect list an entry has the issuer of the one before it, and in no other list", (t) => {
  const other = x509.makeName([["CN", "Contractors"]]);
  const entries = seq(revoked(1), revoked(2, issuedBy(der(0xa4, other))), revoked(3));
  const scope = seq(der(0x84, Buffer.of(0xff)));
  const indirect = der(0xa0, seq(extension(x509.EXTENSION.issuingDistributionPoint, scope, true)));
  const read = entriesOf(byHand([time(NOW), time(NOW + DAY), entries, indirect]));
  t.deepEqual(
    read.map(({ certificateIssuer }) => (certificateIssuer === null ? null : Buffer.from(certificateIssuer))),
    [null, other, other],
  );
  t.is(code(byHand([time(NOW), time(NOW + DAY), entries])), "crl-malformed");
  for (const bad of [
    issuedBy(),
    issuedBy(der(0x82, Buffer.from("a"))),
    issuedBy(der(0xa4, other), der(0xa4, other)),
  ]) {
    t.is(code(byHand([time(NOW), time(NOW + DAY), seq(revoked(2, bad)), indirect])), "crl-malformed");
  }
});
