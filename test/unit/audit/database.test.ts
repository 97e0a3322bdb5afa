import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import BetterSqlite from "better-sqlite3";
import { AuditLog, createRecords, openDatabase } from "../../../src/audit/index.ts";
import { UnavailableError, UsageError } from "../../../src/base/index.ts";
import { directory, draft } from "./samples.ts";

test("a new database is readable by its owner alone, as are the files SQLite puts beside it", async (t) => {
  const folder = join(directory(t), "state");
  const path = join(folder, "niac.db");
  const db = openDatabase(path);
  t.teardown(() => db.close());
  await new AuditLog(db, "niac-1").append([draft()], "now");
  t.is(statSync(folder).mode & 0o777, 0o700);
  for (const end of ["", "-wal", "-shm"]) t.is(statSync(path + end).mode & 0o777, 0o600, end);
});

test("a file with too wide a mode is narrowed", (t) => {
  const path = join(directory(t), "niac.db");
  openDatabase(path).close();
  chmodSync(path, 0o644);
  openDatabase(path).close();
  t.is(statSync(path).mode & 0o777, 0o600);
});

test("commits are synced: WAL, synchronous FULL, foreign keys, a wait for locks", (t) => {
  const db = openDatabase(join(directory(t), "niac.db"));
  t.teardown(() => db.close());
  t.is(db.pragma("journal_mode", { simple: true }), "wal");
  t.is(db.pragma("synchronous", { simple: true }), 2);
  t.is(db.pragma("foreign_keys", { simple: true }), 1);
  t.is(db.pragma("busy_timeout", { simple: true }), 1_000);
});

test("migrations run once, in order, and only forward", (t) => {
  const path = join(directory(t), "niac.db");
  const second = { name: "sites", sql: "CREATE TABLE sites (version INTEGER PRIMARY KEY) STRICT" };
  openDatabase(path).close();
  const db = openDatabase(path, [createRecords, second]);
  t.is(db.pragma("user_version", { simple: true }), 2);
  t.is(db.prepare("SELECT count(*) FROM sites").pluck().get(), 0);
  db.close();
  openDatabase(path, [createRecords, second]).close();
  const again = openDatabase(path, [createRecords, second]);
  t.teardown(() => again.close());
  t.is(again.pragma("user_version", { simple: true }), 2);
});

test("an earlier niac goes on with what a later one only added to, and the later one with that", (t) => {
  const path = join(directory(t), "niac.db");
  const second = { name: "sites", sql: "CREATE TABLE sites (version INTEGER PRIMARY KEY) STRICT" };
  openDatabase(path, [createRecords, second]).close();
  const earlier = openDatabase(path);
  t.is(earlier.prepare("SELECT count(*) FROM records").pluck().get(), 0);
  t.is(earlier.pragma("user_version", { simple: true }), 2);
  earlier.close();
  const later = openDatabase(path, [createRecords, second]);
  t.teardown(() => later.close());
  t.is(later.prepare("SELECT count(*) FROM sites").pluck().get(), 0);
});

test("an earlier niac does not open what a later one changed so that it would misread it", (t) => {
  const path = join(directory(t), "niac.db");
  const second = { name: "moved", sql: "ALTER TABLE unfinished RENAME TO begun", breaks: true } as const;
  const third = { name: "more", sql: "CREATE TABLE more (a)" };
  openDatabase(path, [createRecords, second, third]).close();
  const error = t.throws(() => openDatabase(path), { instanceOf: UsageError, code: "database-newer" });
  t.true(error.message.includes(path));
  t.regex(error.message, /knows 2 steps of its schema, this one knows 1/);
  t.regex(error.advice ?? "", /later niac/);
  openDatabase(path, [createRecords, second]).close();
});

test("a migration that fails leaves the database as it was", (t) => {
  const path = join(directory(t), "niac.db");
  openDatabase(path).close();
  const half = { name: "half", sql: "CREATE TABLE half (a) ; CREATE TABLE records (a)" };
  t.throws(() => openDatabase(path, [createRecords, half]), { code: "database-open" });
  const db = openDatabase(path);
  t.teardown(() => db.close());
  t.is(db.pragma("user_version", { simple: true }), 1);
  t.throws(() => db.prepare("SELECT * FROM half"), { message: /no such table/ });
});

test("what is no database is left untouched, with its path and advice in the error", (t) => {
  const path = join(directory(t), "niac.db");
  writeFileSync(path, "this is a text file, and a long one at that. ".repeat(100));
  const error = t.throws(() => openDatabase(path), { instanceOf: UnavailableError, code: "database-open" });
  t.true(error.message.includes(path));
  t.regex(error.advice ?? "", /no SQLite database/);
  t.is(statSync(path).size, 4_500);
});

test("a directory in the file's place is an error with advice", (t) => {
  const path = join(directory(t), "niac.db");
  mkdirSync(path);
  const error = t.throws(() => openDatabase(path), { instanceOf: UnavailableError, code: "database-open" });
  t.truthy(error.advice);
});

test("a database another process is writing to is named as busy", (t) => {
  const path = join(directory(t), "niac.db");
  openDatabase(path).close();
  const other = new BetterSqlite(path);
  t.teardown(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  const error = t.throws(() => openDatabase(path), { instanceOf: UnavailableError, code: "database-open" });
  t.regex(error.advice ?? "", /Another process/);
});

test("SQLite itself refuses to change or delete a record", async (t) => {
  const db = openDatabase(join(directory(t), "niac.db"));
  t.teardown(() => db.close());
  await new AuditLog(db, "niac-1").append([draft()], "now");
  t.throws(() => db.exec("DELETE FROM records"), { message: /only appended to/ });
  t.throws(() => db.exec("UPDATE records SET stored = 0"), { message: /only appended to/ });
  t.is(db.prepare("SELECT count(*) FROM records WHERE stored > 0").pluck().get(), 1);
});
