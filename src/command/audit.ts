import { Command } from "commander";
import {
  formatHeader,
  formatRecord,
  formatRecordLong,
  parseRecord,
  type AuditRecord,
} from "../audit/index.ts";
import { UsageError } from "../base/index.ts";
import { auditFollow, auditNew, auditQuery, auditRead, auditShow } from "../link/index.ts";
import { ask, withControl, type Surroundings } from "./context.ts";

/** `niac audit ...`: reading the record. */
export function auditCommand(around: Surroundings): Command {
  const audit = new Command("audit").description("the record of all that happened");
  audit
    .command("tail")
    .description("the newest records, and with --follow those that come")
    .option("-n, --lines <count>", "how many to begin with", "20")
    .option("-f, --follow", "go on until Ctrl-C", false)
    .option("--json", "one JSON object a line", false)
    .action((options: { lines: string; follow: boolean; json: boolean }) => tail(around, options));
  audit
    .command("show <index>")
    .description("one record in full, with those that belong to it")
    .option("--json", "one JSON object a line", false)
    .action((index: string, options: { json: boolean }) => show(around, index, options.json));
  audit
    .command("query [filter...]")
    .description("search, newest first: user=alice decision=denial since=2h ...")
    .option("-n, --lines <count>", "how many at most", "50")
    .option("--before <index>", "go on from the last one of an earlier answer")
    .option("--json", "one JSON object a line", false)
    .action((words: string[], options: { lines: string; before?: string; json: boolean }) =>
      query(around, words, options),
    );
  return audit;
}

async function tail(
  around: Surroundings,
  options: { lines: string; follow: boolean; json: boolean },
): Promise<void> {
  const limit = count(options.lines, "--lines");
  const print = printer(around, options.json);
  await withControl(around, async (channel) => {
    let next = 0;
    const showNew = (records: readonly unknown[]): void => {
      const fresh = records.map(parseShown).filter((record) => record.index >= next);
      next = (fresh.at(-1)?.index ?? next - 1) + 1;
      print(fresh);
    };
    // Following begins before the first read, so that nothing falls between them.
    const early: unknown[] = [];
    let reading = true;
    channel.on(auditNew, ({ records }) => {
      if (reading) early.push(...records);
      else showNew(records);
    });
    if (options.follow) await channel.call(auditFollow, null);
    const newest = await channel.call(auditRead, { from: null, limit, reverse: true });
    showNew(newest.toReversed());
    reading = false;
    showNew(early);
    if (!options.follow) return;
    const lost = new Promise<void>((_, reject) => channel.onClosed(reject));
    await Promise.race([around.interrupted(), lost]);
  });
}

async function show(around: Surroundings, index: string, json: boolean): Promise<void> {
  const records = (await ask(around, auditShow, { index: count(index, "the index", 0) })).map(parseShown);
  for (const [at, record] of records.entries()) {
    if (at > 0 && !json) around.print("");
    around.print(
      json ? JSON.stringify(record) : formatRecordLong(record, { color: around.color, width: around.width }),
    );
  }
}

async function query(
  around: Surroundings,
  words: string[],
  options: { lines: string; before?: string; json: boolean },
): Promise<void> {
  const records = await ask(around, auditQuery, {
    words,
    limit: count(options.lines, "--lines"),
    before: options.before === undefined ? null : count(options.before, "--before", 0),
  });
  if (records.length === 0 && !options.json) around.print("No record matches.");
  else printer(around, options.json)(records.map(parseShown));
}

function printer(around: Surroundings, json: boolean): (records: readonly AuditRecord[]) => void {
  const format = { color: around.color, width: around.width };
  let headed = json;
  return (records) => {
    if (!headed && records.length > 0) {
      around.print(formatHeader(format));
      headed = true;
    }
    for (const record of records) around.print(json ? JSON.stringify(record) : formatRecord(record, format));
  };
}

function parseShown(record: unknown): AuditRecord {
  return parseRecord(JSON.stringify(record));
}

function count(text: string, what: string, least = 1): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (value >= least) return value;
  throw new UsageError("count", `${what} is "${text}"; it takes a whole number from ${least}`);
}
