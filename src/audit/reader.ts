import { setImmediate as nextTurn } from "node:timers/promises";
import { NiacError, UnavailableError, UsageError } from "../base/index.ts";
import type { Database } from "./database.ts";
import { explainFailure } from "./failure.ts";
import type { RecordFilter } from "./filter.ts";
import type { AuditRecord } from "./record.ts";
import { MAX_NAME } from "./schema.ts";
import { RecordSearch } from "./search.ts";
import { RecordStore } from "./store.ts";

export interface OpenSession {
  readonly session: string;
  readonly start: AuditRecord;
}

/** Records a search looks at in one turn: some milliseconds on the appliance. */
const SLICE = 2_000;
/** Records read at once; more is asked for again. */
const MAX_LIMIT = 10_000;

/** All ways of reading the log. `origin` is the appliance's name. They see what is committed, and throw BugError `audit-doubt` where the database is damaged. */
export class AuditReader {
  protected readonly store: RecordStore;
  protected readonly db: Database;
  protected readonly origin: string;
  readonly #search: RecordSearch;

  constructor(db: Database, origin: string) {
    if (origin.length < 1 || origin.length > MAX_NAME) {
      throw new UsageError(
        "audit-origin",
        `the appliance's name has ${origin.length} characters, 1 to ${MAX_NAME} are allowed`,
        "Set another name for the appliance.",
      );
    }
    this.db = db;
    this.origin = origin;
    this.store = new RecordStore(db, origin);
    this.#search = new RecordSearch(db);
  }

  /** From `from` (itself included; the newest where `reverse` and none is given) upwards, or downwards with `reverse`. */
  read(options: { from?: number; limit: number; reverse?: boolean }): AuditRecord[] {
    const { limit, reverse = false, from = reverse ? Number.MAX_SAFE_INTEGER : 0 } = options;
    checkLimit(limit);
    return this.reading(() => this.store.read(from, limit, reverse));
  }

  /**
   * The newest `limit` records that match, newest first; `before` (an index) goes on from an earlier answer's last one.
   * It looks at a slice of the log a turn, so that an append never waits for a long search.
   */
  async query(filter: RecordFilter, options: { limit: number; before?: number }): Promise<AuditRecord[]> {
    const { limit, before = Infinity } = options;
    checkLimit(limit);
    const { since } = filter;
    const size = this.reading(() => this.store.head().size);
    const floor = since === undefined ? 0 : this.reading(() => this.store.firstSince(since));
    const found: AuditRecord[] = [];
    for (let to = Math.min(before, size); to > floor && found.length < limit; to -= SLICE) {
      const slice = { from: Math.max(floor, to - SLICE), to, limit: limit - found.length };
      found.push(...this.reading(() => this.#search.slice(filter, slice)));
      await nextTurn();
    }
    return found;
  }

  get(index: number): AuditRecord | undefined {
    return this.reading(() => this.store.get(index));
  }

  byId(id: string): AuditRecord | undefined {
    return this.reading(() => this.store.byId(id));
  }

  /** The record with this id and those that name it as their `ref`, by index: an operation and its outcome. */
  related(id: string): AuditRecord[] {
    return this.reading(() => this.store.related(id, MAX_LIMIT));
  }

  /** Sessions with a start on record and no end, by index: after a crash, control records the end they had. */
  openSessions(): OpenSession[] {
    const starts = this.reading(() => this.store.unfinished("session"));
    return starts.flatMap((start) =>
      start.session === undefined ? [] : [{ session: start.session, start }],
    );
  }

  /** Permitted operations without an outcome on record, by index; by the record's contract these are writes. */
  openWrites(): AuditRecord[] {
    return this.reading(() => this.store.unfinished("write"));
  }

  protected reading<T>(read: () => T): T {
    if (!this.db.open) throw this.closed();
    try {
      return read();
    } catch (error) {
      throw error instanceof NiacError ? error : explainFailure(error, this.origin);
    }
  }

  protected closed(): UnavailableError {
    return new UnavailableError(
      "audit-closed",
      `the audit log of ${this.origin} is closed`,
      "Start niac control again.",
    );
  }
}

function checkLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return;
  throw new UsageError(
    "audit-limit",
    `${limit} records were asked for at once, 1 to ${MAX_LIMIT} can be had`,
  );
}
