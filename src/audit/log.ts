import { setImmediate as nextTurn } from "node:timers/promises";
import { BugError, messageOf, NiacError, systemClock, UnavailableError, UsageError } from "../base/index.ts";
import type { Clock } from "../base/index.ts";
import type { Database } from "./database.ts";
import { explainFailure, inDoubt } from "./failure.ts";
import type { RecordFilter } from "./filter.ts";
import type { AuditRecord, RecordDraft } from "./record.ts";
import { MAX_DRAFTS, parseDrafts } from "./schema.ts";
import { RecordSearch } from "./search.ts";
import { RecordStore } from "./store.ts";
import type { Stored } from "./store.ts";

/** `now`: somebody waits, commit at the end of this turn of the event loop. `soon`: within 50 to 100 ms. */
export type Urgency = "now" | "soon";

/**
 * `full`: the last commit found no room; the next append tries again. `stopped`: the log is in doubt, see `onFatal`; every
 * append is refused until the process is started again.
 */
export type AuditState = "writing" | "full" | "stopped" | "closed";

export interface AppendResult {
  /** One for each draft, in order. A draft that was stored before, by the same id, has its old index. */
  readonly indexes: readonly number[];
}

/** Indexes `from` up to but not including `to`. */
export interface NewRecords {
  readonly from: number;
  readonly to: number;
}

export interface OpenSession {
  readonly session: string;
  readonly start: AuditRecord;
}

export interface AuditLogOptions {
  readonly clock?: Clock;
  /** Called once, when the log is in doubt: the process must stop. */
  readonly onFatal?: (error: BugError) => void;
}

interface Waiting {
  readonly drafts: readonly RecordDraft[];
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
}

/** Milliseconds; timers fire late, so that what is `soon` stays under 100. */
const SOON = 50;
/** Records a search looks at in one turn: some milliseconds on the appliance. */
const SLICE = 2_000;
/** Records read at once; more is asked for again. */
const MAX_LIMIT = 10_000;

/** The one writer of the log. The database is the caller's: opened before, closed after `close()`. */
export class AuditLog {
  readonly #store: RecordStore;
  readonly #search: RecordSearch;
  readonly #db: Database;
  readonly #origin: string;
  readonly #clock: Clock;
  readonly #onFatal: ((error: BugError) => void) | undefined;
  readonly #listeners = new Set<(range: NewRecords) => void>();
  #queue: Waiting[] = [];
  #queued = 0;
  #size: number;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #state: AuditState = "writing";
  #fatal: BugError | undefined;

  /** `origin` is the appliance's name. Throws BugError `audit-doubt` where the stored log has gaps or is damaged. */
  constructor(db: Database, origin: string, options: AuditLogOptions = {}) {
    this.#db = db;
    this.#origin = origin;
    this.#clock = options.clock ?? systemClock;
    this.#onFatal = options.onFatal;
    this.#store = new RecordStore(db, origin);
    this.#search = new RecordSearch(db);
    this.#reading(() => this.#store.check());
    this.#size = this.#reading(() => this.#store.head().size);
  }

  /** How many records are stored; also the next index. */
  get size(): number {
    return this.#size;
  }

  get state(): AuditState {
    return this.#state;
  }

  /**
   * Resolves after the commit. All drafts of one call are stored, or none.
   * Rejects with PeerError `audit-draft` (a draft is malformed or too long) or `audit-id` (its id is on record for something
   * else); UnavailableError `audit-full`, `audit-busy` or `audit-closed`: nothing was stored, what waits on it must be refused;
   * BugError `audit-doubt`: the log has stopped.
   */
  append(drafts: readonly RecordDraft[], urgency: Urgency): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      const closed = this.#refusal();
      if (closed !== undefined) throw closed;
      const checked = parseDrafts(drafts);
      this.#queue.push({ drafts: checked, resolve, reject });
      this.#queued += checked.length;
      this.#schedule(urgency);
    });
  }

  /** Commits what is queued; rejects as the appends in it do when that fails. */
  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      const error = this.#commit();
      if (error === undefined) resolve();
      else reject(error);
    });
  }

  /** Flushes, then refuses every further append. Reading goes on until the caller closes the database. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      if (this.#state !== "stopped") this.#state = "closed";
      this.#listeners.clear();
    }
  }

  /** Told after each commit that stored something. Returns how to stop it. */
  subscribe(listener: (range: NewRecords) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #refusal(): Error | undefined {
    if (this.#fatal !== undefined) return this.#fatal;
    return this.#state === "closed" ? this.#closed() : undefined;
  }

  /** Whatever arrives in this turn shares one transaction, and so one fsync. */
  #schedule(urgency: Urgency): void {
    if (urgency === "now" || this.#queued >= MAX_DRAFTS)
      this.#immediate ??= setImmediate(() => this.#commit());
    else this.#timer ??= setTimeout(() => this.#commit(), SOON);
  }

  #commit(): Error | undefined {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = this.#immediate = undefined;
    const waiting = this.#queue;
    this.#queue = [];
    this.#queued = 0;
    if (waiting.length === 0) return undefined;
    try {
      const results = this.#store.commit(
        waiting.map((each) => each.drafts),
        this.#clock.now(),
      );
      this.#state = "writing";
      this.#announce();
      for (const [at, each] of waiting.entries()) settle(each, results[at]!);
      return undefined;
    } catch (error) {
      const failure = this.#failed(error);
      for (const each of waiting) each.reject(failure);
      return failure;
    }
  }

  /** From `from` (itself included; the newest where `reverse` and none is given) upwards, or downwards with `reverse`. */
  read(options: { from?: number; limit: number; reverse?: boolean }): AuditRecord[] {
    const { limit, reverse = false, from = reverse ? Number.MAX_SAFE_INTEGER : 0 } = options;
    checkLimit(limit);
    return this.#reading(() => this.#store.read(from, limit, reverse));
  }

  /**
   * The newest `limit` records that match, newest first; `before` (an index) goes on from an earlier answer's last one.
   * It looks at a slice of the log a turn, so that an append never waits for a long search.
   */
  async query(filter: RecordFilter, options: { limit: number; before?: number }): Promise<AuditRecord[]> {
    const { limit, before = this.#size } = options;
    checkLimit(limit);
    const { since } = filter;
    const floor = since === undefined ? 0 : this.#reading(() => this.#store.firstSince(since));
    const found: AuditRecord[] = [];
    for (let to = Math.min(before, this.#size); to > floor && found.length < limit; to -= SLICE) {
      const slice = { from: Math.max(floor, to - SLICE), to, limit: limit - found.length };
      found.push(...this.#reading(() => this.#search.slice(filter, slice)));
      await nextTurn();
    }
    return found;
  }

  get(index: number): AuditRecord | undefined {
    return this.#reading(() => this.#store.get(index));
  }

  byId(id: string): AuditRecord | undefined {
    return this.#reading(() => this.#store.byId(id));
  }

  /** The record with this id and those that name it as their `ref`, by index: an operation and its outcome. */
  related(id: string): AuditRecord[] {
    return this.#reading(() => this.#store.related(id, MAX_LIMIT));
  }

  /** Sessions with a start on record and no end, by index: after a crash, control records the end they had. */
  openSessions(): OpenSession[] {
    const starts = this.#reading(() => this.#store.unfinished("session"));
    return starts.flatMap((start) =>
      start.session === undefined ? [] : [{ session: start.session, start }],
    );
  }

  /** Permitted operations without an outcome on record, by index; by the record's contract these are writes. */
  openWrites(): AuditRecord[] {
    return this.#reading(() => this.#store.unfinished("write"));
  }

  #reading<T>(read: () => T): T {
    if (!this.#db.open) throw this.#closed();
    try {
      return read();
    } catch (error) {
      throw error instanceof NiacError ? error : explainFailure(error, this.#origin);
    }
  }

  #closed(): UnavailableError {
    return new UnavailableError(
      "audit-closed",
      `the audit log of ${this.#origin} is closed`,
      "Start niac control again.",
    );
  }

  #announce(): void {
    const range = { from: this.#size, to: this.#store.head().size };
    this.#size = range.to;
    if (range.to === range.from) return;
    // Apart from the commit: an error of a listener is its own, and must not look like one of the log.
    for (const listener of this.#listeners) queueMicrotask(() => listener(range));
  }

  #failed(error: unknown): Error {
    const failure = this.#nothingStored()
      ? explainFailure(error, this.#origin)
      : inDoubt(`the audit log of ${this.#origin} is in doubt after: ${messageOf(error)}`, error);
    if (failure instanceof BugError) {
      this.#fatal = failure;
      this.#state = "stopped";
      this.#onFatal?.(failure);
    } else if (failure.code === "audit-full") {
      this.#state = "full";
    }
    return failure;
  }

  #nothingStored(): boolean {
    try {
      return !this.#db.inTransaction && this.#store.head().size === this.#size;
    } catch {
      return false;
    }
  }
}

function settle(waiting: Waiting, result: Stored): void {
  if ("refused" in result) waiting.reject(result.refused);
  else waiting.resolve({ indexes: result.indexes });
}

function checkLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return;
  throw new UsageError(
    "audit-limit",
    `${limit} records were asked for at once, 1 to ${MAX_LIMIT} can be had`,
  );
}
