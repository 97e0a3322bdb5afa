import { createHmac, generateKeyPairSync } from "node:crypto";
import test from "ava";
import type { JWTPayload } from "jose";
import { nonceOf } from "../../../src/enrolment/sign-in.ts";
import type { SignIn } from "../../../src/site/index.ts";
import { publicKeyInfoOf } from "../../../src/x509/index.ts";
import { certificateOf, EstBed, requestFor, subject } from "../../support/est-bed.ts";
import { CLIENT, OidcBed, OTHER_CLIENT } from "../../support/oidc.ts";
import { Pki } from "../../support/pki.ts";

const NAMES = [{ uri: "urn:niac:device:laptop-7" }];

interface Parts {
  readonly bed: EstBed;
  readonly oidc: OidcBed;
  settings: SignIn | null;
}

async function withProvider(body: (parts: Parts) => Promise<void>): Promise<void> {
  const pki = Pki.create();
  const oidc = await OidcBed.open(pki);
  const held: { settings: SignIn | null } = { settings: oidc.settings() };
  const bed = await EstBed.open({ signIn: () => held.settings });
  try {
    await body(Object.assign(held, { bed, oidc }));
  } finally {
    await bed.close();
    await oidc.go().catch(() => {});
    pki.remove();
  }
}

async function laptop(names = NAMES): Promise<{ der: Buffer; nonce: string }> {
  const { der, keys } = await requestFor(null, names);
  return { der, nonce: nonceOf(publicKeyInfoOf(keys.publicKey)) };
}

function claims(oidc: OidcBed, nonce: string, more: JWTPayload = {}): JWTPayload {
  const now = Math.floor(Date.now() / 1_000);
  const who = {
    iss: oidc.issuer,
    aud: CLIENT,
    sub: "alice",
    preferred_username: "alice",
    groups: ["line 4"],
  };
  return { ...who, nonce, iat: now, exp: now + 600, ...more };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

test("who signs in at the provider gets a certificate with the provider's user and groups", async (t) => {
  await withProvider(async ({ bed, oidc }) => {
    const { der, nonce } = await laptop();
    const token = await oidc.signIn({ user: "alice", nonce });
    const got = await bed.enroll(der, `Bearer ${token}`);
    t.is(got.status, 200, got.text);
    t.is(certificateOf(got).subject, "CN=alice");
    t.like(bed.issuer.issuedFor[0], {
      subject: { user: "alice", device: "laptop-7", groups: ["maintenance"], tier: "managed", until: null },
      by: `sign-in of alice at ${oidc.issuer}`,
    });
    const again = certificateOf(await bed.enroll(der, `Bearer ${token}`));
    t.is(again.fingerprint256, certificateOf(got).fingerprint256, "a lost answer is given again");
    bed.ahead = 11 * 60_000;
    const replayed = await bed.enroll(der, `Bearer ${await oidc.sign(claims(oidc, nonce, { exp: 4e9 }))}`);
    t.is(replayed.status, 200, "another token is another sign-in");
    t.is(bed.issuer.issuedFor.length, 2);
    t.deepEqual(bed.faults, []);
  });
});

test("a token is good for its own key, its own client and one time only", async (t) => {
  await withProvider(async ({ bed, oidc }) => {
    const { der, nonce } = await laptop();
    const token = await oidc.signIn({ user: "alice", nonce });
    const stolen = await bed.enroll((await laptop()).der, `Bearer ${token}`);
    t.is(stolen.status, 401);
    t.regex(stolen.text, /not made for this key/);
    const elsewhere = await oidc.signIn({ user: "alice", nonce, clientId: OTHER_CLIENT });
    const other = await bed.enroll(der, `Bearer ${elsewhere}`);
    t.is(other.status, 401);
    t.regex(other.text, /"aud"/);
    t.is((await bed.enroll(der, `Bearer ${token}`)).status, 200);
    const now = Date.now();
    const long = await oidc.sign(claims(oidc, nonce, { exp: Math.floor(now / 1_000) + 3_000 }));
    t.is((await bed.enroll(der, `Bearer ${long}`)).status, 200);
    bed.ahead = 20 * 60_000;
    const late = await bed.enroll(der, `Bearer ${long}`);
    t.is(late.status, 401);
    t.regex(late.text, /used before/);
    t.is(bed.issuer.issuedFor.length, 2);
  });
});

test("tokens that the provider did not issue for this are refused, each with its reason", async (t) => {
  await withProvider(async ({ bed, oidc }) => {
    const { der, nonce } = await laptop();
    const now = Math.floor(Date.now() / 1_000);
    const { privateKey: otherKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const good = await oidc.sign(claims(oidc, nonce));
    const [, payload = "", signature = ""] = good.split(".");
    const hmacHead = `${encode({ alg: "HS256", kid: "1" })}.${payload}`;
    const hmac = createHmac("sha256", oidc.publicKey).update(hmacHead).digest("base64url");
    const changed = encode({ ...claims(oidc, nonce), preferred_username: "operator" });
    for (const [what, token, reason] of [
      ["no signature", `${encode({ alg: "none" })}.${payload}.`, /./],
      ["HMAC with the public key", `${hmacHead}.${hmac}`, /"alg" \(Algorithm\)/],
      ["another key", await oidc.sign(claims(oidc, nonce), otherKey), /signature verification failed/],
      ["changed", `${good.split(".", 1)[0]}.${changed}.${signature}`, /signature verification failed/],
      ["expired", await oidc.sign(claims(oidc, nonce, { iat: now - 700, exp: now - 100 })), /"exp"/],
      ["too old", await oidc.sign(claims(oidc, nonce, { iat: now - 4_000 })), /"iat"/],
      ["of the future", await oidc.sign(claims(oidc, nonce, { iat: now + 300 })), /"iat"|future/],
      ["another issuer", await oidc.sign(claims(oidc, nonce, { iss: "https://evil.example" })), /"iss"/],
      ["another audience", await oidc.sign(claims(oidc, nonce, { aud: "x" })), /"aud"/],
      ["two audiences", await oidc.sign(claims(oidc, nonce, { aud: [CLIENT, "x"] })), /azp/],
      ["another party", await oidc.sign(claims(oidc, nonce, { azp: "x" })), /azp/],
      ["no nonce", await oidc.sign({ ...claims(oidc, nonce), nonce: undefined }), /"nonce"/],
      ["another nonce", await oidc.sign(claims(oidc, "x")), /not made for this key/],
      ["no user", await oidc.sign(claims(oidc, nonce, { preferred_username: 7 })), /preferred_username/],
      [
        "a user that hides",
        await oidc.sign(claims(oidc, nonce, { preferred_username: "a\u202eb" })),
        /preferred/,
      ],
      ["groups that are none", await oidc.sign(claims(oidc, nonce, { groups: [1] })), /claim groups/],
      ["no token", "x", /./],
      ["a long one", "a".repeat(7_000), /./],
    ] as const) {
      const localAddress = `127.0.2.${what.length}`;
      const got = await bed.enroll(der, `Bearer ${token}`, { localAddress });
      t.is(got.status, 401, `${what}: ${got.status} ${got.text}`);
      t.regex(got.text, reason, what);
    }
    t.is(bed.issuer.issuedFor.length, 0);
    t.deepEqual(bed.faults, []);
    t.true(bed.records.filter(({ stage }) => stage === "sign-in").length >= 15);
  });
});

test("a device that another user holds is refused, and so is a request that names none", async (t) => {
  await withProvider(async ({ bed, oidc }) => {
    const { code } = await bed.service.makeCode(
      subject("bob", { device: "laptop-7" }),
      3_600_000,
      "operator",
    );
    const basic = `Basic ${Buffer.from(`bob:${code}`).toString("base64")}`;
    t.is((await bed.enroll((await requestFor("bob")).der, basic)).status, 200);
    const { der, nonce } = await laptop();
    const taken = await bed.enroll(der, `Bearer ${await oidc.sign(claims(oidc, nonce))}`);
    t.is(taken.status, 403);
    t.regex(taken.text, /laptop-7 is another user's/);
    t.false(taken.text.includes("bob"));
    const unnamed = await laptop([]);
    const none = await bed.enroll(unnamed.der, `Bearer ${await oidc.sign(claims(oidc, unnamed.nonce))}`);
    t.is(none.status, 400);
    t.regex(none.text, /does not name one device/);
  });
});

test("while the provider is away nobody signs in, and nothing else suffers; its keys are kept for a while", async (t) => {
  await withProvider(async ({ bed, oidc }) => {
    const { der, nonce } = await laptop();
    const token = await oidc.sign(claims(oidc, nonce));
    await oidc.go();
    const away = await bed.enroll(der, `Bearer ${token}`);
    t.is(away.status, 503);
    t.regex(away.text, /does not give its keys/);
    t.is(away.headers["retry-after"], "30");
    t.is((await bed.send("/.well-known/est/cacerts")).status, 200);
    await oidc.come();
    t.is((await bed.enroll(der, `Bearer ${token}`)).status, 200);
    await oidc.go();
    const next = await laptop([{ uri: "urn:niac:device:laptop-8" }]);
    const known = await oidc.sign(claims(oidc, next.nonce));
    t.is((await bed.enroll(next.der, `Bearer ${known}`)).status, 200);
  });
});

test("laptops are told where to sign in, and where nobody signs in a token is refused", async (t) => {
  await withProvider(async (parts) => {
    const { bed, oidc } = parts;
    const told = await bed.send("/.well-known/niac/sign-in");
    t.is(told.headers["content-type"], "application/json");
    const shown: unknown = JSON.parse(told.text);
    const { ca } = oidc.settings();
    t.deepEqual(shown, { issuer: oidc.issuer, clientId: CLIENT, clientSecret: null, scopes: ["openid"], ca });
    const { der, nonce } = await laptop();
    parts.settings = oidc.settings({ issuer: `${oidc.issuer}/other` });
    const wrong = await bed.enroll(der, `Bearer ${await oidc.sign(claims(oidc, nonce))}`);
    t.is(wrong.status, 503);
    parts.settings = oidc.settings({ ca: null });
    const untrusted = await bed.enroll(der, `Bearer ${await oidc.sign(claims(oidc, nonce))}`);
    t.is(untrusted.status, 503, "the provider's certificate is checked");
    parts.settings = null;
    t.is((await bed.send("/.well-known/niac/sign-in")).status, 404);
    t.is((await bed.enroll(der, "Bearer a.b.c")).status, 401);
    t.is(bed.issuer.issuedFor.length, 0);
  });
});
