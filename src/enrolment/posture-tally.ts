import { randomUUID } from "node:crypto";
import type { RecordDraft } from "../audit/index.ts";
import { postureKey, postureWords, type PostureReport, type PostureSubject } from "../link/index.ts";

/** Milliseconds over which reports that say nothing new make one record. */
const INTERVAL = 3_600_000;

interface Sum {
  readonly of: PostureSubject;
  readonly since: number;
  last: number;
  count: number;
}

/**
 * Reports that said what the one before them said, in sums: a record tells that a laptop went on reporting, and no disk fills with
 * it. Pure: times are when a report came, milliseconds since the epoch.
 */
export class PostureTally {
  readonly #sums = new Map<string, Sum>();

  /** The record of what was summed up before, where its interval is over. */
  add(report: PostureReport): RecordDraft[] {
    const { received } = report;
    const key = postureKey(report);
    const sum = this.#sums.get(key);
    if (sum === undefined) {
      this.#sums.set(key, { of: report, since: received, last: received, count: 1 });
      return [];
    }
    sum.count++;
    sum.last = received;
    return received - sum.since < INTERVAL ? [] : this.take(report);
  }

  /** What is summed up of this one, because it says something else now. */
  take(of: PostureSubject): RecordDraft[] {
    const key = postureKey(of);
    const sum = this.#sums.get(key);
    this.#sums.delete(key);
    return sum === undefined ? [] : [draft(sum)];
  }

  takeAll(): RecordDraft[] {
    const drafts = [...this.#sums.values()].map(draft);
    this.#sums.clear();
    return drafts;
  }
}

function draft({ of, since, last, count }: Sum): RecordDraft {
  const { whose, detail } = postureWords(of);
  return {
    time: last,
    kind: "trust",
    id: randomUUID(),
    reason: `reports by ${whose} that said nothing new: ${count}`,
    counts: { reports: count },
    duration: Math.max(0, last - since),
    detail,
  };
}
