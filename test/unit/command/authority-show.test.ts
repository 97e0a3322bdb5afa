import test from "ava";
import { certificateLines, plantLines, revokedLines } from "../../../src/command/authority-show.ts";
import type { CertificateView, PlantView } from "../../../src/link/index.ts";

const DAY = 86_400_000;

const PLANT: PlantView = {
  name: "Plant 7",
  created: Date.UTC(2026, 2, 1),
  lifetimes: { managed: 90 * DAY, byod: 30 * DAY, contractor: 30 * DAY },
  crlUrl: "http://box.plant.example/crl",
  keys: { kind: "tpm", protects: `Sealed by this box's TPM: ${"words ".repeat(30).trim()}.` },
  problem: null,
  fingerprint: "ab".repeat(32),
  authorities: [
    {
      id: 1,
      name: "root 1",
      role: "root",
      tier: null,
      tenant: null,
      algorithm: "p256",
      state: "current",
      fingerprint: "cd".repeat(32),
      created: Date.UTC(2026, 2, 1),
      notAfter: Date.UTC(2046, 2, 1),
      live: 4,
      list: null,
    },
    {
      id: 12,
      name: "managed acme 12",
      role: "issuing",
      tier: "managed",
      tenant: "acme",
      algorithm: "ml-dsa-65",
      state: "retiring",
      fingerprint: "ef".repeat(32),
      created: Date.UTC(2026, 2, 1),
      notAfter: Date.UTC(2036, 2, 1),
      live: 31,
      list: { number: "1795373828", entries: 2, nextUpdate: Date.UTC(2026, 2, 8) },
    },
  ],
};

const ALICE: CertificateView = {
  serialNumber: "73960fed8765970d3b7c4ceb4a161876",
  fingerprint: "01".repeat(32),
  authority: "managed acme 12",
  kind: "laptop",
  user: "alice",
  device: "laptop-7",
  tier: "managed",
  tenant: "acme",
  notBefore: Date.UTC(2026, 2, 1),
  notAfter: Date.UTC(2026, 4, 30, 12, 5),
  issuedBy: "code 3",
  revokedAt: null,
  reason: null,
};

test("an authority is shown in lines that a terminal holds", (t) => {
  const lines = plantLines(PLANT);
  t.true(lines.every((line) => line.length <= 100));
  t.is(lines[0], "plant        Plant 7, since 2026-03-01");
  t.regex(lines[1] ?? "", /^keys {9}Sealed by this box's TPM: words/);
  t.regex(lines[2] ?? "", /^ {13}words/);
  t.deepEqual(lines.slice(-6), [
    "good for     managed 90 d, byod 30 d, contractor 30 d",
    "lists        http://box.plant.example/crl/<number>.crl",
    "",
    "NO  AUTHORITY        TIER     TENANT  ALGORITHM  UNTIL       STATE     LIVE  REVOKED",
    "1   root 1           root             p256       2046-03-01  current   4",
    "12  managed acme 12  managed  acme    ml-dsa-65  2036-03-01  retiring  31    2",
  ]);
});

test("keys that cannot be opened are a problem that is told", (t) => {
  const lines = plantLines({ ...PLANT, keys: null, problem: "the TPM is not there" });
  t.deepEqual(lines.slice(1, 3), ["keys         cannot be opened now", "problem      the TPM is not there"]);
});

test("certificates are a table, with who revoked them where that is asked for", (t) => {
  t.deepEqual(certificateLines([], false), ["No such certificate is in force."]);
  t.deepEqual(certificateLines([], true), ["There is no such certificate."]);
  const revoked = { ...ALICE, revokedAt: Date.UTC(2026, 3, 1, 8, 30), reason: "lost\u001b[2J" };
  t.deepEqual(certificateLines([revoked], true), [
    "SERIAL NUMBER                     USER   DEVICE    AUTHORITY        UNTIL              LET BY  REVOKED",
    "73960fed8765970d3b7c4ceb4a161876  alice  laptop-7  managed acme 12  2026-05-30 12:05Z  code 3  2026-04-01 08:30Z: lost\\u{1b}[2J",
  ]);
});

test("a revocation says how many sessions ended, or that nobody could say", (t) => {
  t.is(revokedLines(1, [ALICE], 2)[0], "1 certificate revoked; 2 sessions ended with it.");
  t.is(revokedLines(3, [ALICE], 1)[0], "3 certificates revoked; 1 session ended with them.");
  t.is(revokedLines(3, [ALICE], 1).at(-1), "... and 2 more");
  t.regex(
    revokedLines(1, [ALICE], null)[0] ?? "",
    /the gateway is away and ends their sessions when it is back/,
  );
});
