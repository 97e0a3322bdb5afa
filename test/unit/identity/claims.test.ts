import test from "ava";
import { isRefusal, readIdentity, type Identity, type Refusal } from "../../../src/identity/index.ts";
import {
  alternativeNames,
  certificate,
  der,
  extension,
  ia5,
  name,
  NOW,
  OID,
  printable,
  role,
  seq,
  set,
  oid,
  utf8,
  type Parts,
} from "../x509/writer.ts";

const read = (parts: Parts): Identity | Refusal =>
  readIdentity({ leaf: certificate(parts), authorized: true, authorizationError: null }, NOW);
const codeOf = (parts: Parts): string => {
  const outcome = read(parts);
  return isRefusal(outcome) ? outcome.code : "accepted";
};
/** The claims of certificates that are to be accepted; the refusal's reason otherwise. */
const claims = (parts: Parts): Partial<Identity> | string => {
  const outcome = read(parts);
  if (isRefusal(outcome)) return outcome.reason;
  const { user, groups, device, tier } = outcome;
  return { user, groups, device, tier, role: outcome.role };
};
const bare = { user: "alice", groups: [], device: null, tier: null, role: null };
const named = (...names: readonly string[]): Parts => ({ more: [alternativeNames(...names)] });
const cn = (value: Buffer): Parts => ({ subject: name([OID.cn, value]) });

const deviceOf = (...names: readonly string[]): unknown => {
  const outcome = read(named(...names));
  return isRefusal(outcome) ? outcome.code : outcome.device;
};

test("a certificate without groups, device, tier and role claims none", (t) => {
  t.deepEqual(claims({}), bare);
});

test("the user is the one common name", (t) => {
  t.is(codeOf({ subject: name([OID.o, utf8("Plant")]) }), "no-name");
  t.is(codeOf({ subject: seq() }), "no-name");
  t.is(codeOf({ subject: name([OID.cn, utf8("alice")], [OID.cn, utf8("alice")]) }), "name-twice");
  const together = seq(set(seq(oid(OID.ou), utf8("m")), seq(oid(OID.cn), utf8("alice"))));
  t.deepEqual(claims({ subject: together }), { ...bare, groups: ["m"] });
});

test("separators of other formats are letters like any other and come out exactly", (t) => {
  for (const text of [
    "a|b",
    "a=b",
    "a]b",
    "a,b",
    'a"b',
    "a+b",
    "a/b",
    "a\\b",
    "a;b",
    "#a",
    "CN=root",
    "Jürgen",
    "管理者",
    "🛠",
  ]) {
    t.deepEqual(claims(cn(utf8(text))), { ...bare, user: text });
  }
});

test("names that cannot be seen, compared or told apart are refused", (t) => {
  const blank = ["", " ", " alice", "alice ", "alice\u00a0"];
  const controls = ["a\rb", "a\nb", "a\0b", "a\tb", "a\x7fb", "a\u0085b", "a\u009bb", "a\u2028b"];
  const invisible = ["a\u202eb", "a\u2066b", "a\u200bb", "a\u200db", "\ufeffalice", "a\u00adb", "a\u3164b"];
  const decomposed = "Ju\u0308rgen";
  for (const text of [...blank, ...controls, ...invisible, decomposed]) {
    t.is(codeOf(cn(utf8(text))), "bad-name", JSON.stringify(text));
    t.is(
      codeOf({ subject: name([OID.cn, utf8("alice")], [OID.ou, utf8(text)]) }),
      "bad-name",
      JSON.stringify(text),
    );
    t.is(codeOf({ more: [role(text)] }), "bad-role", JSON.stringify(text));
    const encoded = encodeURIComponent(text);
    t.regex(codeOf(named(`urn:niac:group:${encoded}`)), /^(?:bad-name|unknown-claim)$/, JSON.stringify(text));
  }
});

test("255 characters are taken, 256 are not", (t) => {
  t.deepEqual(claims(cn(utf8("é".repeat(255)))), { ...bare, user: "é".repeat(255) });
  t.is(codeOf(cn(utf8("a".repeat(256)))), "bad-name");
  t.deepEqual(claims({ more: [role("r".repeat(255))] }), { ...bare, role: "r".repeat(255) });
  t.is(codeOf({ more: [role("r".repeat(256))] }), "bad-role");
});

test("names are UTF8String or PrintableString; other encodings are refused", (t) => {
  t.deepEqual(claims(cn(printable("alice (laptop 7)"))), { ...bare, user: "alice (laptop 7)" });
  const bad = {
    at: printable("alice@plant"),
    latin: printable("J\u00fcrgen"),
    ia5: ia5("alice"),
    bmp: der(0x1e, Buffer.from("0061006c", "hex")),
    t61: der(0x14, Buffer.from("alice")),
    universal: der(0x1c, Buffer.from("00000061", "hex")),
    numeric: der(0x12, Buffer.from("123")),
    overlong: der(0x0c, Buffer.from("c1a1", "hex")),
    surrogate: der(0x0c, Buffer.from("eda080", "hex")),
    cut: der(0x0c, Buffer.from("61c3", "hex")),
    constructed: der(0x2c, utf8("alice")),
  };
  for (const [label, value] of Object.entries(bad)) t.is(codeOf(cn(value)), "name-encoding", label);
  // What niac does not read may be in any encoding.
  t.is(codeOf({ subject: name([OID.o, der(0x14, Buffer.of(0xff))], [OID.cn, utf8("alice")]) }), "accepted");
});

test("groups are every OU and group URI, sorted and without doubles", (t) => {
  t.deepEqual(
    claims({
      subject: name([OID.ou, utf8("b")], [OID.ou, utf8("a")], [OID.ou, utf8("b")], [OID.cn, utf8("alice")]),
      more: [
        alternativeNames("urn:niac:group:a", "urn:niac:group:line%204", "urn:niac:group:%C3%BC%7C,%5D="),
      ],
    }),
    { ...bare, groups: ["a", "b", "line 4", "ü|,]="] },
  );
});

test("64 groups are taken, 65 are not", (t) => {
  const groups = Array.from({ length: 65 }, (_, index) => `urn:niac:group:g${index}`);
  t.is(codeOf(named(...groups.slice(1))), "accepted");
  t.is(codeOf(named(...groups)), "too-many-groups");
});

test("the device is its URI, else the one DNS name; a wildcard and two names are none", (t) => {
  t.is(deviceOf("urn:niac:device:laptop-7"), "laptop-7");
  t.is(deviceOf("URN:NIAC:device:Laptop-7"), "Laptop-7");
  t.is(deviceOf("urn:niac:device:rack%3A7:a/b"), "rack:7:a/b");
  t.is(deviceOf("DNS:Laptop-7.plant"), "Laptop-7.plant");
  t.is(deviceOf("DNS:a.plant", "urn:niac:device:b"), "b");
  t.is(deviceOf("DNS:a.plant", "DNS:b.plant"), null);
  t.is(deviceOf("DNS:a.plant", "DNS:b.plant", "urn:niac:device:c"), "c");
  t.is(deviceOf("DNS:*.plant"), null);
  t.is(deviceOf("https://plant/alice", "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), null);
  t.is(deviceOf("urn:niac:device:a", "urn:niac:device:b"), "device-twice");
  t.is(deviceOf("urn:niac:device:a", "urn:niac:device:a"), "device-twice");
  t.is(deviceOf("DNS:lap top"), "bad-name");
  t.is(deviceOf("DNS:a\nb"), "bad-name");
  t.is(deviceOf("DNS:"), "bad-name");
  t.is(deviceOf("DNS:ä.plant"), "name-encoding");
});

test("the tier is one URI at most", (t) => {
  t.deepEqual(claims(named("urn:niac:tier:gold")), { ...bare, tier: "gold" });
  t.is(codeOf(named("urn:niac:tier:gold", "urn:niac:tier:silver")), "tier-twice");
});

test("a urn:niac: name that is mistyped or encoded wrong is refused, not passed over", (t) => {
  const bad = [
    "urn:niac:devise:a",
    "urn:niac:Device:a",
    "urn:niac:tenant:acme",
    "urn:niac:",
    "urn:niac:device",
    "urn:niac::a",
  ];
  const encoded = ["", "%", "%4", "%zz", "a b", "a?b", "a#b", "%ff", "%c3", "a\nb", "%C0%80"];
  for (const uri of [...bad, ...encoded.map((text) => `urn:niac:device:${text}`)]) {
    t.is(codeOf(named(uri)), "unknown-claim", uri);
  }
});

test("other kinds of alternative names are passed over, broken ones refused", (t) => {
  const names = (...parts: readonly Buffer[]): string =>
    codeOf({ more: [extension(OID.san, seq(...parts))] });
  const email = der(0x81, Buffer.from("alice@plant"));
  t.is(
    names(email, der(0x87, Buffer.of(10, 0, 0, 1)), der(0xa0, oid("1.2.3"), der(0xa0, utf8("upn")))),
    "accepted",
  );
  t.is(names(der(0x89, Buffer.of())), "name-encoding");
  t.is(names(der(0x0c, Buffer.from("x"))), "name-encoding");
  t.is(
    codeOf({ more: [extension(OID.san, Buffer.concat([seq(email), Buffer.of(0)]))] }),
    "malformed-certificate",
  );
  t.is(codeOf({ more: [extension(OID.san, Buffer.of())] }), "malformed-certificate");
});

test("the role is one UTF8String, whole and exact", (t) => {
  const roleOf = (value: Buffer): string => codeOf({ more: [extension(OID.role, value)] });
  t.deepEqual(claims({ more: [role("Operator, Engineer|Admin")] }), {
    ...bare,
    role: "Operator, Engineer|Admin",
  });
  t.is(roleOf(printable("Operator")), "role-encoding");
  t.is(roleOf(ia5("Operator")), "role-encoding");
  t.is(roleOf(Buffer.from("Operator")), "role-encoding");
  t.is(roleOf(Buffer.of()), "role-encoding");
  t.is(roleOf(seq(utf8("Operator"))), "role-encoding");
  t.is(roleOf(Buffer.concat([utf8("Operator"), Buffer.of(0)])), "role-encoding");
  t.is(roleOf(Buffer.concat([utf8("Operator"), utf8("Admin")])), "role-encoding");
  t.is(roleOf(der(0x0c, Buffer.of(0xff))), "role-encoding");
  t.is(roleOf(utf8("")), "bad-role");
  t.is(codeOf({ more: [role("Operator"), role("Viewer")] }), "role-twice");
  t.is(codeOf({ more: [role("Operator"), role("Operator")] }), "role-twice");
});
