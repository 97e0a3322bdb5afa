import { BugError, messageOf, systemClock, UnavailableError, type Clock } from "../base/index.ts";
import type { Database } from "./database.ts";
import { explainFailure, inDoubt } from "./failure.ts";
import { AuditReader } from "./reader.ts";
import type { RecordDraft } from "./record.ts";
import { MAX_DRAFTS, parseDrafts } from "./schema.ts";
import type { Append, Stored } from "./store.ts";

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

/** Indexes `from` up to but not including `to`; few enough for one `read`. */
export interface NewRecords {
  readonly from: number;
  readonly to: number;
}

export interface AuditLogOptions {
  readonly clock?: Clock;
  /** Called once, when the log is in doubt: the process must stop. */
  readonly onFatal?: (error: BugError) => void;
}

interface Waiting extends Append {
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
}

/** Milliseconds; timers fire late, so that what is `soon` stays under 100. */
const SOON = 50;
/** Drafts in one transaction: a bound on how long the event loop stands still, and on what a listener is told of at once. */
const MAX_COMMIT = 5_000;

/** The one writer of the log. The database is the caller's: opened before, closed after `close()`. */
export class AuditLog extends AuditReader {
  readonly #clock: Clock;
  readonly #onFatal: ((error: BugError) => void) | undefined;
  readonly #listeners = new Set<(range: NewRecords) => void>();
  #queue: Waiting[] = [];
  #queued = 0;
  #size: number;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #state: AuditState = "writing";
  #doubt: UnavailableError | undefined;

  /** `origin` is the appliance's name. Throws BugError `audit-doubt` where the stored log has gaps or is damaged. */
  constructor(db: Database, origin: string, options: AuditLogOptions = {}) {
    super(db, origin);
    this.#clock = options.clock ?? systemClock;
    this.#onFatal = options.onFatal;
    this.reading(() => this.store.check());
    this.#size = this.reading(() => this.store.head().size);
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
   * UnavailableError `audit-doubt`: the log has stopped and it is not known whether they were stored; handed in again after the
   * restart, they are stored once.
   *
   * `change` alters other tables of the same database in the transaction that stores the drafts: both are there afterwards, or
   * neither. It runs synchronously, at the commit; what it throws rejects this append alone.
   */
  append(drafts: readonly RecordDraft[], urgency: Urgency, change?: () => void): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      const closed = this.#refusal();
      if (closed !== undefined) throw closed;
      const checked = parseDrafts(drafts);
      this.#queue.push({ drafts: checked, change, resolve, reject });
      this.#queued += checked.length;
      this.#schedule(urgency);
    });
  }

  /** Commits what is queued; rejects as the appends in it do when that fails. */
  async flush(): Promise<void> {
    let failure: Error | undefined;
    while (this.#queue.length > 0) failure = this.#commit() ?? failure;
    if (failure !== undefined) throw failure;
  }

  /** Flushes, then refuses every further append. Reading goes on until the caller closes the database. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      if (this.#doubt === undefined) this.#state = "closed";
      this.#listeners.clear();
    }
  }

  /** Told after each commit that stored something. Returns how to stop it. */
  subscribe(listener: (range: NewRecords) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #refusal(): Error | undefined {
    return this.#state === "closed" ? this.closed() : this.#doubt;
  }

  /** Whatever arrives in this turn shares one transaction, and so one fsync. */
  #schedule(urgency: Urgency): void {
    if (urgency === "now" || this.#queued >= MAX_DRAFTS) {
      this.#immediate ??= setImmediate(() => this.#commit());
    } else {
      this.#timer ??= setTimeout(() => this.#commit(), SOON);
    }
  }

  #commit(): Error | undefined {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = this.#immediate = undefined;
    const waiting = this.#take();
    if (waiting.length === 0) return undefined;
    try {
      // What was queued when the log stopped must not be the write that makes it look whole again.
      if (this.#doubt !== undefined) throw this.#doubt;
      const results = this.store.commit(waiting, this.#clock.now());
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

  /** The queue, or as much of its front as one transaction may hold; the rest goes into the next one. */
  #take(): Waiting[] {
    let count = 0;
    const full = this.#queue.findIndex(({ drafts }) => (count += drafts.length) > MAX_COMMIT);
    const waiting = this.#queue.splice(0, full < 0 ? this.#queue.length : full);
    for (const { drafts } of waiting) this.#queued -= drafts.length;
    if (this.#queue.length > 0) this.#schedule("now");
    return waiting;
  }

  #announce(): void {
    const range = { from: this.#size, to: this.store.head().size };
    this.#size = range.to;
    if (range.to === range.from) return;
    // Apart from the commit: an error of a listener is its own, and must not look like one of the log.
    for (const listener of this.#listeners) queueMicrotask(() => listener(range));
  }

  /** What to tell those who waited. The bug is for who can stop the process; they can only try again later. */
  #failed(error: unknown): UnavailableError {
    if (this.#doubt !== undefined) return this.#doubt;
    const failure = this.#nothingStored()
      ? explainFailure(error, this.origin)
      : inDoubt(`the audit log of ${this.origin} is in doubt after: ${messageOf(error)}`, error);
    if (failure instanceof UnavailableError) {
      if (failure.code === "audit-full") this.#state = "full";
      return failure;
    }
    this.#state = "stopped";
    this.#doubt = new UnavailableError(failure.code, failure.message, failure.advice, { cause: failure });
    this.#onFatal?.(failure);
    return this.#doubt;
  }

  #nothingStored(): boolean {
    try {
      return !this.db.inTransaction && this.store.head().size === this.#size;
    } catch {
      return false;
    }
  }
}

function settle(waiting: Waiting, result: Stored): void {
  if ("refused" in result) waiting.reject(result.refused);
  else waiting.resolve({ indexes: result.indexes });
}
