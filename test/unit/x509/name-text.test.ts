import test from "ava";
import * as fc from "fast-check";
import { readCertificate } from "../../../src/x509/certificate.ts";
import { nameText, whoText } from "../../../src/x509/name-text.ts";
import { certificate, der, ia5, name, oid, OID, seq, set, utf8 } from "./writer.ts";

const subjectOf = (subject: Buffer) => readCertificate(certificate({ subject })).subject;
const text = (subject: Buffer): string => nameText(subjectOf(subject));
const cn = (value: string): string => text(name([OID.cn, utf8(value)]));

test("names are shown as RFC 4514 has it, the innermost first", (t) => {
  t.is(
    text(name([OID.dc, ia5("net")], [OID.dc, ia5("example")], [OID.cn, utf8("alice")])),
    "CN=alice,DC=example,DC=net",
  );
  t.is(
    text(seq(set(seq(oid(OID.ou), utf8("Sales")), seq(oid(OID.cn), utf8("J.  Smith"))))),
    "OU=Sales+CN=J.  Smith",
  );
  t.is(text(seq()), "");
});

test("special characters are escaped (RFC 4514, sections 2.4 and 4)", (t) => {
  t.is(cn('James "Jim" Smith, III'), 'CN=James \\"Jim\\" Smith\\, III');
  t.is(cn("Before\rAfter"), "CN=Before\\0DAfter");
  t.is(cn("#hash"), "CN=\\#hash");
  t.is(cn("a#b"), "CN=a#b");
  t.is(cn(" a b "), "CN=\\ a b\\ ");
  t.is(cn(" "), "CN=\\ ");
  t.is(cn("a+b;c<d>e\\f"), "CN=a\\+b\\;c\\<d\\>e\\\\f");
  t.is(cn("a=b|c]"), "CN=a=b|c]");
  t.is(cn("Lučić"), "CN=Lučić");
  t.is(cn("a\0\u202eb"), "CN=a\\00\\E2\\80\\AEb");
});

test("types without a name and values without text are shown in hexadecimal", (t) => {
  t.is(text(name(["1.3.6.1.4.1.1466.0", der(0x04, Buffer.from("Hi"))])), "1.3.6.1.4.1.1466.0=#04024869");
  t.is(text(name([OID.o, der(0x14, Buffer.of(0xe4))])), "O=#1401E4");
});

test("255 characters are shown, of more the first 254 and a mark", (t) => {
  const fits = `CN=${"a".repeat(252)}`;
  t.is(cn("a".repeat(252)), fits);
  t.is(cn("a".repeat(253)), `${fits.slice(0, 254)}…`);
  const cut = cn(`${"a".repeat(250)}${"🛠".repeat(4)}`);
  t.true(cut.isWellFormed() && cut.length <= 255 && cut.endsWith("…"));
});

test("a message speaks of the common name, and of the whole name where there is none", (t) => {
  t.is(whoText(subjectOf(name([OID.o, utf8("Plant")], [OID.cn, utf8("alice")]))), "CN=alice");
  t.is(whoText(subjectOf(name([OID.o, utf8("Plant")]))), "O=Plant");
});

test("different common names are shown differently, and always printable", (t) => {
  const value = fc.string({ unit: "binary", maxLength: 40 });
  fc.assert(
    fc.property(value, value, (one, other) => {
      if (/[\p{Cc}\p{Cf}]/u.test(cn(one))) return false;
      return (cn(one) === cn(other)) === Buffer.from(one).equals(Buffer.from(other));
    }),
  );
  t.pass();
});
