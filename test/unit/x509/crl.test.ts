import test from "ava";
import { generateKeyPairSync } from "node:crypto";
import * as fc from "fast-check";
import * as x509 from "../../../src/x509/index.ts";
import {
  byHand,
  code,
  entriesOf,
  entry,
  issuer,
  list,
  privateKey,
  withEntries,
  withExtensions,
} from "./lists.ts";
import { authority, codeOf, DAY, flipped, issuerName, keys, NOW, truncated } from "./made.ts";
import { der, extension, int, oid, seq, time } from "./writer.ts";

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

test("64 MiB of list are looked at, one byte more is not", (t) => {
  const bytes = Buffer.alloc(x509.MAX_CRL_LENGTH + 1);
  t.is(code(bytes.subarray(0, x509.MAX_CRL_LENGTH)), "crl-malformed");
  t.is(code(bytes), "crl-too-large");
});
