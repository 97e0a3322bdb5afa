import type { RecordDraft } from "../audit/index.ts";
import type { Clock } from "../base/index.ts";

/** Milliseconds until the first sum of repetitions; each later interval is twice as long, up to the longest. */
const FIRST_INTERVAL = 10_000;
const LONGEST_INTERVAL = 3_600_000;
/** Kinds told apart for one machine. */
export const MAX_KINDS = 256;

/** A record without what each gets as it is noted. */
export type RepeatedDraft = Omit<RecordDraft, "id" | "time">;

interface Kind {
  draft: RepeatedDraft;
  interval: number;
  since: number;
  last: number;
  repeated: number;
}

/**
 * What machines do again and again: questions that the appliance's own DNS and NTP refuse, answers that do not fit. The first of a
 * kind is recorded at once, repetitions as sums at intervals that double up to an hour: a machine that looks up its maker's cloud
 * every minute for years is 24 records a day. Past MAX_KINDS the rest of a machine's are one kind, so that data smuggled out in
 * names shows as one growing number.
 */
export class Repeats {
  readonly #note: (draft: RepeatedDraft) => void;
  readonly #clock: Clock;
  readonly #things: string;
  readonly #counted: string;
  readonly #machines = new Map<string, Map<string, Kind>>();

  /** `things`: what they are, in the plural, for a sentence; `counted`: the name of their number in a record's `counts`. */
  constructor(note: (draft: RepeatedDraft) => void, clock: Clock, things: string, counted: string) {
    this.#note = note;
    this.#clock = clock;
    this.#things = things;
    this.#counted = counted;
  }

  /** `machine`: whose they are counted as; "" for nobody's. Those of one machine with the same `alike` are one kind. */
  add(machine: string, alike: string, draft: RepeatedDraft): void {
    const kinds = this.#kindsOf(machine);
    const beyond = !kinds.has(alike) && kinds.size >= MAX_KINDS;
    this.#count(kinds, beyond ? "" : alike, beyond ? this.#folded(draft) : draft);
  }

  #count(kinds: Map<string, Kind>, key: string, draft: RepeatedDraft): void {
    const now = this.#clock.monotonic();
    const known = kinds.get(key);
    if (known) {
      known.draft = draft;
      known.last = now;
      known.repeated++;
      return;
    }
    kinds.set(key, { draft, interval: FIRST_INTERVAL, since: now, last: now, repeated: 0 });
    this.#note(draft);
  }

  /** Records the sums whose interval is over, or all; to be called now and then. */
  report(all: boolean): void {
    const now = this.#clock.monotonic();
    for (const [machine, kinds] of this.#machines) {
      for (const [key, kind] of kinds) {
        if (kind.repeated > 0 && (all || now - kind.since >= kind.interval)) this.#sum(kind, now);
        // Not sooner: what comes every minute would be the first of its kind each time.
        if (now - kind.last >= LONGEST_INTERVAL) kinds.delete(key);
      }
      if (kinds.size === 0) this.#machines.delete(machine);
    }
  }

  #sum(kind: Kind, now: number): void {
    this.#note({
      ...kind.draft,
      counts: { [this.#counted]: kind.repeated },
      duration: Math.round(now - kind.since),
    });
    kind.repeated = 0;
    kind.since = now;
    kind.interval = Math.min(kind.interval * 2, LONGEST_INTERVAL);
  }

  #kindsOf(machine: string): Map<string, Kind> {
    const known = this.#machines.get(machine);
    if (known) return known;
    const kinds = new Map<string, Kind>();
    this.#machines.set(machine, kinds);
    return kinds;
  }

  #folded(draft: RepeatedDraft): RepeatedDraft {
    const most = `more than ${MAX_KINDS} different ${this.#things}, counted together from here on`;
    return { ...draft, reason: `${most}; the latest: ${draft.reason}` };
  }
}
