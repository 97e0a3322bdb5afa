import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import BetterSqlite from "better-sqlite3";
import { messageOf, systemCode, UnavailableError, UsageError } from "../base/index.ts";

export type Database = BetterSqlite.Database;

/** One step of the file's schema. Steps are only ever added at the end of the list; `PRAGMA user_version` counts those done. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
  /**
   * A niac that does not know this step must not open the file any more. Left out: it goes on with it, as an update of the box's image
   * that is tried and left needs it to; the step only adds tables, indexes, triggers and columns that may be empty.
   */
  readonly breaks?: true;
}

/**
 * `json` is the truth; the columns beside it are computed from it by SQLite, so they cannot say anything else, and stand before
 * it, so that a search need not read it. `latest` is the largest `time` up to this row: rising, so that a search by time can
 * bisect it and needs no index of its own, which flash memory would have to pay for on every commit. `unfinished` holds what
 * has begun and not ended, so that it is found after a crash without reading the whole log.
 */
export const createRecords: Migration = {
  name: "records",
  sql: `
    CREATE TABLE records (
      idx INTEGER PRIMARY KEY CHECK (idx >= 0),
      stored INTEGER NOT NULL,
      latest INTEGER NOT NULL,
      time INTEGER NOT NULL AS (json_extract(json, '$.time')) STORED,
      kind TEXT NOT NULL AS (json_extract(json, '$.kind')) STORED,
      id TEXT NOT NULL AS (json_extract(json, '$.id')) STORED,
      session TEXT AS (json_extract(json, '$.session')) STORED,
      user TEXT AS (json_extract(json, '$.identity.user')) STORED,
      fingerprint TEXT AS (coalesce(json_extract(json, '$.identity.fingerprint'), json_extract(json, '$.presented.fingerprint'))) STORED,
      machine TEXT AS (json_extract(json, '$.machine')) STORED,
      service TEXT AS (json_extract(json, '$.service')) STORED,
      decision TEXT AS (json_extract(json, '$.decision')) STORED,
      stage TEXT AS (json_extract(json, '$.stage')) STORED,
      rule TEXT AS (json_extract(json, '$.rule')) STORED,
      ref TEXT AS (json_extract(json, '$.ref')) STORED,
      json TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX records_id ON records (id);
    CREATE INDEX records_ref ON records (ref) WHERE ref IS NOT NULL;
    CREATE INDEX records_session ON records (session) WHERE session IS NOT NULL;
    CREATE INDEX records_user ON records (user) WHERE user IS NOT NULL;
    CREATE INDEX records_machine ON records (machine) WHERE machine IS NOT NULL;
    CREATE INDEX records_denied ON records (kind) WHERE decision = 'denial';
    CREATE TRIGGER records_no_update BEFORE UPDATE ON records BEGIN SELECT raise(ABORT, 'the audit log is only appended to'); END;
    CREATE TRIGGER records_no_delete BEFORE DELETE ON records BEGIN SELECT raise(ABORT, 'the audit log is only appended to'); END;
    CREATE TABLE unfinished (
      what TEXT NOT NULL CHECK (what IN ('session', 'write')),
      name TEXT NOT NULL,
      idx INTEGER NOT NULL REFERENCES records (idx),
      PRIMARY KEY (what, name)
    ) STRICT, WITHOUT ROWID;`,
};

/** How long a statement waits for another process's lock; the event loop stands still meanwhile. Milliseconds. */
const BUSY_TIMEOUT = 1_000;
/** The WAL is cut back to this after a burst. Bytes. */
const WAL_LIMIT = 16 * 1024 * 1024;

/**
 * Opens the one file all of control's state is in, and brings its schema forward; a new directory gets mode 0700, the file 0600.
 * `migrations` is the whole list, in order, of all folders that keep tables in it. The caller closes the database.
 * Throws UsageError `database-newer` where the file was written by a later niac and changed so that this one would misread it, UnavailableError `database-open` where it
 * cannot be opened, read or brought forward.
 */
export function openDatabase(path: string, migrations: readonly Migration[] = [createRecords]): Database {
  let db: Database | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Made here, so that it never exists with a wider mode; SQLite gives its -wal and -shm files the same one.
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
    db = new BetterSqlite(path, { timeout: BUSY_TIMEOUT });
    // NORMAL would lose acknowledged commits at a power cut.
    for (const pragma of ["journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"]) db.pragma(pragma);
    db.pragma(`journal_size_limit = ${WAL_LIMIT}`);
    migrate(db, path, migrations);
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof UsageError) throw error;
    throw cannotOpen(path, error);
  }
}

function migrate(db: Database, path: string, migrations: readonly Migration[]): void {
  db.transaction(() => {
    const done = Number(db.pragma("user_version", { simple: true }));
    // SQLite keeps this number for the file's user: how many steps whoever opens it must know.
    const needed = Number(db.pragma("application_id", { simple: true }));
    if (needed > migrations.length) {
      throw new UsageError(
        "database-newer",
        `the database ${path} needs a niac that knows ${needed} steps of its schema, this one knows ${migrations.length}`,
        "It was written by a later niac. Start that version again, or restore the database from before the update.",
      );
    }
    if (done >= migrations.length) return;
    for (const migration of migrations.slice(done)) db.exec(migration.sql);
    db.pragma(`user_version = ${migrations.length}`);
    const breaking = migrations.findLastIndex(({ breaks }) => breaks === true) + 1;
    if (breaking > needed) db.pragma(`application_id = ${breaking}`);
  }).exclusive();
}

const ADVICE: readonly (readonly [code: string, advice: string])[] = [
  ["EACCES", "Start niac as the user who owns it, or correct its owner and mode."],
  ["EPERM", "Start niac as the user who owns it, or correct its owner and mode."],
  ["EROFS", "The file system is mounted read-only: check the storage for errors, then mount it for writing."],
  ["SQLITE_READONLY", "Check its owner and mode, and that its file system is mounted for writing."],
  ["ENOSPC", "The storage is full: free some space and start niac again."],
  ["SQLITE_FULL", "The storage is full: free some space and start niac again."],
  ["SQLITE_BUSY", "Another process has it open for writing: is niac running already?"],
  [
    "SQLITE_NOTADB",
    "It is no SQLite database. Keep a copy of it, check the path in the settings, or restore a backup.",
  ],
  ["SQLITE_CORRUPT", "It is damaged. Keep a copy of it for inspection and restore a backup."],
];

function cannotOpen(path: string, error: unknown): UnavailableError {
  const code = systemCode(error);
  const advice = ADVICE.find(([start]) => code.startsWith(start))?.[1] ?? "Check the path and the storage.";
  return new UnavailableError(
    "database-open",
    `the database ${path} cannot be opened: ${messageOf(error)}`,
    advice,
    {
      cause: error,
    },
  );
}
