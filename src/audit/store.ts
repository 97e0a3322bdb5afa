import { PeerError, systemCode } from "../base/index.ts";
import { canonicalJson } from "./canonical.ts";
import type { Database } from "./database.ts";
import { inDoubt } from "./failure.ts";
import type { AuditRecord, RecordDraft } from "./record.ts";
import { MAX_RECORD_BYTES, parseRecord } from "./schema.ts";

/** What became of one append within a commit: the index of each draft, or why none of them was stored. */
export type Stored = { readonly indexes: readonly number[] } | { readonly refused: Error };

export interface Append {
  readonly drafts: readonly RecordDraft[];
  /** What is to change in the database with them, or not at all; throws where it cannot be. */
  readonly change: (() => void) | undefined;
}

interface Head {
  /** The next index. */
  readonly size: number;
  /** The largest event time so far. */
  readonly latest: number;
}

interface JsonRow {
  json: string;
}

/** The statements over the records' tables. Throws what SQLite throws; what that means is `explainFailure`'s to say. */
export class RecordStore {
  readonly #db: Database;
  readonly #origin: string;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: Database, origin: string) {
    this.#db = db;
    this.#origin = origin;
    this.#statements = prepare(db);
  }

  /** One transaction for all of them; each append is stored whole or refused whole. */
  commit(appends: readonly Append[], now: number): readonly Stored[] {
    const store = this.#db.transaction(() => appends.map((append) => this.#appendWith(append, now)));
    return store.immediate();
  }

  #appendWith({ drafts, change }: Append, now: number): Stored {
    if (change === undefined) return this.#append(drafts, now);
    let stored: Stored = { indexes: [] };
    try {
      // A savepoint: what it changed goes with its records, and with no other append's.
      this.#db.transaction(() => {
        stored = this.#append(drafts, now);
        if ("refused" in stored) throw stored.refused;
        change();
      })();
      return stored;
    } catch (error) {
      const code = systemCode(error);
      // A full or failing disk is the whole commit's affair.
      if (code.startsWith("SQLITE_") && !code.startsWith("SQLITE_CONSTRAINT")) throw error;
      return { refused: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  #append(drafts: readonly RecordDraft[], stored: number): Stored {
    // Read from the table, not remembered: so the index is right whatever happened to the transaction before.
    const head = this.head();
    const fresh = new Map<string, AuditRecord>();
    const rows: string[] = [];
    const indexes: number[] = [];
    for (const draft of drafts) {
      const earlier = fresh.get(draft.id) ?? this.byId(draft.id);
      const record = earlier ?? { ...draft, origin: this.#origin, index: head.size + fresh.size, stored };
      const json = canonicalJson(record);
      const refused = earlier === undefined ? tooLong(record, json) : reused(earlier, json, draft);
      if (refused !== undefined) return { refused };
      if (earlier === undefined) {
        fresh.set(draft.id, record);
        rows.push(json);
      }
      indexes.push(record.index);
    }
    this.#insert([...fresh.values()], rows, head.latest);
    return { indexes };
  }

  #insert(records: readonly AuditRecord[], rows: readonly string[], before: number): void {
    let latest = before;
    for (const [at, record] of records.entries()) {
      latest = Math.max(latest, record.time);
      this.#statements.insert.run(record.index, record.stored, latest, rows[at]);
      this.#track(record);
    }
  }

  /** Keeps `unfinished` in step, also where the end was stored before the beginning. */
  #track(record: AuditRecord): void {
    const { begin, end, ended, answered } = this.#statements;
    const { kind, session, ref, id, index } = record;
    if (kind === "session.start" && session !== undefined) {
      if (ended.get(session) === undefined) begin.run("session", session, index);
    } else if (kind === "session.end" && session !== undefined) {
      end.run("session", session);
    } else if (kind === "operation" && record.decision === "permit") {
      if (answered.get(id) === undefined) begin.run("write", id, index);
    } else if (kind === "outcome" && ref !== undefined) {
      end.run("write", ref);
    }
  }

  head(): Head {
    return this.#statements.head.get() ?? { size: 0, latest: 0 };
  }

  /** Throws BugError `audit-doubt` where an index is missing or the log's rows were tampered with in number. */
  check(): void {
    const count = this.#statements.count.get()?.count ?? 0;
    const { size } = this.head();
    if (count !== size) {
      throw inDoubt(
        `the audit log of ${this.#origin} has gaps: its last index is ${size - 1}, it holds ${count} records`,
      );
    }
  }

  get(index: number): AuditRecord | undefined {
    return one(this.#statements.get.get(index));
  }

  byId(id: string): AuditRecord | undefined {
    return one(this.#statements.byId.get(id));
  }

  /** From `from` upwards or downwards, itself included. */
  read(from: number, limit: number, reverse: boolean): AuditRecord[] {
    return all((reverse ? this.#statements.down : this.#statements.up).all(from, limit));
  }

  related(id: string, limit: number): AuditRecord[] {
    return all(this.#statements.related.all(id, id, limit));
  }

  unfinished(what: "session" | "write"): AuditRecord[] {
    return all(this.#statements.unfinished.all(what));
  }

  /** The first index at which the largest time so far is at least `time`: no record before it is as late as that. */
  firstSince(time: number): number {
    let low = 0;
    let high = this.head().size;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = this.#statements.latest.get(middle);
      if (row === undefined) throw inDoubt(`the audit log of ${this.#origin} has no record ${middle}`);
      if (row.latest >= time) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function prepare(db: Database) {
  const records = (rest: string) =>
    db.prepare<(string | number)[], JsonRow>(`SELECT json FROM records ${rest}`);
  return {
    insert: db.prepare("INSERT INTO records (idx, stored, latest, json) VALUES (?, ?, ?, ?)"),
    begin: db.prepare("INSERT OR IGNORE INTO unfinished (what, name, idx) VALUES (?, ?, ?)"),
    end: db.prepare("DELETE FROM unfinished WHERE what = ? AND name = ?"),
    ended: db.prepare("SELECT 1 FROM records WHERE session = ? AND kind = 'session.end' LIMIT 1"),
    answered: db.prepare("SELECT 1 FROM records WHERE ref = ? AND kind = 'outcome' LIMIT 1"),
    head: db.prepare<[], Head>("SELECT idx + 1 AS size, latest FROM records ORDER BY idx DESC LIMIT 1"),
    count: db.prepare<[], { count: number }>("SELECT count(*) AS count FROM records"),
    latest: db.prepare<[number], { latest: number }>("SELECT latest FROM records WHERE idx = ?"),
    get: records("WHERE idx = ?"),
    byId: records("WHERE id = ?"),
    up: records("WHERE idx >= ? ORDER BY idx LIMIT ?"),
    down: records("WHERE idx <= ? ORDER BY idx DESC LIMIT ?"),
    related: records("WHERE id = ? OR ref = ? ORDER BY idx LIMIT ?"),
    unfinished: records("JOIN unfinished USING (idx) WHERE what = ? ORDER BY idx"),
  };
}

function tooLong(record: AuditRecord, json: string): PeerError | undefined {
  const bytes = Buffer.byteLength(json);
  if (bytes <= MAX_RECORD_BYTES) return undefined;
  return new PeerError(
    "audit-draft",
    `the ${record.kind} record ${record.id} has ${bytes} bytes, ${MAX_RECORD_BYTES} are allowed`,
  );
}

/** The same draft handed in again is fine; another one under its id would go unrecorded, so it is refused. */
function reused(earlier: AuditRecord, json: string, draft: RecordDraft): PeerError | undefined {
  const { origin, index, stored } = earlier;
  if (canonicalJson({ ...draft, origin, index, stored }) === json) return undefined;
  return new PeerError("audit-id", `the id ${draft.id} is on record for something else, at index ${index}`);
}

function one(row: JsonRow | undefined): AuditRecord | undefined {
  return row === undefined ? undefined : parseRecord(row.json);
}

function all(rows: readonly JsonRow[]): AuditRecord[] {
  return rows.map((row) => parseRecord(row.json));
}
