/** Ports that come and go, for the record: each change, and of a loose cable that flaps all night how often. */
import type { RecordDraft } from "../audit/index.ts";
import { durationText, type Clock } from "../base/index.ts";
import type { PortState } from "./kernel.ts";

/** Changes of one port that are told one by one within a span. */
const FEW = 6;
/** Milliseconds. The span doubles up to the longest while the port goes on flapping. */
const SPAN = 60_000;
const LONGEST = 3_600_000;

interface Kept {
  readonly label: string;
  state: PortState;
  /** When the span began, and how long it is. Monotonic milliseconds. */
  since: number;
  span: number;
  changes: number;
  /** Of those, not on record yet. */
  untold: number;
}

export class PortBook {
  readonly #clock: Clock;
  readonly #freshId: () => string;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock, freshId: () => string) {
    this.#clock = clock;
    this.#freshId = freshId;
  }

  /** `port`: the kernel's name. The first state of a port is no change. */
  see(role: "uplink" | "device port", port: string, state: PortState): RecordDraft[] {
    const now = this.#clock.monotonic();
    const kept = this.#kept.get(port);
    if (kept === undefined) {
      const label = `${role} (${port})`;
      this.#kept.set(port, { label, state, since: now, span: SPAN, changes: 0, untold: 0 });
      return [];
    }
    if (kept.state === state) return [];
    if (kept.untold === 0 && now - kept.since >= kept.span) {
      Object.assign(kept, { since: now, span: SPAN, changes: 0 });
    }
    const before = kept.state;
    kept.state = state;
    kept.changes++;
    if (kept.changes <= FEW)
      return [this.#draft(port, state, `the ${kept.label} is ${state}, it was ${before}`)];
    kept.untold++;
    return [];
  }

  /** To be asked for every second or so; `all`: at a stop. */
  due(all = false): RecordDraft[] {
    const now = this.#clock.monotonic();
    return [...this.#kept].flatMap(([port, kept]) => {
      const { label, state, since, span, untold } = kept;
      if (untold === 0 || (now - since < span && !all)) return [];
      Object.assign(kept, { since: now, span: Math.min(span * 2, LONGEST), untold: 0 });
      const reason = `the ${label} came and went ${untold} more ${untold === 1 ? "time" : "times"} in ${durationText(now - since)}, and is ${state}: see to its cable`;
      return [{ ...this.#draft(port, state, reason), counts: { changes: untold } }];
    });
  }

  #draft(port: string, state: PortState, reason: string): RecordDraft {
    const detail = { port, state };
    return { time: this.#clock.now(), kind: "network", id: this.#freshId(), reason, detail };
  }
}
