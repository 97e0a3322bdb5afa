import { generateKeyPairSync } from "node:crypto";
import test from "ava";
import { readPostureReport } from "../../../src/enrolment/posture-report.ts";
import { signedReport } from "../../../src/laptop/posture-sign.ts";
import { GOOD, laptop } from "../../support/posture.ts";

const NOW = Date.UTC(2026, 5, 1, 12);
const KINDS = {
  "P-256": generateKeyPairSync("ec", { namedCurve: "P-256" }),
  "P-384": generateKeyPairSync("ec", { namedCurve: "P-384" }),
  Ed25519: generateKeyPairSync("ed25519"),
  "ML-DSA-65": generateKeyPairSync("ml-dsa-65"),
  RSA: generateKeyPairSync("rsa", { modulusLength: 2048 }),
};

for (const [name, keys] of Object.entries(KINDS)) {
  test(`what a laptop signs with a key of ${name}, the box reads as it was meant`, async (t) => {
    const { certificate, identity } = laptop(keys, "laptop-7", NOW);
    const key = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const report = signedReport(GOOD, { key, certificate, device: "laptop-7", now: NOW + 999 });
    const read = await readPostureReport(Buffer.from(report), {
      identity,
      certificate,
      device: { device: "laptop-7", authority: null, tenant: null },
      signers: [],
      issuers: [],
      now: NOW,
    });
    t.like(read, { device: "laptop-7", by: "laptop", made: NOW, received: NOW });
    t.deepEqual(read.facts, GOOD);
  });
}

test("a key that signs no reports is named, and nothing of it is shown", (t) => {
  const { privateKey } = generateKeyPairSync("x25519");
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const signing = { key, certificate: Buffer.of(0), device: "laptop-7", now: NOW };
  const error = t.throws(() => signedReport(GOOD, signing), { code: "posture-key" });
  t.regex(error.message, /x25519 signs no reports/);
  t.notRegex(error.message, /PRIVATE/);
});
