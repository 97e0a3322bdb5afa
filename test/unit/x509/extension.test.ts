import test from "ava";
import { BugError } from "../../../src/base/index.ts";
import * as x509 from "../../../src/x509/index.ts";
import { EXTENSION, type Extended } from "../../../src/x509/index.ts";
import { codeOf, keyOf } from "./made.ts";
import { der, extension, int, oid, seq } from "./writer.ts";

const spki = x509.publicKeyInfoOf(keyOf("p256").publicKey);
const extended = (...list: readonly Uint8Array[]): Extended => ({
  extensions: x509.readExtensions(seq(...list), "x"),
});
/** Criticality and value, as hexadecimal. */
const shown = (bytes: Uint8Array): readonly [boolean, string] => {
  const [first] = extended(bytes).extensions;
  return [first?.critical ?? false, Buffer.from(first?.value ?? []).toString("hex")];
};

test("constraints of an authority: the path length where there is one, and critical", (t) => {
  t.deepEqual(shown(x509.basicConstraints({ ca: false })), [true, "3000"]);
  t.deepEqual(shown(x509.basicConstraints({ ca: true })), [true, "30030101ff"]);
  t.deepEqual(shown(x509.basicConstraints({ ca: true, pathLength: 0 })), [true, "30060101ff020100"]);
  t.throws(() => x509.basicConstraints({ ca: false, pathLength: 0 }), { instanceOf: BugError });
  t.true(x509.isAuthority(extended(x509.basicConstraints({ ca: true, pathLength: 1 }))));
  t.false(x509.isAuthority(extended(x509.basicConstraints({ ca: false }))));
  t.false(x509.isAuthority(extended()));
});

test("key usages are bits from the left, trailing zeros cut, and read back", (t) => {
  t.deepEqual(shown(x509.keyUsage(["digitalSignature"])), [true, "03020780"]);
  t.deepEqual(shown(x509.keyUsage(["cRLSign", "keyCertSign"])), [true, "03020106"]);
  t.deepEqual(shown(x509.keyUsage(["decipherOnly"])), [true, "0303070080"]);
  for (const usage of x509.KEY_USAGES)
    t.deepEqual(x509.keyUsagesOf(extended(x509.keyUsage([usage]))), [usage]);
  t.deepEqual(x509.keyUsagesOf(extended(x509.keyUsage(x509.KEY_USAGES))), x509.KEY_USAGES);
  t.is(x509.keyUsagesOf(extended()), null);
  t.throws(() => x509.keyUsage([]), { instanceOf: BugError });
});

test("purposes by name or object identifier", (t) => {
  const purposes = x509.extendedKeyUsage(["clientAuth", "serverAuth", "ocspSigning", "1.2.3"]);
  t.false(shown(purposes)[0]);
  t.deepEqual(x509.purposesOf(extended(purposes)), [
    "1.3.6.1.5.5.7.3.2",
    "1.3.6.1.5.5.7.3.1",
    "1.3.6.1.5.5.7.3.9",
    "1.2.3",
  ]);
  t.is(
    codeOf(() => x509.extendedKeyUsage(["clientauth"])),
    "oid",
  );
  t.throws(() => x509.extendedKeyUsage([]), { instanceOf: BugError });
});

test("alternative names are critical exactly where the subject is empty", (t) => {
  t.false(shown(x509.subjectAltName([{ dns: "a" }]))[0]);
  t.true(shown(x509.subjectAltName([{ dns: "a" }], true))[0]);
  t.throws(() => x509.subjectAltName([]), { instanceOf: BugError });
  const names = [{ dns: "a.plant" }, { ip: "::1" }, { uri: "urn:x:y" }, { email: "a@b" }] as const;
  t.deepEqual(x509.readSubjectAltName(extended(x509.subjectAltName(names))), {
    dns: ["a.plant"],
    ip: ["::1"],
    uri: ["urn:x:y"],
    email: ["a@b"],
    others: 0,
  });
  t.deepEqual(x509.readSubjectAltName(extended()), { dns: [], ip: [], uri: [], email: [], others: 0 });
});

test("key identifiers: 160 bits of the key's SHA-256, the same on both ends", (t) => {
  const id = x509.keyIdOf(spki);
  t.is(id.length, 20);
  const both = extended(x509.subjectKeyIdentifier(spki), x509.authorityKeyIdentifier(id));
  t.is(x509.readSubjectKeyIdentifier(both), id.toString("hex"));
  t.is(x509.readAuthorityKeyIdentifier(both), id.toString("hex"));
  t.is(x509.readSubjectKeyIdentifier(extended()), null);
  t.is(x509.readAuthorityKeyIdentifier(extended()), null);
});

const withAuthorityKey = (...fields: readonly Uint8Array[]): Extended =>
  extended(extension(EXTENSION.authorityKeyIdentifier, seq(...fields)));

test("an authority's key identifier may name its issuer and serial number, both or neither", (t) => {
  const [key, issuer, serial] = [
    der(0x80, Buffer.of(1, 2)),
    der(0xa1, der(0x82, Buffer.from("a"))),
    der(0x82, Buffer.of(5)),
  ];
  t.is(x509.readAuthorityKeyIdentifier(withAuthorityKey(key, issuer, serial)), "0102");
  t.is(x509.readAuthorityKeyIdentifier(withAuthorityKey(issuer, serial)), null);
  t.is(
    codeOf(() => x509.readAuthorityKeyIdentifier(withAuthorityKey(key, issuer))),
    "key-identifier",
  );
  t.is(
    codeOf(() => x509.readAuthorityKeyIdentifier(withAuthorityKey(serial, key))),
    "trailing-bytes",
  );
});

test("name constraints: names, blocks with their masks, directory names, and critical", (t) => {
  const subject = x509.makeName([["O", "Plant 7"]]);
  const all = x509.nameConstraints({
    permitted: { dns: ["plant.example"], ip: ["10.0.0.0/8", "2001:db8::/33"], directory: [subject] },
    excluded: { uri: ["bad.example"], ip: ["0.0.0.0/0"] },
  });
  const block6 = Buffer.concat([
    Buffer.from("20010db8", "hex"),
    Buffer.alloc(12),
    Buffer.from("ffffffff80", "hex"),
    Buffer.alloc(11),
  ]);
  const expected = seq(
    der(
      0xa0,
      seq(der(0x82, Buffer.from("plant.example"))),
      seq(der(0x87, Buffer.from("0a000000ff000000", "hex"))),
      seq(der(0x87, block6)),
      seq(der(0xa4, subject)),
    ),
    der(0xa1, seq(der(0x86, Buffer.from("bad.example"))), seq(der(0x87, Buffer.alloc(8)))),
  );
  t.deepEqual(shown(all), [true, expected.toString("hex")]);
  for (const block of [
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0.1/8",
    "10.0.0.0/",
    "10.0.0.0/-1",
    "::/129",
    "10.0.0.0/8/8x",
  ]) {
    t.is(
      codeOf(() => x509.nameConstraints({ permitted: { ip: [block] } })),
      "ip-block",
      block,
    );
  }
  t.throws(() => x509.nameConstraints({ permitted: { dns: [] } }), { instanceOf: BugError });
});

test("where lists and answers are to be had, and the role, are not critical", (t) => {
  const uri = der(0x86, Buffer.from("http://a/"));
  t.deepEqual(shown(x509.crlDistributionPoints(["http://a/"])), [
    false,
    seq(seq(der(0xa0, der(0xa0, uri)))).toString("hex"),
  ]);
  t.deepEqual(shown(x509.authorityInformationAccess({ ocsp: ["http://a/"], caIssuers: ["http://a/"] })), [
    false,
    seq(seq(oid("1.3.6.1.5.5.7.48.1"), uri), seq(oid("1.3.6.1.5.5.7.48.2"), uri)).toString("hex"),
  ]);
  t.deepEqual(shown(x509.modbusRole("Operator")), [false, "0c084f70657261746f72"]);
  t.throws(() => x509.authorityInformationAccess({}), { instanceOf: BugError });
  t.throws(() => x509.crlDistributionPoints([]), { instanceOf: BugError });
});

test("an extension that stands there twice is found", (t) => {
  const one = extension("1.2.3", int(1));
  t.is(x509.doubled(extended(one, extension("1.2.4", int(1))).extensions), null);
  t.is(x509.doubled(extended(one, extension("1.2.4", int(1)), one).extensions), "1.2.3");
});
