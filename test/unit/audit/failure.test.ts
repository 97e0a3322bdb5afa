import { closeSync, openSync, writeSync } from "node:fs";
import test from "ava";
import BetterSqlite from "better-sqlite3";
import { AuditLog, openDatabase, type Database } from "../../../src/audit/index.ts";
import { BugError, UnavailableError } from "../../../src/base/index.ts";
import { draft, openLog, plain } from "./samples.ts";

/** Leaves the database no page to grow by. */
function fill(db: Database): void {
  db.pragma(`max_page_count = ${Number(db.pragma("page_count", { simple: true }))}`);
}

const long = { reason: "r".repeat(1_000) };

test("a full database refuses with a name, stores nothing by halves, and goes on by itself when there is room", async (t) => {
  const fatal: BugError[] = [];
  const { db, log } = openLog(t, { onFatal: (error) => fatal.push(error) });
  await log.append([draft()], "now");
  fill(db);
  const refused = plain(50, long);
  const error = await t.throwsAsync(log.append(refused, "now"), {
    instanceOf: UnavailableError,
    code: "audit-full",
  });
  t.regex(error.message, /audit log of niac-1 is full/);
  t.regex(error.advice ?? "", /Free some space/);
  t.is(log.state, "full");
  t.is(log.size, 1);
  t.is(db.prepare("SELECT count(*) FROM records").pluck().get(), 1);
  t.false(db.inTransaction);
  await t.throwsAsync(log.append(plain(50, long), "now"), { code: "audit-full" });
  await t.throwsAsync(log.append(plain(50, long), "soon"), { code: "audit-full" });

  db.pragma("max_page_count = 100000");
  const indexes = Array.from({ length: 50 }, (_, at) => at + 1);
  t.deepEqual(await log.append(refused, "now"), { indexes });
  t.is(log.state, "writing");
  t.deepEqual(fatal, []);
});

test("flush rejects as the appends it could not commit", async (t) => {
  const { db, log } = openLog(t);
  await log.append([draft()], "now");
  fill(db);
  const soon = t.throwsAsync(log.append(plain(50, long), "soon"), { code: "audit-full" });
  await t.throwsAsync(log.flush(), { code: "audit-full" });
  await soon;
  await log.flush();
});

test("a database locked by another process refuses for now, and is not fatal", async (t) => {
  const { path, db, log } = openLog(t);
  db.pragma("busy_timeout = 0");
  const other = new BetterSqlite(path);
  t.teardown(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  await t.throwsAsync(log.append([draft()], "now"), { instanceOf: UnavailableError, code: "audit-busy" });
  other.exec("ROLLBACK");
  t.deepEqual(await log.append([draft()], "now"), { indexes: [0] });
});

test("a failure that is neither is doubt: told once, and every append refused after it", async (t) => {
  const fatal: BugError[] = [];
  const { db, log } = openLog(t, { onFatal: (error) => fatal.push(error) });
  await log.append([draft()], "now");
  db.exec(
    "DROP INDEX records_id; CREATE TRIGGER broken BEFORE INSERT ON records BEGIN SELECT raise(ABORT, 'broken'); END",
  );
  const together = [log.append([draft()], "now"), log.append([draft()], "now")];
  for (const each of together) {
    const error = await t.throwsAsync(each, { instanceOf: UnavailableError, code: "audit-doubt" });
    t.true(error.cause === fatal[0]);
  }
  t.regex(fatal[0]?.message ?? "", /niac-1 is in doubt: broken/);
  t.is(log.state, "stopped");
  db.exec("DROP TRIGGER broken");
  await t.throwsAsync(log.append([draft()], "now"), { code: "audit-doubt" });
  await log.close();
  t.is(log.state, "stopped");
  t.is(fatal.length, 1);
  t.is(log.read({ limit: 5 }).length, 1);
});

test("what was still queued when the log stopped is not written", async (t) => {
  const { db, log } = openLog(t, { onFatal: () => db.exec("DROP TRIGGER broken") });
  db.exec("CREATE TRIGGER broken BEFORE INSERT ON records BEGIN SELECT raise(ABORT, 'broken'); END");
  const appends = Array.from({ length: 11 }, () => log.append(plain(500), "now"));
  const results = await Promise.allSettled(appends);
  t.true(results.every((result) => result.status === "rejected"));
  t.is(log.state, "stopped");
  t.is(db.prepare("SELECT count(*) FROM records").pluck().get(), 0);
});

test("a database closed under the log is doubt", async (t) => {
  const fatal: BugError[] = [];
  const { db, log } = openLog(t, { onFatal: (error) => fatal.push(error) });
  db.close();
  await t.throwsAsync(log.append([draft()], "now"), { instanceOf: UnavailableError, code: "audit-doubt" });
  t.is(fatal.length, 1);
  t.true(fatal[0] instanceof BugError);
  t.throws(() => log.read({ limit: 1 }), { instanceOf: UnavailableError, code: "audit-closed" });
});

test("a damaged file is not gone on with", async (t) => {
  const { path, db, log } = openLog(t);
  await log.append(plain(200, long), "now");
  const pages = (sql: string) => db.prepare(sql).pluck().all().map(Number);
  const roots = pages("SELECT rootpage FROM sqlite_schema WHERE name IN ('records_id', 'records')");
  const size = Number(db.pragma("page_size", { simple: true }));
  db.close();
  const file = openSync(path, "r+");
  for (const root of roots) writeSync(file, Buffer.alloc(size, 0xa5), 0, size, (root - 1) * size);
  closeSync(file);
  const damaged = openDatabase(path);
  t.teardown(() => damaged.close());
  const error = t.throws(() => new AuditLog(damaged, "niac-1"), {
    instanceOf: BugError,
    code: "audit-doubt",
  });
  t.regex(error.message, /malformed \(SQLITE_CORRUPT/);
});
