import test from "ava";
import {
  certificatePem,
  makeName,
  makeRequest,
  readCertsOnly,
  type AltName,
} from "../../../src/x509/index.ts";
import * as x509 from "../../../src/x509/index.ts";
import {
  basic,
  certificateOf,
  EstBed,
  keyPem,
  requestFor,
  subject,
  type Got,
} from "../../support/est-bed.ts";

const HOUR = 3_600_000;
const PATH = { path: "/.well-known/est/simplereenroll" };

interface Enrolled {
  readonly credentials: { readonly cert: string; readonly key: string };
  readonly fingerprint: string;
}

async function enrolled(bed: EstBed, more: Parameters<typeof subject>[1] = {}): Promise<Enrolled> {
  const { code } = await bed.service.makeCode(subject("alice", more), HOUR, "operator");
  const { der, keys } = await requestFor("alice");
  return credentialsOf(await bed.enroll(der, basic("alice", code)), keys);
}

function credentialsOf(got: Got, keys: x509.KeyPair): Enrolled {
  const [der = Buffer.alloc(0)] = readCertsOnly(Buffer.from(got.text, "base64"));
  const fingerprint = certificateOf(got).fingerprint256.replaceAll(":", "").toLowerCase();
  return { credentials: { cert: certificatePem(der), key: keyPem(keys) }, fingerprint };
}

async function withBed(body: (bed: EstBed) => Promise<void>): Promise<void> {
  const bed = await EstBed.open();
  try {
    await body(bed);
  } finally {
    await bed.close();
  }
}

const NAMES: AltName[] = [
  { uri: "urn:niac:device:laptop-of-alice" },
  { uri: "urn:niac:tier:managed" },
  { uri: "urn:niac:group:line%204" },
];

test("who holds a certificate gets the next one, for a new key and the same names", async (t) => {
  await withBed(async (bed) => {
    const { credentials, fingerprint } = await enrolled(bed, { groups: ["line 4"] });
    const { der } = await requestFor("alice", NAMES);
    const got = await bed.enroll(der, null, { ...PATH, credentials });
    t.is(got.status, 200, got.text);
    const next = certificateOf(got);
    t.is(next.subject, "CN=alice");
    t.true(next.subjectAltName?.includes("urn:niac:group:line%204"));
    t.is(bed.issuer.renewed.at(-1), fingerprint);
    const unnamed = await requestFor(null);
    t.is(
      (await bed.enroll(unnamed.der, null, { ...PATH, credentials })).status,
      200,
      "no names ask for no others",
    );
  });
});

test("what an administrator changed meanwhile counts, and not what the certificate says", async (t) => {
  await withBed(async (bed) => {
    const { credentials, fingerprint } = await enrolled(bed, { groups: ["line 4"] });
    bed.issuer.change(fingerprint, subject("alice", { groups: ["line 5"] }));
    const { der } = await requestFor("alice", NAMES);
    const next = certificateOf(await bed.enroll(der, null, { ...PATH, credentials }));
    t.true(next.subjectAltName?.includes("urn:niac:group:line%205"));
    t.false(next.subjectAltName?.includes("line%204"));
  });
});

for (const [what, user, names, reason] of [
  ["another user", "bob", [], /asks for the name CN=bob, and the certificate says CN=alice/],
  [
    "one name more",
    "alice",
    [...NAMES, { uri: "urn:niac:group:admins" }],
    /asks for URI:urn:niac:group:admins/,
  ],
  ["one name less", "alice", NAMES.slice(1), /leaves out URI:urn:niac:device:laptop-of-alice/],
  ["a DNS name", "alice", [...NAMES, { dns: "plc-1" }], /asks for DNS:plc-1/],
] as const) {
  test(`a renewal that asks for ${what} is refused`, async (t) => {
    await withBed(async (bed) => {
      const { credentials } = await enrolled(bed, { groups: ["line 4"] });
      const { der } = await requestFor(user, names);
      const got = await bed.enroll(der, null, { ...PATH, credentials });
      t.is(got.status, 400);
      t.regex(got.text, reason);
      t.is(bed.issuer.issuedFor.length, 1);
      const refusal = bed.records.find(({ decision }) => decision === "denial");
      t.like(refusal, { kind: "trust", stage: "request", presented: { subject: "CN=alice" } });
    });
  });
}

test("a renewal without a certificate is refused, and told what is missing", async (t) => {
  await withBed(async (bed) => {
    const got = await bed.enroll((await requestFor("alice")).der, null, PATH);
    t.is(got.status, 401);
    t.regex(got.text, /this one shows none/);
  });
});

test("a revoked, a locked and an expired certificate are not renewed, by a clock set back either", async (t) => {
  await withBed(async (bed) => {
    const { credentials, fingerprint } = await enrolled(bed);
    const { der } = await requestFor("alice");
    const renew = () => bed.enroll(der, null, { ...PATH, credentials });
    bed.locked = "device laptop-of-alice is locked: lost";
    const locked = await renew();
    t.is(locked.status, 403);
    t.regex(locked.text, /lost/);
    bed.locked = null;
    // Node's own clock is right, the appliance's is ahead by three months and was set back: OpenSSL sees no fault, niac does.
    bed.floor = Date.now() + 91 * 24 * HOUR;
    const expired = await renew();
    t.is(expired.status, 403);
    t.regex(expired.text, /expired on/);
    bed.floor = 0;
    await bed.issuer.revoke(fingerprint);
    const revoked = await renew();
    t.is(revoked.status, 403);
    t.regex(revoked.text, /revoked, or another authority issued it/);
    t.is(bed.issuer.issuedFor.length, 1);
  });
});

test("an authority's certificate, a server's, one of another authority and a self-signed one renew nothing", async (t) => {
  const bed = await EstBed.open();
  const other = await EstBed.open();
  try {
    const keys = await x509.generateKey("p256");
    const publicKey = x509.publicKeyInfoOf(keys.publicKey);
    const sign = async (purpose: string): Promise<string> => {
      const extensions = [x509.extendedKeyUsage([purpose])];
      return certificatePem(await bed.issuer.sign(makeName([["CN", "alice"]]), publicKey, extensions));
    };
    const foreign = await enrolled(other);
    const key = keyPem(keys);
    for (const [credentials, reason] of [
      [{ cert: await sign("serverAuth"), key }, /not made for clients/],
      [{ cert: await sign("clientAuth"), key }, /not one that this appliance renews/],
      [foreign.credentials, /authority/],
      [await bed.issuer.credentials(), /authority/],
    ] as const) {
      const got = await bed.enroll((await requestFor("alice")).der, null, { ...PATH, credentials });
      t.is(got.status, 403, got.text);
      t.regex(got.text, reason);
    }
    t.is(bed.issuer.issuedFor.length, 0);
    t.deepEqual(bed.faults, []);
  } finally {
    await bed.close();
    await other.close();
  }
});

test("the request must be signed by the key it is for, also on a connection with a good certificate", async (t) => {
  await withBed(async (bed) => {
    const { credentials } = await enrolled(bed);
    const keys = await x509.generateKey("p256");
    const others = await x509.generateKey("p256");
    const whole = makeRequest({ subject: makeName([["CN", "alice"]]) }, keys);
    const publicKey = x509.publicKeyInfoOf(others.publicKey);
    const at = whole.indexOf(x509.publicKeyInfoOf(keys.publicKey));
    const forged = Buffer.from(whole);
    publicKey.copy(forged, at);
    const got = await bed.enroll(forged, null, { ...PATH, credentials });
    t.is(got.status, 400);
    t.regex(got.text, /not signed with the key/);
  });
});
