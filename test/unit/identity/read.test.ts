import test from "ava";
import * as fc from "fast-check";
import { createHash, generateKeyPairSync, X509Certificate } from "node:crypto";
import { isRefusal, readIdentity, REFUSAL_CODES, type Peer } from "../../../src/identity/index.ts";
import {
  alternativeNames,
  certificate,
  clientExtensions,
  extension,
  name,
  NOW,
  OID,
  role,
  time,
  seq,
  utf8,
} from "../x509/writer.ts";

const peer = (leaf: Uint8Array | null, authorizationError: string | null = null): Peer => ({
  leaf,

  authorized: authorizationError === null,
  authorizationError,
});

/** A refusal with a known code or an identity, and in either nothing that cannot be shown. */
const known = (bytes: Uint8Array): boolean => {
  const outcome = readIdentity(peer(bytes), NOW);
  const sound = isRefusal(outcome)
    ? REFUSAL_CODES.some((code) => code === outcome.code)
    : outcome.user !== "";
  return sound && JSON.stringify(outcome).search(/[\p{Cc}\p{Cf}]/u) === -1;
};

function parsedByOpenssl(der: Uint8Array): X509Certificate | null {
  try {
    return new X509Certificate(der);
  } catch {
    return null;
  }
}

test("a certificate in order gives an identity with all it says", (t) => {
  const leaf = certificate({
    subject: name(
      [OID.o, utf8("Plant")],
      [OID.ou, utf8("maintenance")],
      [OID.ou, utf8("line 4")],
      [OID.cn, utf8("alice")],
    ),
    more: [
      alternativeNames("urn:niac:device:laptop-7", "urn:niac:tier:gold", "DNS:laptop-7.plant"),
      role("Operator"),
    ],
  });
  t.deepEqual(readIdentity(peer(leaf), NOW), {
    kind: "certificate",
    user: "alice",
    device: "laptop-7",
    groups: ["line 4", "maintenance"],
    role: "Operator",
    tier: "gold",
    tenant: null,
    authority: null,
    issuer: "CN=Plant Issuing",
    serialNumber: "0102ab",
    fingerprint: createHash("sha256").update(leaf).digest("hex"),
    notBefore: NOW - 43_200_000,
    notAfter: NOW + 43_200_000,
  });
});

test("no certificate is a refusal that names nobody", (t) => {
  const outcome = readIdentity(peer(null, "UNABLE_TO_GET_ISSUER_CERT"), NOW);
  t.true(isRefusal(outcome) && outcome.code === "no-certificate" && outcome.presented === null);
});

test("an authorized certificate with an error, and an unauthorized one without, are both refused", (t) => {
  for (const verdict of [
    { authorized: true, authorizationError: "CERT_REVOKED" },
    { authorized: false, authorizationError: null },
    { authorized: true, authorizationError: "" },
  ]) {
    t.true(isRefusal(readIdentity({ leaf: certificate(), ...verdict }, NOW)), JSON.stringify(verdict));
  }
});

test("validity is judged at the time given, both ends within, whatever OpenSSL said", (t) => {
  const leaf = certificate({ validity: seq(time(NOW), time(NOW + 1000)) });
  const at = (now: number): string => {
    const outcome = readIdentity(peer(leaf), now);
    return isRefusal(outcome) ? outcome.code : "accepted";
  };
  t.deepEqual([NOW - 1, NOW, NOW + 1000, NOW + 1001].map(at), [
    "not-yet-valid",
    "accepted",
    "accepted",
    "expired",
  ]);
  t.deepEqual([Number.NaN, Infinity, -Infinity].map(at), ["not-yet-valid", "expired", "not-yet-valid"]);
});

test("a refusal says who, what and what to do, in words", (t) => {
  const leaf = certificate({ validity: seq(time(NOW - 2000), time(NOW)) });
  const outcome = readIdentity(peer(leaf, "CERT_HAS_EXPIRED"), NOW + 86_400_000);
  t.deepEqual(outcome, {
    code: "expired",
    reason: "The certificate of CN=alice expired on 2026-06-15 12:00 UTC.",
    advice: "Enrol again, or ask the plant admin for a new certificate.",
    presented: {
      subject: "CN=alice",
      serialNumber: "0102ab",
      fingerprint: createHash("sha256").update(leaf).digest("hex"),
    },
  });
});

test("what a refused certificate says of itself is printable and cut", (t) => {
  const subject = name(
    [OID.o, utf8("x\r\n\u202e|]".repeat(60))],
    [OID.cn, utf8("bob\r\nsession permitted\0")],
  );
  const outcome = readIdentity(peer(certificate({ subject })), NOW);
  t.true(isRefusal(outcome));
  if (!isRefusal(outcome)) return;
  t.is(outcome.code, "bad-name");
  t.is(
    outcome.reason,
    "The certificate of CN=bob\\0D\\0Asession permitted\\00 has a common name with U+000D, which cannot be seen.",
  );
  t.is(outcome.presented?.subject.length, 255);
  t.regex(
    outcome.presented?.subject ?? "",
    /^CN=bob\\0D\\0Asession permitted\\00,O=x\\0D\\0A\\E2\\80\\AE\|\]x[ -~]*…$/,
  );
});

test("bytes that are no certificate are refused and named by their fingerprint", (t) => {
  const good = certificate();
  for (const leaf of [
    Buffer.alloc(0),
    Buffer.from("not a certificate"),
    good.subarray(0, good.length - 1),
    Buffer.concat([good, Buffer.of(0)]),
    Buffer.alloc(20_000, 0x30),
  ]) {
    const outcome = readIdentity(peer(leaf), NOW);
    t.true(isRefusal(outcome) && outcome.code === "malformed-certificate");
    t.is(
      isRefusal(outcome) ? outcome.presented?.fingerprint : "",
      createHash("sha256").update(leaf).digest("hex"),
    );
  }
});

test("a certificate of 16 KiB is read, one byte more is not", (t) => {
  // An RSA signature always has the same length, so the padding can be computed.
  const signer = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const padded = (length: number): Buffer =>
    certificate({ signer, more: [extension("1.2.3.4", Buffer.alloc(length))] });
  const leaf = padded(15_000 + 16_384 - padded(15_000).length);
  t.is(leaf.length, 16_384);
  t.false(isRefusal(readIdentity(peer(leaf), NOW)));
  const longer = readIdentity(peer(Buffer.concat([leaf, Buffer.of(0)])), NOW);
  t.true(isRefusal(longer) && longer.reason.includes("16385 bytes, 16384 are taken at most"));
});

test("every refusal of mutated certificates is one of the known codes; nothing throws", (t) => {
  const leaf = certificate({
    subject: name([OID.ou, utf8("maintenance")], [OID.cn, utf8("alice")]),
    more: [
      alternativeNames("urn:niac:device:laptop-7", "urn:niac:group:line%204", "DNS:laptop"),
      role("Operator"),
    ],
  });
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const rsa = certificate({
    key: publicKey.export({ type: "spki", format: "der" }),
    extensions: clientExtensions,
  });
  const mutation = fc.record({
    at: fc.nat(),
    value: fc.nat(255),
    kind: fc.constantFrom("set", "insert", "remove"),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(leaf, rsa),
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      (from, mutations) => {
        const bytes = [...from];
        for (const { at, value, kind } of mutations) {
          bytes.splice(at % bytes.length, kind === "insert" ? 0 : 1, ...(kind === "remove" ? [] : [value]));
        }
        return known(Uint8Array.from(bytes));
      },
    ),
    { numRuns: 4000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), known), { numRuns: 1000 });
  t.pass();
});

test("each single bit turned gives a refusal or what OpenSSL reads as well", (t) => {
  const leaf = certificate({ more: [role("Operator")] });
  let accepted = 0;
  for (let bit = 0; bit < leaf.length * 8; bit++) {
    const bytes = Buffer.from(leaf);
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    const outcome = readIdentity(peer(bytes), NOW);
    if (isRefusal(outcome)) continue;
    accepted += 1;
    const other = parsedByOpenssl(bytes);
    // It refuses issuer names of no text, which are shown in hexadecimal here; such bytes never pass a handshake.
    if (other === null) t.true(outcome.issuer.startsWith("CN=#"));
    if (other === null) continue;
    t.is(other.subject.replaceAll("\\", ""), `CN=${outcome.user}`);
    t.is(other.serialNumber.toLowerCase(), outcome.serialNumber);
    t.is(other.validToDate.getTime(), outcome.notAfter);
    t.false(other.ca);
  }
  // Most bits are key and signature, which only OpenSSL judges.
  t.true(accepted > 0);
});
