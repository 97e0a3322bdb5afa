import type { RecordDraft } from "../audit/index.ts";
import type { Clock } from "../base/index.ts";
import type { Recorder } from "./recorder.ts";
import { freshId } from "./session.ts";

/** Milliseconds until the first sum of repetitions; each later interval is twice as long, up to the longest. */
const FIRST_INTERVAL = 10_000;
const LONGEST_INTERVAL = 3_600_000;
/** Kinds told apart for one machine. */
export const MAX_KINDS = 256;

export interface RefusedQuery {
  /** Null: it came from an address that is no machine's. */
  readonly machine: string | null;
  /** Queries of one machine that are alike have the same, e.g. the name asked for. */
  readonly alike: string;
  readonly draft: Pick<RecordDraft, "source" | "stage" | "reason" | "detail" | "bytes" | "siteVersion"> & {
    readonly kind: "flow.refused" | "malformed";
  };
}

interface Kind {
  draft: Omit<RecordDraft, "id" | "time">;
  interval: number;
  since: number;
  last: number;
  repeated: number;
}

/**
 * What machines asked the appliance's own DNS and NTP for and did not get. The first of a kind is recorded at once, repetitions as
 * sums at intervals that double up to an hour: a machine that looks up its maker's cloud every minute for years is 24 records a
 * day. Past MAX_KINDS the rest of a machine's are one kind, so that data smuggled out in names shows as one growing number.
 */
export class ResponderRefusals {
  readonly #recorder: Pick<Recorder, "note">;
  readonly #clock: Clock;
  readonly #machines = new Map<string, Map<string, Kind>>();

  constructor(recorder: Pick<Recorder, "note">, clock: Clock) {
    this.#recorder = recorder;
    this.#clock = clock;
  }

  add({ machine, alike, draft }: RefusedQuery): void {
    const kinds = this.#kindsOf(machine ?? "");
    const full = {
      ...draft,
      ...(machine === null ? {} : { machine }),
      decision: "denial" as const,
    };
    const beyond = !kinds.has(alike) && kinds.size >= MAX_KINDS;
    const key = beyond ? "" : alike;
    this.#count(kinds, key, beyond ? folded(full) : full);
  }

  #count(kinds: Map<string, Kind>, key: string, draft: Kind["draft"]): void {
    const now = this.#clock.monotonic();
    const known = kinds.get(key);
    if (known) {
      known.draft = draft;
      known.last = now;
      known.repeated++;
      return;
    }
    kinds.set(key, { draft, interval: FIRST_INTERVAL, since: now, last: now, repeated: 0 });
    this.#recorder.note({ ...draft, id: freshId(), time: this.#clock.now() });
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
    this.#recorder.note({
      ...kind.draft,
      id: freshId(),
      time: this.#clock.now(),
      counts: { queries: kind.repeated },
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
}

function folded(draft: Kind["draft"]): Kind["draft"] {
  const most = `more than ${MAX_KINDS} different refused queries, counted together from here on`;
  return { ...draft, reason: `${most}; the latest: ${draft.reason}` };
}
