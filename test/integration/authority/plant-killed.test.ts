import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "ava";
import { directory, openBed } from "../../unit/authority/plant-bed.ts";

const ISSUER = join(import.meta.dirname, "plant-issuer.ts");
const ROUNDS = 5;

/** Kills the issuer once it has said so many lines; all it had said till then. */
async function killedAfter(lines: number, path: string): Promise<string[]> {
  const child = spawn(process.execPath, [ISSUER, path], { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === lines) child.kill("SIGKILL");
  }
  const [, signal]: unknown[] = await exit;
  if (signal !== "SIGKILL") throw new Error(`the issuer ended by itself after ${said.length} lines`);
  return said.filter((line) => /^(?:made|revoked) [0-9a-f]{32}$|^rotated [a-z]+ \d+$/.test(line));
}

test("killed at any moment, whatever was told is there, and nothing is there by half", async (t) => {
  const path = join(directory(t), "niac.db");
  const said: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    said.push(...(await killedAfter(1 + 29 * round, path)));
    const bed = openBed(t, { path });
    const { store } = bed.plant;
    t.is(bed.db.pragma("integrity_check", { simple: true }), "ok");
    if (!store.initialised) {
      t.deepEqual(store.authorities, [], "all of an authority or nothing");
      await bed.audit.close();
      continue;
    }
    for (const line of said) {
      const [what, name = ""] = line.split(/ (.*)/s);
      if (what === "made") t.not(store.bySerial(name), null);
      if (what === "revoked") t.not(store.bySerial(name)?.revokedAt ?? null, null);
      if (what === "rotated") t.true(store.authorities.some((each) => each.name === name));
    }
    const ids = new Set<string>();
    const refs = new Set<string>();
    for (let from = 0; from < bed.audit.size; from += 1_000) {
      for (const record of bed.audit.read({ from, limit: 1_000 })) {
        ids.add(record.id);
        if (record.ref !== undefined) refs.add(record.ref);
      }
    }
    const certificates = store.all({}, 100_000);
    for (const { serial, revokedAt } of certificates) {
      t.true(ids.has(`issue-${serial}`), "in the book and on record");
      t.is(refs.has(`issue-${serial}`), revokedAt !== null, "revoked and on record");
    }
    t.is([...ids].filter((id) => id.startsWith("issue-")).length, certificates.length);
    t.is([...ids].filter((id) => /^authority-[0-9a-f]{64}$/.test(id)).length, store.authorities.length);
    for (const role of ["issuing", "infrastructure"] as const) {
      const current = store.standing(role).filter(({ state }) => state === "current");
      t.is(current.length, role === "issuing" ? 3 : 1, "each tier has one that issues");
    }
    await bed.audit.close();
  }
  t.true(said.length > 100);
});
