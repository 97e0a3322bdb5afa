import type { Database, Migration } from "../audit/index.ts";
import { BugError } from "../base/index.ts";
import {
  LOCK_KINDS,
  postureFactsSchema,
  postureKey,
  type Lock,
  type LockKind,
  type LockView,
  type PostureReport,
} from "../link/index.ts";

/**
 * `ended` is null for a lock in force. `id` is counted, so that a person can type it. `key` is link's postureKey: SQLite takes two NULLs
 * in a key for different.
 */
export const createTrust: Migration = {
  name: "locks, postures, known time",
  sql: `
    CREATE TABLE locks (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL,
      value TEXT NOT NULL,
      reason TEXT NOT NULL,
      by TEXT NOT NULL,
      since INTEGER NOT NULL,
      until INTEGER,
      ended INTEGER,
      ended_by TEXT
    ) STRICT;
    CREATE TABLE postures (
      key TEXT NOT NULL PRIMARY KEY,
      device TEXT NOT NULL,
      authority TEXT,
      tenant TEXT,
      by TEXT NOT NULL,
      made INTEGER NOT NULL,
      received INTEGER NOT NULL,
      facts TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE known_time (one INTEGER PRIMARY KEY CHECK (one = 1), floor INTEGER NOT NULL) STRICT;`,
};

interface LockRow {
  id: number;
  kind: string;
  value: string;
  reason: string;
  by: string;
  since: number;
  until: number | null;
  ended: number | null;
  ended_by: string | null;
}

interface PostureRow {
  device: string;
  authority: string | null;
  tenant: string | null;
  by: string;
  made: number;
  received: number;
  facts: string;
}

/** Milliseconds for which a lock that ended is shown, and a report kept. */
const KEPT = 30 * 86_400_000;
/** Locks that ended, shown at most. */
const MAX_ENDED = 200;

/** What is known of trust, beyond a restart. Throws what SQLite says where the disk is full. */
export class TrustStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The number of a lock that is in force before it can be kept. */
  nextLock(): number {
    const row = this.#db
      .prepare<[], { next: number }>("SELECT coalesce(max(id), 0) + 1 AS next FROM locks")
      .get();
    return row?.next ?? 1;
  }

  addLock({ id, kind, value, reason, by, since, until }: Lock): void {
    this.#db
      .prepare("INSERT INTO locks (id, kind, value, reason, by, since, until) VALUES (?, ?, ?, ?, ?, ?, ?)")
      .run(Number(id), kind, value, reason, by, since, until);
  }

  endLock(id: string, ended: number, by: string | null): void {
    this.#db.prepare("UPDATE locks SET ended = ?, ended_by = ? WHERE id = ?").run(ended, by, Number(id));
  }

  locksInForce(): Lock[] {
    return this.#db
      .prepare<[], LockRow>("SELECT * FROM locks WHERE ended IS NULL ORDER BY id")
      .all()
      .map((row) => lockOf(row));
  }

  /** Newest first. */
  locksEnded(now: number): LockView[] {
    return this.#db
      .prepare<[number, number], LockRow>("SELECT * FROM locks WHERE ended > ? ORDER BY id DESC LIMIT ?")
      .all(now - KEPT, MAX_ENDED)
      .map((row) => ({ ...lockOf(row), ended: row.ended, endedBy: row.ended_by }));
  }

  postures(): PostureReport[] {
    return this.#db
      .prepare<[], PostureRow>(
        "SELECT device, authority, tenant, by, made, received, facts FROM postures ORDER BY key",
      )
      .all()
      .map((row) => ({ ...row, facts: postureFactsSchema.parse(JSON.parse(row.facts)) }));
  }

  /** The latest of its key; those that no requirement can still count are dropped. */
  keepPosture(report: PostureReport, now: number): void {
    const { device, authority, tenant, by, made, received, facts } = report;
    this.#db.prepare("DELETE FROM postures WHERE made < ?").run(now - KEPT);
    this.#db
      .prepare("INSERT OR REPLACE INTO postures VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .run(postureKey(report), device, authority, tenant, by, made, received, JSON.stringify(facts));
  }

  floor(): number {
    return (
      this.#db.prepare<[], { floor: number }>("SELECT floor FROM known_time WHERE one = 1").get()?.floor ?? 0
    );
  }

  keepFloor(floor: number): void {
    this.#db.prepare("INSERT OR REPLACE INTO known_time (one, floor) VALUES (1, ?)").run(floor);
  }
}

function lockOf({ id, kind, value, reason, by, since, until }: LockRow): Lock {
  return { id: String(id), kind: kindOf(kind), value, reason, by, since, until };
}

/** A lock of a kind that this niac does not know was made by a later one: to leave it out would unlock it. */
function kindOf(text: string): LockKind {
  const kind = LOCK_KINDS.find((one) => one === text);
  if (kind === undefined)
    throw new BugError("lock-kind", `the database holds a lock of an unknown kind: ${text}`);
  return kind;
}
