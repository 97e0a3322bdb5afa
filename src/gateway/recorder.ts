import type { RecordDraft } from "../audit/index.ts";
import { messageOf, NiacError, UnavailableError, type Clock } from "../base/index.ts";

/** Drafts kept while nothing can be recorded; beyond it they are counted, and the count is recorded. */
export const MAX_BACKLOG = 10_000;
const BATCH = 500;
const REFUSED = "audit-refused";
/** Milliseconds between attempts to hand over the backlog. */
const RETRY = 500;

/** Hands drafts to control; answers after the commit. Throws UnavailableError (`audit-full`, `channel-lost`, ...). */
export type Append = (drafts: readonly RecordDraft[], urgency: "now" | "soon") => Promise<unknown>;

/**
 * The gateway's way to the audit log. `commit` is for what must be on record before something is done; `note` for what has
 * been done or refused already, which is kept and handed over as soon as it can be.
 */
export class Recorder {
  readonly #clock: Clock;
  readonly #id: () => string;
  #append: Append | null = null;
  #problem: UnavailableError | null;
  #backlog: RecordDraft[] = [];
  #lost = 0;
  #batch = BATCH;
  #handing = false;
  #soon: NodeJS.Timeout | null = null;

  constructor(clock: Clock, id: () => string) {
    this.#clock = clock;
    this.#id = id;
    this.#problem = away();
  }

  /** Why nothing can be recorded now; null: it can. */
  get problem(): UnavailableError | null {
    return this.#problem;
  }

  /** A channel to control is there (or gone: null). */
  connect(append: Append | null): void {
    this.#append = append;
    this.#problem = append ? null : away();
    if (append) this.#schedule(0);
  }

  /** Resolves after the commit; rejects with an UnavailableError that says why it cannot be recorded. */
  async commit(drafts: readonly RecordDraft[]): Promise<void> {
    if (!this.#append) throw this.#problem ?? away();
    try {
      await this.#append(drafts, "now");
    } catch (error) {
      throw this.#failed(error);
    }
    if (this.#isConnected()) this.#problem = null;
  }

  #isConnected(): boolean {
    return this.#append !== null;
  }

  note(draft: RecordDraft): void {
    if (this.#backlog.length >= MAX_BACKLOG) {
      this.#lost++;
      return;
    }
    this.#backlog.push(draft);
    this.#schedule(20);
  }

  /** What the backlog still has to say the end of: control must not call it lost meanwhile. */
  endingsKept(): { sessions: string[]; writes: string[] } {
    const sessions: string[] = [];
    const writes: string[] = [];
    for (const draft of this.#backlog) {
      if (draft.kind === "session.end" && draft.session !== undefined) sessions.push(draft.session);
      if (draft.kind === "outcome" && draft.ref !== undefined) writes.push(draft.ref);
    }
    return { sessions, writes };
  }

  /** Hands over what is left, for a clean stop; gives up after `patience` milliseconds. */
  async drain(patience: number): Promise<void> {
    const until = this.#clock.monotonic() + patience;
    while ((this.#owes() || this.#handing) && this.#append && this.#clock.monotonic() < until) {
      await this.#hand();
      if (this.#handing || this.#problem) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  close(): void {
    if (this.#soon) clearTimeout(this.#soon);
    this.#soon = null;
    this.#append = null;
  }

  #schedule(delay: number): void {
    if (this.#soon || !this.#append) return;
    this.#soon = setTimeout(() => {
      this.#soon = null;
      void this.#hand();
    }, delay);
  }

  #owes(): boolean {
    return this.#backlog.length > 0 || this.#lost > 0;
  }

  async #hand(): Promise<void> {
    if (this.#handing || !this.#append || !this.#owes()) return;
    this.#handing = true;
    const batch = this.#backlog.slice(0, this.#batch);
    const lost = this.#lost;
    let pause = 0;
    try {
      await this.#append(lost > 0 ? [...batch, this.#lostDraft(lost)] : batch, "soon");
      this.#lost -= lost;
      this.#backlog.splice(0, batch.length);
      this.#batch = Math.min(this.#batch * 2, BATCH);
      if (this.#isConnected()) this.#problem = null;
    } catch (error) {
      // A draft that control refuses for what it says would be refused for ever, and hold up all behind it.
      const refused = this.#failed(error).code === REFUSED;
      if (refused && batch.length > 1) this.#batch = batch.length >> 1;
      else pause = RETRY;
      if (refused && batch.length === 1) this.#dropFirst();
    }
    this.#handing = false;
    if (this.#owes()) this.#schedule(pause);
  }

  #dropFirst(): void {
    this.#backlog.shift();
    this.#lost++;
  }

  #failed(error: unknown): UnavailableError {
    this.#problem = problemOf(error);
    return this.#problem;
  }

  #lostDraft(lost: number): RecordDraft {
    return {
      time: this.#clock.now(),
      kind: "process",
      id: this.#id(),
      reason: `${lost} records could not be kept while nothing could be recorded`,
      counts: { lost },
    };
  }
}

/** For the person who is refused. */
export function away(): UnavailableError {
  return new UnavailableError(
    "control-away",
    "nothing can be recorded: niac control does not answer",
    "It is restarted by itself; try again in a few seconds.",
  );
}

/** For the person whose write is refused: that control is away says more than what its socket said when it went. */
function problemOf(error: unknown): UnavailableError {
  if (error instanceof UnavailableError) return error.code === "channel-lost" ? away() : error;
  const advice = error instanceof NiacError ? error.advice : undefined;
  return new UnavailableError(REFUSED, `the audit log does not take records: ${messageOf(error)}`, advice);
}
