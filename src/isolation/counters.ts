/** Packets the ruleset dropped by itself: its counters, read now and then, as records. */
import * as z from "zod";
import type { RecordDraft } from "../audit/index.ts";
import { COUNTERS, type CounterName } from "./ruleset.ts";
import { run } from "./tools.ts";

/** Milliseconds until the next record of the same counter; doubles up to the longest while it goes on. */
const FIRST_INTERVAL = 300_000;
const LONGEST_INTERVAL = 3_600_000;

/** Why packets were not looked at: the ruleset's reasons, and netd's own. */
const REASONS = Object.freeze({
  ...COUNTERS,
  unheard: "on the ports beyond what is listened to at once",
} as const);
type ReasonName = keyof typeof REASONS;

export type Counts = Readonly<Record<CounterName, number>>;

const listed = z.object({
  nftables: z.array(
    z.looseObject({ counter: z.looseObject({ name: z.string(), packets: z.number() }).optional() }),
  ),
});

/** Packets by counter since the ruleset was put in force. */
export async function readCounters(): Promise<Counts> {
  const text = await run("nft", ["-j", "list", "counters", "table", "inet", "niac"]);
  const counts: Record<CounterName, number> = noCounts();
  for (const { counter } of listed.parse(JSON.parse(text)).nftables) {
    if (counter && isCounter(counter.name)) counts[counter.name] = counter.packets;
  }
  return counts;
}

function noCounts(): Record<CounterName, number> {
  return { spoofed: 0, options: 0, stranger: 0, flood: 0, crowded: 0, stray: 0, ipv6: 0 };
}

function isCounter(name: string): name is CounterName {
  return Object.hasOwn(COUNTERS, name);
}

function isReason(name: string): name is ReasonName {
  return Object.hasOwn(REASONS, name);
}

interface Kept {
  pending: number;
  since: number;
  next: number;
  interval: number;
}

/** Adds up what the counters show, over rulesets too, and says when a record of it is due. */
export class CounterBook {
  readonly #totals: Record<ReasonName, number> = { ...noCounts(), unheard: 0 };
  #last: Counts = noCounts();
  readonly #kept = new Map<ReasonName, Kept>();

  /** `now`: milliseconds of a monotonic clock. */
  read(counts: Counts, now: number): void {
    for (const name of Object.keys(COUNTERS).filter(isCounter)) {
      // A new ruleset counts from 0.
      const added = counts[name] >= this.#last[name] ? counts[name] - this.#last[name] : counts[name];
      if (added > 0) this.add(name, added, now);
    }
    this.#last = counts;
  }

  /** Packets by reason, in words, since netd started. */
  totals(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.#totals).map(([name, packets]) => [isReason(name) ? REASONS[name] : name, packets]),
    );
  }

  /** `wall`: milliseconds since the epoch, for the record. `all`: at a stop. */
  due(freshId: () => string, now: number, wall: number, all = false): RecordDraft[] {
    return [...this.#kept].flatMap(([name, kept]): RecordDraft[] => {
      if (kept.pending === 0) {
        if (now >= kept.next) this.#kept.delete(name);
        return [];
      }
      if (now < kept.next && !all) return [];
      const packets = kept.pending;
      const duration = Math.round(now - kept.since);
      kept.pending = 0;
      kept.next = now + kept.interval;
      kept.interval = Math.min(kept.interval * 2, LONGEST_INTERVAL);
      const reason = `${packets} ${packets === 1 ? "packet" : "packets"} ${REASONS[name]} ${packets === 1 ? "was" : "were"} ${name === "flood" ? "refused by the kernel itself" : "dropped"}`;
      const common = { time: wall, kind: "flow.refused", id: freshId(), decision: "denial" } as const;
      return [{ ...common, stage: name, reason, counts: { packets }, duration }];
    });
  }

  /** Packets counted elsewhere. */
  add(name: ReasonName, packets: number, now: number): void {
    this.#totals[name] += packets;
    const kept = this.#kept.get(name) ?? { pending: 0, since: now, next: now, interval: FIRST_INTERVAL };
    if (kept.pending === 0) kept.since = now;
    kept.pending += packets;
    this.#kept.set(name, kept);
  }
}
