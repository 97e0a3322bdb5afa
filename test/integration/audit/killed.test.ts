import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "ava";
import { AuditLog, openDatabase } from "../../../src/audit/index.ts";
import { directory } from "../../unit/audit/samples.ts";

const APPENDER = join(import.meta.dirname, "appender.ts");
const ROUNDS = 12;

/** Kills the appender with no warning once it has acknowledged so many; what it had acknowledged till then. */
async function killedAfter(acknowledged: number, path: string, run: string): Promise<string[]> {
  const child = spawn(process.execPath, [APPENDER, path, "8", run], { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  const lines: string[] = [];
  // Whole lines only: the last one may be torn.
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === acknowledged) child.kill("SIGKILL");
  }
  const [, signal]: unknown[] = await exit;
  if (signal !== "SIGKILL") throw new Error(`the appender ended by itself: ${lines.at(-1)}`);
  return lines.filter((line) => /^\d+ \S+-\d+-\d+-\d+$/.test(line));
}

test("killed at any moment, the log holds all it acknowledged, without a gap", async (t) => {
  const path = join(directory(t), "niac.db");
  const all: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    all.push(...(await killedAfter(1 + 37 * round, path, `run${round}`)));
    const db = openDatabase(path);
    try {
      // Opening checks that there is no gap.
      const log = new AuditLog(db, "niac-1");
      t.true(log.size >= all.length);
      t.is(db.pragma("integrity_check", { simple: true }), "ok");
      for (const line of all) {
        const [index, id] = line.split(" ");
        t.is(log.get(Number(index))?.id, id);
      }
    } finally {
      db.close();
    }
  }
  t.true(all.length > 37 * ROUNDS);
});
