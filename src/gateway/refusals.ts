import type { RecordDraft } from "../audit/index.ts";
import type { Clock } from "../base/index.ts";
import type { Recorder } from "./recorder.ts";
import { freshId } from "./session.ts";

/** Milliseconds over which refusals of one kind from one source make one more record. */
const INTERVAL = 10_000;
/** Sources and reasons told apart at once. */
const MAX_KINDS = 1_000;

type Seen = Omit<RecordDraft, "id" | "kind" | "time" | "decision">;

interface Kind {
  readonly draft: Omit<RecordDraft, "id">;
  readonly since: number;
  repeated: number;
}

/**
 * Connections that became no session, and questions for the directory. The first of a kind (source address, stage, reason) is recorded at once; more of
 * the kind within the interval become one record with their number, so that a flood of refused connections is no flood of records.
 */
export class Refusals {
  readonly #recorder: Recorder;
  readonly #clock: Clock;
  readonly #kinds = new Map<string, Kind>();
  #beyond = 0;

  constructor(recorder: Recorder, clock: Clock) {
    this.#recorder = recorder;
    this.#clock = clock;
  }

  add(address: string, draft: Seen): void {
    const key = `${address} ${draft.stage} ${draft.presented?.fingerprint} ${draft.machine}/${draft.service} ${draft.reason}`;
    this.#count(key, { ...draft, kind: "session.refused", decision: "denial" });
  }

  /** Somebody asked what he may open, and was told. */
  looked(address: string, draft: Seen): void {
    const key = `${address} directory ${draft.identity?.fingerprint}`;
    this.#count(key, { ...draft, kind: "directory", decision: "permit" });
  }

  #count(key: string, draft: Omit<RecordDraft, "id" | "time">): void {
    const known = this.#kinds.get(key);
    if (known) {
      known.repeated++;
      return;
    }
    if (this.#kinds.size >= MAX_KINDS) {
      this.#beyond++;
      return;
    }
    const full = { ...draft, time: this.#clock.now() };
    this.#kinds.set(key, { draft: full, since: this.#clock.monotonic(), repeated: 0 });
    this.#recorder.note({ ...full, id: freshId() });
  }

  /** Records the sums whose interval is over; to be called now and then. */
  report(all: boolean): void {
    const now = this.#clock.monotonic();
    for (const [key, kind] of this.#kinds) {
      if (!all && now - kind.since < INTERVAL) continue;
      this.#kinds.delete(key);
      if (kind.repeated === 0) continue;
      this.#recorder.note({
        ...kind.draft,
        id: freshId(),
        time: this.#clock.now(),
        counts: { [kind.draft.decision === "denial" ? "refused" : "asked"]: kind.repeated },
        duration: Math.round(now - kind.since),
      });
    }
    if (this.#beyond === 0) return;
    this.#recorder.note({
      time: this.#clock.now(),
      kind: "session.refused",
      decision: "denial",
      id: freshId(),
      stage: "limit",
      reason: `${this.#beyond} more connections were refused, from too many sources to tell apart`,
      counts: { refused: this.#beyond },
    });
    this.#beyond = 0;
  }
}
