import test from "ava";
import { generateKeyPairSync } from "node:crypto";
import * as fc from "fast-check";
import * as x509 from "../../../src/x509/index.ts";
import { authority, codeOf, DAY, flipped, issuerName, keyOf, keys, NOW, truncated } from "./made.ts";
import { bits, der, extension, ia5, int, oid, seq, time, TRUE } from "./writer.ts";

const { privateKey, publicKey } = keyOf("p256");
const issuer = authority(privateKey);
const keyId = x509.keyIdOf(x509.publicKeyInfoOf(publicKey));
const entry = (
  serialNumber: string,
  reason: x509.CrlReason = "unspecified",
  revokedAt = NOW,
): x509.RevokedSerial => ({
  serialNumber,
  revokedAt,
  reason,
});
const list = (parts: Partial<x509.CrlTemplate> = {}, key = privateKey): Buffer =>
  x509.makeCrl(
    {
      issuer: issuerName,
      thisUpdate: NOW,
      nextUpdate: NOW + DAY,
      number: 7n,
      entries: [],
      authorityKeyId: keyId,
      ...parts,
    },
    key,
  );
const entriesOf = (bytes: Uint8Array): x509.CrlEntry[] => [...x509.readCrl(bytes).entries()];
const code = (bytes: Uint8Array): string => codeOf(() => entriesOf(bytes));

const ALGORITHM = seq(oid("1.2.840.10045.4.3.2"));
/** Fields after the issuer's name, as they stand; version 2 unless said otherwise. */
const byHand = (fields: readonly Uint8Array[], version: readonly Uint8Array[] = [int(1)]): Buffer =>
  x509.signed(seq(...version, ALGORITHM, issuerName, ...fields), privateKey);
const withExtensions = (...extensions: readonly Uint8Array[]): Buffer =>
  byHand([time(NOW), time(NOW + DAY), der(0xa0, seq(...extensions))]);
const withEntries = (...entries: readonly Uint8Array[]): Buffer =>
  byHand([time(NOW), time(NOW + DAY), seq(...entries)]);
const point = (...fields: readonly Uint8Array[]): Buffer =>
  extension(x509.EXTENSION.issuingDistributionPoint, seq(...fields), true);

test("a list of each algorithm reads back as it was made, and verifies", (t) => {
  for (const [algorithm, pair] of keys) {
    const entries = [
      entry("01"),
      entry("ff00ab", "keyCompromise", NOW - DAY),
      entry("7f".repeat(16), "superseded"),
    ];
    const own = x509.keyIdOf(x509.publicKeyInfoOf(pair.publicKey));
    const read = x509.readCrl(list({ entries, authorityKeyId: own }, pair.privateKey));
    t.is(read.number, 7n);
    t.is(read.deltaBase, null);
    t.deepEqual([read.thisUpdate, read.nextUpdate], [NOW, NOW + DAY]);
    t.is(read.authorityKeyId, own.toString("hex"));
    t.is(read.issuingDistributionPoint, null);
    t.is(x509.nameText(read.issuer), "CN=Plant 7 issuing,O=Plant 7");
    t.deepEqual(
      [...read.entries()],
      entries.map((each) => ({ ...each, certificateIssuer: null })),
    );
    t.true(read.verify(authority(pair.privateKey)), algorithm);
  }
});

test("an empty list has no entries, and entries can be read twice", (t) => {
  t.deepEqual(entriesOf(list()), []);
  const read = x509.readCrl(list({ entries: [entry("05")] }));
  t.is([...read.entries()].length, 1);
  t.is([...read.entries()].length, 1);
});

test("any entries read back the same, with every reason", (t) => {
  const reason = fc.constantFrom(...x509.CRL_REASONS);
  const serial = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => {
    // As certificates' serial numbers are read: without leading zeros.
    const hex = Buffer.from(bytes)
      .toString("hex")
      .replace(/^(?:00)+(?=..)/, "");
    return hex;
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

test("a delta names its base, which is older than itself", (t) => {
  const delta = x509.readCrl(list({ number: 9n, delta: 7n, entries: [entry("05", "removeFromCRL")] }));
  t.is(delta.deltaBase, 7n);
  t.is(delta.number, 9n);
  t.is(code(list({ number: 7n, delta: 7n })), "crl-malformed");
  t.is(code(withExtensions(extension(x509.EXTENSION.deltaCrlIndicator, int(1), true))), "crl-malformed");
  t.throws(() => list({ entries: [entry("05", "removeFromCRL")] }), { code: "crl-reason" });
  t.throws(() => list({ entries: [entry("5")] }), { code: "serial-number" });
});

const numbered = (...bytes: readonly number[]): Buffer =>
  withExtensions(extension(x509.EXTENSION.crlNumber, int(...bytes)));

test("numbers of 20 bytes are read, of 21 not, and negative ones neither", (t) => {
  t.is(x509.readCrl(numbered(...Array<number>(20).fill(1))).number, BigInt(`0x${"01".repeat(20)}`));
  t.is(code(numbered(...Array<number>(21).fill(1))), "crl-malformed");
  t.is(code(numbered(0x80)), "crl-malformed");
});

test("only the issuer of that name and key verifies a list", (t) => {
  const read = x509.readCrl(list());
  t.true(read.verify(issuer));
  t.false(read.verify(authority(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey)));
  const renamed = { ...issuer, subjectDer: x509.makeName([["CN", "Plant 8 issuing"]]) };
  t.false(read.verify(renamed));
  t.false(
    x509.readCrl(list({ authorityKeyId: Buffer.alloc(20) })).verify(issuer),
    "another key's identifier",
  );
});

test("the issuer's certificate has to allow signing lists", (t) => {
  const read = x509.readCrl(list());
  const allowed = (...extensions: readonly Uint8Array[]): boolean =>
    read.verify(authority(privateKey, extensions));
  t.true(allowed(x509.keyUsage(["cRLSign"])));
  t.true(allowed(x509.basicConstraints({ ca: true })));
  t.false(allowed(x509.basicConstraints({ ca: true }), x509.keyUsage(["keyCertSign"])));
  t.false(allowed(x509.basicConstraints({ ca: false })));
  t.false(allowed());
  t.false(allowed(extension(x509.EXTENSION.keyUsage, int(1), true)), "a key usage that cannot be read");
});

test("a list cut short is refused, one with a byte changed is refused or no longer verifies", (t) => {
  const bytes = list({ entries: [entry("05", "keyCompromise"), entry("77")] });
  for (const cut of truncated(bytes)) t.is(code(cut), "crl-malformed", `${cut.length} bytes`);
  for (const mask of [0x01, 0x20, 0x80, 0xff]) {
    for (const changed of flipped(bytes, mask)) {
      const outcome = codeOf(() => t.false(x509.readCrl(changed).verify(issuer), changed.toString("hex")));
      t.regex(outcome, /^(?:accepted|crl-.*)$/);
      t.regex(code(changed), /^(?:accepted|crl-.*)$/);
    }
  }
});

test("any bytes are refused with words of a list", (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => code(bytes).startsWith("crl-")));
  t.pass();
});

test("version 1 lists, and ones without an end, are read as what they are", (t) => {
  const bare = x509.readCrl(byHand([time(NOW)], []));
  t.deepEqual([bare.number, bare.nextUpdate, bare.authorityKeyId], [null, null, null]);
  t.true(bare.verify(issuer));
  // Version 1 has no extensions, and there is no version 3.
  t.is(code(byHand([time(NOW), der(0xa0, seq())], [])), "crl-malformed");
  t.is(code(byHand([time(NOW)], [int(2)])), "crl-malformed");
  t.is(code(byHand([time(NOW)], [int(0)])), "crl-malformed");
});

test("two names for the signature's algorithm are refused", (t) => {
  const tbs = seq(int(1), seq(oid("1.2.840.10045.4.3.3")), issuerName, time(NOW));
  t.is(code(x509.signed(tbs, privateKey)), "crl-malformed");
});

const revokedWith = (...extensions: readonly Uint8Array[]): Buffer =>
  withEntries(seq(int(5), time(NOW), seq(...extensions)));

test("unknown critical extensions are refused, of the list and of an entry; others passed over", (t) => {
  t.is(code(withExtensions(extension("1.2.3", int(1)))), "accepted");
  t.is(code(withExtensions(extension("1.2.3", int(1), true))), "crl-critical-extension");
  t.is(code(withExtensions(extension("1.2.3", int(1)), extension("1.2.3", int(1)))), "crl-malformed");
  t.is(code(revokedWith(extension("1.2.3", int(1)))), "accepted");
  t.is(code(revokedWith(extension("1.2.3", int(1), true))), "crl-critical-extension");
  t.is(code(revokedWith(extension("2.5.29.24", time(NOW), true))), "accepted");
  t.is(code(revokedWith(extension("1.2.3", int(1)), extension("1.2.3", int(1)))), "crl-malformed");
});

test("a reason is one of RFC 5280's; without one it is unspecified", (t) => {
  const listed = (value: Uint8Array): Buffer =>
    withEntries(seq(int(5), time(NOW), seq(extension("2.5.29.21", value))));
  const reason = (number: number): unknown => entriesOf(listed(der(0x0a, Buffer.of(number))))[0]?.reason;
  t.is(reason(4), "superseded");
  t.is(reason(10), "aACompromise");
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

const scopeOf = (...fields: readonly Uint8Array[]): x509.IssuingDistributionPoint | null =>
  x509.readCrl(withExtensions(point(...fields))).issuingDistributionPoint;

const yes = (tag: number): Buffer => der(tag, Buffer.of(0xff));

test("the scope of a list is told: kinds of certificates, reasons, where it is to be had", (t) => {
  const none = { dns: [], ip: [], uri: [], email: [], others: 0 };
  const whole = {
    onlyUser: false,
    onlyCa: false,
    onlyAttribute: false,
    indirect: false,
    onlySomeReasons: false,
    names: none,
  };
  const uri = der(0xa0, der(0xa0, der(0x86, Buffer.from("http://a/b.crl"))));
  t.deepEqual(scopeOf(), whole);
  t.deepEqual(scopeOf(yes(0x81)), { ...whole, onlyUser: true });
  t.deepEqual(scopeOf(yes(0x82)), { ...whole, onlyCa: true });
  t.deepEqual(scopeOf(yes(0x85)), { ...whole, onlyAttribute: true });
  t.deepEqual(scopeOf(yes(0x84)), { ...whole, indirect: true });
  t.deepEqual(scopeOf(der(0x83, Buffer.of(6, 0x40))), { ...whole, onlySomeReasons: true });
  t.deepEqual(scopeOf(uri, yes(0x81)), {
    ...whole,
    onlyUser: true,
    names: { ...none, uri: ["http://a/b.crl"] },
  });
  t.deepEqual(scopeOf(der(0xa0, der(0xa1, seq()))), { ...whole, names: { ...none, others: 1 } });
  for (const bad of [
    point(yes(0x81), yes(0x82)),
    point(yes(0x82), uri),
    point(der(0x81, Buffer.of(1))),
    point(der(0x83, Buffer.of(9))),
    point(der(0xa0, der(0xa2))),
    point(TRUE),
    extension(x509.EXTENSION.issuingDistributionPoint, bits(0, Buffer.of(1)), true),
  ]) {
    t.is(code(withExtensions(bad)), "crl-malformed", bad.toString("hex"));
  }
});

const issuedBy = (...names: readonly Uint8Array[]): Buffer => extension("2.5.29.29", seq(...names), true);

const revoked = (serial: number, ...extensions: readonly Uint8Array[]): Buffer =>
  seq(int(serial), time(NOW), ...(extensions.length === 0 ? [] : [seq(...extensions)]));

test("in an indirect list an entry has the issuer of the one before it, and in no other list", (t) => {
  const other = x509.makeName([["CN", "Contractors"]]);
  const entries = seq(revoked(1), revoked(2, issuedBy(der(0xa4, other))), revoked(3));
  const indirect = der(0xa0, seq(point(der(0x84, Buffer.of(0xff)))));
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

test("64 MiB of list are looked at, one byte more is not", (t) => {
  const bytes = Buffer.alloc(x509.MAX_CRL_LENGTH + 1);
  t.is(code(bytes.subarray(0, x509.MAX_CRL_LENGTH)), "crl-malformed");
  t.is(code(bytes), "crl-too-large");
});
