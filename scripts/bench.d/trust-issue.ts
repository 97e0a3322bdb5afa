/**
 * What the plant's authority issues and renews a second, each certificate on record before anybody has it; on one core.
 *
 *     trust-issue.ts DIR ALGORITHM ROUNDS COUNT    prints a line of JSON for each round, name to value
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { AuditLog, createRecords, openDatabase } from "../../src/audit/index.ts";
import { createAuthority, PlantAuthority } from "../../src/authority/index.ts";
import { openKeyring } from "../../src/seal/index.ts";
import { systemClock } from "../../src/base/index.ts";
import {
  generateKey,
  KEY_ALGORITHMS,
  makeName,
  makeRequest,
  readRequest,
  type CertificationRequest,
} from "../../src/x509/index.ts";
import { subjectFor } from "./trust-appliance.ts";

/** As many laptops ask at once: what is asked in one turn shares a commit. */
const LANES = 8;

const [dir = "", name = "", rounds = "", number = ""] = process.argv.slice(2);
const algorithm = KEY_ALGORITHMS.find((known) => known === name);
if (algorithm === undefined) throw new Error(`there is no algorithm "${name}"`);
const count = Number(number);
const db = openDatabase(join(dir, "niac.db"), [createRecords, createAuthority]);
const audit = new AuditLog(db, "bench");
const keyring = await openKeyring({
  seal: { tpm: "none", keyFile: null, passphraseFile: null },
  stateDir: dir,
});
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const plant = new PlantAuthority({ db, audit, clock: systemClock, keyring: async () => keyring, log });
await plant.init({ name: "Bench", algorithm, tenants: [], lifetimes: {}, crlUrl: null, by: "bench" });

const keys = await generateKey(algorithm);
const request = readRequest(makeRequest({ subject: makeName([["CN", "engineer-1"]]) }, keys));
await round(Math.ceil(count / 4), "warm");
for (let at = 0; at < Number(rounds); at++) {
  process.stdout.write(`${JSON.stringify(await round(count, String(at)))}\n`);
}
await plant.stop();
await audit.close();
db.close();

async function round(size: number, about: string): Promise<Record<string, number>> {
  const held: string[] = [];
  const issue = await perSecond(size, async (at) => {
    held[at] = await one(request, `laptop-${about}-${at}`, undefined);
  });
  const renew = await perSecond(size, async (at) => {
    await one(request, `laptop-${about}-${at}`, held[at]);
  });
  return { issue, renew };
}

/** The fingerprint of what was issued. */
async function one(asked: CertificationRequest, device: string, renews: string | undefined): Promise<string> {
  const { certificate } = await plant.issue(asked, subjectFor("engineer-1", device), "bench", renews);
  return createHash("sha256").update(certificate).digest("hex");
}

async function perSecond(size: number, act: (at: number) => Promise<void>): Promise<number> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < size) await act(next++);
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: LANES }, lane));
  return (size / (performance.now() - begin)) * 1_000;
}
