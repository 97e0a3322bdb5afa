import { randomUUID } from "node:crypto";
import type { RecordDraft } from "../audit/index.ts";
import type { Clock } from "../base/index.ts";

/** Milliseconds over which refusals of one kind from one source make one more record. */
const INTERVAL = 60_000;
/** Kinds told apart at once. */
const MAX_KINDS = 1_000;
const LONGEST_REASON = 1_000;

export interface RefusedEnrolment {
  /** `address:port` of the client, or its address alone. */
  readonly source: string;
  readonly stage: string;
  readonly reason: string;
  readonly presented?: NonNullable<RecordDraft["presented"]>;
}

interface Kind {
  readonly draft: Omit<RecordDraft, "id">;
  readonly since: number;
  repeated: number;
}

/** Refused enrolments on record: the first of a kind at once, those after it in sums, so that who guesses fills no disk. */
export class EnrolRefusals {
  readonly #write: (drafts: readonly RecordDraft[]) => void;
  readonly #clock: Clock;
  readonly #kinds = new Map<string, Kind>();
  #beyond = 0;

  /** `write` is not waited for: nothing that is refused depends on it. */
  constructor(write: (drafts: readonly RecordDraft[]) => void, clock: Clock) {
    this.#write = write;
    this.#clock = clock;
  }

  add(address: string, { source, stage, reason, presented }: RefusedEnrolment): void {
    const key = JSON.stringify([address, stage, presented?.fingerprint ?? "", reason]);
    const known = this.#kinds.get(key);
    if (known) {
      known.repeated++;
      return;
    }
    if (this.#kinds.size >= MAX_KINDS) {
      this.#beyond++;
      return;
    }
    const draft = {
      time: this.#clock.now(),
      kind: "trust",
      decision: "denial",
      source,
      stage,
      reason: reason.slice(0, LONGEST_REASON),
      ...(presented === undefined ? {} : { presented }),
    } as const;
    this.#kinds.set(key, { draft, since: this.#clock.monotonic(), repeated: 0 });
    this.#write([{ ...draft, id: randomUUID() }]);
  }

  /** Writes the sums whose interval is over; to be called now and then. `all`: and the others too. */
  report(all: boolean): void {
    const now = this.#clock.monotonic();
    const drafts: RecordDraft[] = [];
    for (const [key, { draft, since, repeated }] of this.#kinds) {
      if (!all && now - since < INTERVAL) continue;
      this.#kinds.delete(key);
      if (repeated === 0) continue;
      drafts.push({
        ...draft,
        id: randomUUID(),
        time: this.#clock.now(),
        counts: { refused: repeated },
        duration: Math.round(now - since),
      });
    }
    if (this.#beyond > 0) {
      drafts.push({
        time: this.#clock.now(),
        kind: "trust",
        decision: "denial",
        id: randomUUID(),
        stage: "limit",
        reason: `${this.#beyond} more enrolments were refused, of too many kinds to tell apart`,
        counts: { refused: this.#beyond },
      });
      this.#beyond = 0;
    }
    if (drafts.length > 0) this.#write(drafts);
  }
}
