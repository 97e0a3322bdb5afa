import test from "ava";
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import * as fc from "fast-check";
import * as x509 from "../../../src/x509/index.ts";
import { requestInfo } from "../../../src/x509/request-maker.ts";
import { codeOf, flipped, keyOf, keys, rsa2048, truncated } from "./made.ts";
import { bits, der, extension, ia5, int, oid, seq, set, utf8 } from "./writer.ts";

const subject = x509.makeName([
  ["O", "Plant 7"],
  ["CN", "alice"],
]);
const names = [{ dns: "laptop-7.plant" }, { uri: "urn:niac:device:laptop-7" }] as const;
const { privateKey, publicKey } = keyOf("p256");
const spki = x509.publicKeyInfoOf(publicKey);
const usual = x509.makeRequest({ subject, altNames: names, challengePassword: "code" }, keyOf("p256"));

const CHALLENGE = "1.2.840.113549.1.9.7";
const EXTENSIONS = "1.2.840.113549.1.9.14";
const attribute = (type: string, ...values: readonly Uint8Array[]): Buffer => seq(oid(type), set(...values));
/** Signed by the key, whatever it says. */
const withAttributes = (...attributes: readonly Uint8Array[]): Buffer =>
  x509.signed(seq(int(0), subject, spki, der(0xa0, ...attributes)), privateKey);
const code = (bytes: Uint8Array): string => codeOf(() => x509.readRequest(bytes));
const RSA_SHA256 = seq(oid("1.2.840.113549.1.1.11"), der(0x05));
const rsaRequest = (key: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }): Buffer => {
  const info = requestInfo({ subject }, x509.publicKeyInfoOf(key.publicKey));
  return seq(info, RSA_SHA256, bits(0, sign("sha256", info, key.privateKey)));
};

test("a request of each algorithm reads back as it was made", (t) => {
  for (const [algorithm, pair] of keys) {
    const read = x509.readRequest(
      x509.makeRequest({ subject, altNames: names, challengePassword: "a code" }, pair),
    );
    t.is(read.keyAlgorithm, algorithm);
    t.is(read.rsaBits, null);
    t.is(x509.nameText(read.subject), "CN=alice,O=Plant 7");
    t.deepEqual(Buffer.from(read.subjectDer), subject);
    t.deepEqual(Buffer.from(read.publicKeyInfo), x509.publicKeyInfoOf(pair.publicKey));
    t.deepEqual(read.altNames, {
      dns: ["laptop-7.plant"],
      ip: [],
      uri: ["urn:niac:device:laptop-7"],
      email: [],
      others: 0,
    });
    t.is(read.challengePassword, "a code");
    t.deepEqual(
      read.extensionRequests.map((each) => each.oid),
      [x509.EXTENSION.subjectAltName],
    );
    t.deepEqual(read.attributes.map((each) => each.oid).toSorted(), [EXTENSIONS, CHALLENGE].toSorted());
  }
});

test("a request that asks for nothing has no names, no password and no attributes", (t) => {
  const read = x509.readRequest(x509.makeRequest({ subject: x509.makeName([]) }, keyOf("p256")));
  t.deepEqual(read.subject, []);
  t.deepEqual(read.attributes, []);
  t.deepEqual(read.extensionRequests, []);
  t.is(read.challengePassword, null);
  t.is(read.altNames.dns.length, 0);
});

test("what a request of any names says is read back the same", (t) => {
  const host = fc.stringMatching(/^[a-z0-9.-]{1,40}$/);
  const password = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      fc.array(host, { maxLength: 5 }),
      fc.array(fc.ipV4(), { maxLength: 3 }),
      password,
      (dns, ip, challengePassword) => {
        const altNames = [...dns.map((each) => ({ dns: each })), ...ip.map((each) => ({ ip: each }))];
        const read = x509.readRequest(
          x509.makeRequest({ subject, altNames, challengePassword }, keyOf("p256")),
        );
        return (
          read.altNames.dns.join() === dns.join() &&
          read.altNames.ip.join() === ip.join() &&
          read.challengePassword === challengePassword
        );
      },
    ),
    { numRuns: 100 },
  );
  t.pass();
});

test("a request cut short anywhere is refused", (t) => {
  for (const cut of truncated(usual)) t.is(code(cut), "request-malformed", `${cut.length} bytes`);
});

test("a request with any byte changed is refused", (t) => {
  for (const mask of [0x01, 0x20, 0x80, 0xff]) {
    for (const changed of flipped(usual, mask)) {
      t.regex(code(changed), /^request-/, changed.toString("hex"));
    }
  }
});

test("any bytes are refused with words of a request", (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => code(bytes).startsWith("request-")));
  t.pass();
});

test("a request signed with another key proves nothing", (t) => {
  const info = requestInfo({ subject }, spki);
  t.is(code(x509.signed(info, keyOf("p384").privateKey)), "request-signature");
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  t.is(code(x509.signed(info, other.privateKey)), "request-signature");
  t.is(code(x509.signed(info, privateKey)), "accepted");
});

test("a request signed with SHA-1 proves nothing", (t) => {
  const info = requestInfo({ subject }, spki);
  const signature = bits(0, sign("sha1", info, privateKey));
  t.is(code(seq(info, seq(oid("1.2.840.10045.4.1")), signature)), "request-signature");
});

test("RSA requests are read with the length of their key, also one too short to be issued for", (t) => {
  t.is(x509.readRequest(rsaRequest(rsa2048)).rsaBits, 2048);
  const weak = x509.readRequest(rsaRequest(generateKeyPairSync("rsa", { modulusLength: 1024 })));
  t.is(weak.rsaBits, 1024);
  t.is(weak.keyAlgorithm, "rsa");
});

test("a key that OpenSSL cannot use is refused as such", (t) => {
  const offCurve = seq(seq(oid(x509.KEY.ec), oid(x509.CURVE.p256)), bits(0, Buffer.alloc(65, 4)));
  t.is(code(x509.signed(seq(int(0), subject, offCurve, der(0xa0)), privateKey)), "request-key");
});

test("the version is 1", (t) => {
  t.is(code(x509.signed(seq(int(1), subject, spki, der(0xa0)), privateKey)), "request-version");
  t.is(code(x509.signed(seq(subject, spki, der(0xa0)), privateKey)), "request-malformed");
  t.is(code(x509.signed(seq(int(0), subject, spki), privateKey)), "request-malformed");
});

test("an attribute, a value or an extension that stands there twice is refused", (t) => {
  const [one, other] = [attribute("1.2.3", int(1)), attribute("1.2.4", int(1))];
  const san = extension(x509.EXTENSION.subjectAltName, seq(der(0x82, Buffer.from("a"))));
  t.is(code(withAttributes(one, other)), "accepted");
  t.is(code(withAttributes(one, other, one)), "request-attribute-twice");
  t.is(code(withAttributes(attribute(CHALLENGE, utf8("a"), utf8("b")))), "request-attribute-twice");
  t.is(code(withAttributes(attribute(CHALLENGE))), "request-attribute-twice");
  t.is(code(withAttributes(attribute(EXTENSIONS, seq(san)))), "accepted");
  t.is(code(withAttributes(attribute(EXTENSIONS, seq(san, san)))), "request-extension-twice");
  t.is(code(withAttributes(attribute(EXTENSIONS, seq(san), seq(san)))), "request-attribute-twice");
});

const asking = (...list: readonly Uint8Array[]): Buffer =>
  withAttributes(attribute(EXTENSIONS, seq(extension(x509.EXTENSION.subjectAltName, seq(...list)))));

test("requested names of other kinds are counted; names that cannot be read refuse the request", (t) => {
  t.is(x509.readRequest(asking(der(0xa0, oid("1.2.3")), der(0x88, Buffer.of(1)))).altNames.others, 2);
  t.is(code(asking(der(0x87, Buffer.of(1)))), "request-malformed");
  t.is(code(asking(der(0x82, Buffer.of(0xe4)))), "request-malformed");
});

const withPassword = (value: Uint8Array): Buffer => withAttributes(attribute(CHALLENGE, value));

test("the challenge password is a text of 1 to 255 characters, and never in a message", (t) => {
  t.is(x509.readRequest(withPassword(utf8("ü".repeat(255)))).challengePassword, "ü".repeat(255));
  t.is(x509.readRequest(withPassword(ia5("a@b"))).challengePassword, "a@b");
  t.is(code(withPassword(utf8("a".repeat(256)))), "request-challenge");
  t.is(code(withPassword(utf8(""))), "request-challenge");
  t.is(code(withPassword(int(1))), "request-challenge");
  const secret = "s3cret".repeat(50);
  const error = t.throws(() => x509.readRequest(withPassword(utf8(secret))));
  t.notRegex(error.message, /s3cret/);
});

const sized = (length: number): Buffer => withAttributes(attribute("1.2.3", der(0x04, Buffer.alloc(length))));

test("65,536 bytes of request are read, one more is not", (t) => {
  const base = sized(60_000).length - 60_000;
  // The signature's length varies by a byte or two.
  const made = Array.from({ length: 12 }, (_, at) => sized(x509.MAX_REQUEST_LENGTH - base - 6 + at));
  for (const bytes of made) {
    t.is(code(bytes), bytes.length <= x509.MAX_REQUEST_LENGTH ? "accepted" : "request-too-large");
  }
  t.true(made[0]!.length <= x509.MAX_REQUEST_LENGTH && made.at(-1)!.length > x509.MAX_REQUEST_LENGTH);
  t.is(code(Buffer.alloc(10_000_000)), "request-too-large");
});
