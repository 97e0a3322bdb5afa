import { createHash, generateKeyPairSync } from "node:crypto";
import test from "ava";
import * as fc from "fast-check";
import { HttpRefusal } from "../../../src/enrolment/http-reply.ts";
import { postureAlgorithms } from "../../../src/est/posture-format.ts";
import { MAX_AGE, MAX_AHEAD, MAX_REPORT } from "../../../src/enrolment/posture-report.ts";
import { GOOD, jws, laptop, managedReport, POSTURE_TYPE } from "../../support/posture.ts";
import {
  AT,
  DEVICE,
  good,
  HEADER,
  managed,
  mdm,
  NOW,
  p256,
  PAYLOAD,
  read,
  withPayload,
} from "./posture-side.ts";

const sized = (filler: number): string =>
  jws(p256.privateKey, { header: HEADER, payload: { ...PAYLOAD, filler: "x".repeat(filler) } });

const KEYS = {
  "P-256": p256,
  "P-384": generateKeyPairSync("ec", { namedCurve: "P-384" }),
  Ed25519: generateKeyPairSync("ed25519"),
  "ML-DSA-65": generateKeyPairSync("ml-dsa-65"),
  RSA: generateKeyPairSync("rsa", { modulusLength: 2048 }),
};
for (const [name, keys] of Object.entries(KEYS)) {
  test(`a laptop with a key of ${name} reports, with every algorithm of that key`, async (t) => {
    const { key, certificate, identity } = laptop(keys);
    for (const alg of postureAlgorithms(keys.publicKey)) {
      const x5t = createHash("sha256").update(certificate).digest("base64url");
      const text = jws(key, { header: { typ: POSTURE_TYPE, alg, "x5t#S256": x5t }, payload: PAYLOAD });
      const report = await read(text, { identity, certificate });
      t.deepEqual(report, { ...DEVICE, by: "laptop", made: NOW, received: NOW, facts: GOOD });
    }
  });
}

test("a management system reports on any device, whoever brings it", async (t) => {
  const text = managedReport(mdm.privateKey, "mdm-1", "laptop-9", AT - 5);
  const report = {
    ...DEVICE,
    device: "laptop-9",
    by: "mdm-1",
    made: NOW - 5_000,
    received: NOW,
    facts: GOOD,
  };
  t.deepEqual(await read(text, { identity: null, certificate: null }), report);
  t.deepEqual(await read(text), report);
});

test("whose device a laptop is, its certificate says, and not its report", async (t) => {
  const device = { ...DEVICE, authority: "vendor-x", tenant: "acme" };
  for (const make of [
    good,
    withPayload({ authority: null, tenant: null }),
    withPayload({ authority: "corporate" }),
  ])
    t.like(await read(make(), { device }), device);
  t.like(await read(withPayload({ authority: "vendor-x", tenant: "acme" })()), DEVICE);
});

/** What a management system says, and whose device it is taken to mean. */
const MEANT = [
  [{}, { authority: null, tenant: null }],
  [
    { authority: null, tenant: null },
    { authority: null, tenant: null },
  ],
  [{ tenant: "acme" }, { authority: null, tenant: "acme" }],
  [{ authority: "corporate" }, { authority: "corporate", tenant: null }],
  [{ authority: "vendor-x" }, { authority: "vendor-x", tenant: "acme" }],
  [
    { authority: "vendor-x", tenant: "acme" },
    { authority: "vendor-x", tenant: "acme" },
  ],
] as const;

test("a management system means a device of the plant's own, unless it says otherwise", async (t) => {
  for (const [said, meant] of MEANT)
    t.like(await read(managed(said)()), { device: "laptop-7", by: "mdm-1", ...meant });
  t.like(
    await read(managed({})(), { issuers: [] }),
    { authority: null, tenant: null },
    "of the settings' files",
  );
});

test("what is left out is not known, and what is more is not looked at", async (t) => {
  const payload = {
    ...PAYLOAD,
    iss: "https://mdm",
    exp: 1,
    facts: { os: { name: "macos", version: "15.1", build: "x" }, firewall: true },
  };
  const report = await read(jws(p256.privateKey, { header: { ...HEADER, cty: "x" }, payload }));
  t.deepEqual(report.facts, { diskEncryption: null, os: { name: "macos", version: "15.1" }, edr: null });
  const nothing = await read(jws(p256.privateKey, { header: HEADER, payload: { ...PAYLOAD, facts: {} } }));
  t.deepEqual(nothing.facts, { diskEncryption: null, os: null, edr: null });
});

test("the end of a line behind it is no part of it", async (t) => {
  t.is((await read(`${good()}\r\n`)).device, "laptop-7");
});

test("the clock of who signed may be a minute ahead, and no more", async (t) => {
  const ahead = MAX_AHEAD / 1_000;
  t.is((await read(withPayload({ iat: AT + ahead })())).made, NOW + MAX_AHEAD);
  const error = await t.throwsAsync(read(withPayload({ iat: AT + ahead + 1 })()), { code: "posture-future" });
  t.regex(error.message, /2026-06-01T12:01:01\.000Z, and here it is 2026-06-01T12:00:00\.000Z/);
});

test("a report of a week ago counts as one, and an older one is refused", async (t) => {
  const week = MAX_AGE / 1_000;
  t.is((await read(withPayload({ iat: AT - week })())).made, NOW - MAX_AGE);
  await t.throwsAsync(read(withPayload({ iat: AT - week - 1 })()), { code: "posture-old" });
});

test("16 KiB are taken, and one byte more is not", async (t) => {
  const filler = Math.floor(((MAX_REPORT - sized(0).length) * 3) / 4) - 3;
  const text = sized(filler);
  const exactly = text + " ".repeat(MAX_REPORT - text.length);
  t.is((await read(exactly)).device, "laptop-7");
  await t.throwsAsync(read(`${exactly} `), { code: "posture-length" });
});

test("whatever is sent is a report or a refusal, and never a fault", async (t) => {
  const parts = fc.oneof(
    fc.constantFrom(...good().split(".")),
    fc.json().map((text) => Buffer.from(text).toString("base64url")),
    fc.string(),
  );
  const texts = fc.oneof(
    fc.array(parts, { maxLength: 4 }).map((each) => each.join(".")),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      try {
        return text.trim() === good() || (await read(text)).by === "laptop";
      } catch (error) {
        return error instanceof HttpRefusal;
      }
    }),
    { numRuns: 500 },
  );
  t.pass();
});
