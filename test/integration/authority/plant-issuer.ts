/**
 * Issues and revokes in a loop and prints what it was told is done, one a line, until it is killed: `made <serial> <fingerprint>`,
 * `revoked <serial>`, `rotated <name>`. Argument: the database.
 */
import { createSecretKey } from "node:crypto";
import { writeSync } from "node:fs";
import { AuditLog, createRecords, openDatabase } from "../../../src/audit/index.ts";
import { createAuthority, PlantAuthority } from "../../../src/authority/index.ts";
import type { Keyring } from "../../../src/seal/index.ts";
import { openWith, sealWith } from "../../../src/seal/seal.ts";
import { systemClock } from "../../../src/base/index.ts";
import { ALICE, asked } from "../../unit/authority/plant-bed.ts";

const [path = ""] = process.argv.slice(2);
const key = createSecretKey(Buffer.alloc(32, 7));
const keyring: Keyring = {
  kind: "machine",
  protects: "nothing: a test's",
  seal: (purpose, plain) => sealWith(key, purpose, plain),
  open: (purpose, sealed) => openWith(key, purpose, sealed) ?? Buffer.alloc(0),
};
const db = openDatabase(path, [createRecords, createAuthority]);
const plant = new PlantAuthority({
  db,
  audit: new AuditLog(db, "box"),
  clock: systemClock,
  keyring: () => Promise.resolve(keyring),
  log: { info: () => {}, warn: () => {}, error: () => {} },
});
const say = (line: string): number => writeSync(1, `${line}\n`);

if (!plant.initialised) {
  await plant.init({
    name: "Plant 7",
    algorithm: "p256",
    tenants: [],
    lifetimes: {},
    crlUrl: null,
    by: "admin",
  });
}
say("ready");
const { request } = await asked();

async function issue(user: string): Promise<void> {
  for (let round = 0; ; round++) {
    const made = await plant.issue(request, { ...ALICE, user, device: `${user}-${round}` }, "admin");
    say(`made ${made.serialNumber}`);
    if (round % 3 === 2) {
      const { certificates } = await plant.revoke("serial", made.serialNumber, "a test", "admin");
      for (const { serial } of certificates) say(`revoked ${serial}`);
    }
  }
}

async function rotate(): Promise<void> {
  const scope = { root: false, infrastructure: false, tier: "byod", tenant: null } as const;
  for (;;) for (const name of await plant.rotate(scope, null, "admin")) say(`rotated ${name}`);
}

await Promise.all([issue("alice"), issue("bob"), issue("carol"), rotate()]);
