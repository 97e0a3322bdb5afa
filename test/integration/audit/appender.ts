/**
 * Appends in a loop and prints each acknowledged index with its draft's id, one a line, until it is killed or the log fails;
 * then a last line of JSON says how. Arguments: the database, the waiting writers, a name for this run's ids.
 */
import { writeSync } from "node:fs";
import { AuditLog, openDatabase } from "../../../src/audit/index.ts";
import { NiacError } from "../../../src/base/index.ts";
import { plain } from "../../unit/audit/samples.ts";

const [path = "", writers = "1", run = ""] = process.argv.slice(2);
const fatal: string[] = [];
const db = openDatabase(path);
const log = new AuditLog(db, "niac-1", { onFatal: (error) => fatal.push(error.code) });

async function writer(name: string): Promise<void> {
  for (let round = 0; ; round++) {
    const drafts = plain(1 + (round % 3)).map((each, at) => ({
      ...each,
      id: `${run}-${name}-${round}-${at}`,
      reason: "x".repeat(700),
    }));
    const { indexes } = await log.append(drafts, round % 5 === 0 ? "soon" : "now");
    writeSync(1, indexes.map((index, at) => `${index} ${drafts[at]!.id}\n`).join(""));
  }
}

try {
  await Promise.all(Array.from({ length: Number(writers) }, (_, at) => writer(String(at))));
} catch (error) {
  const code = error instanceof NiacError ? error.code : String(error);
  writeSync(1, `${JSON.stringify({ code, fatal, state: log.state, size: log.size })}\n`);
}
