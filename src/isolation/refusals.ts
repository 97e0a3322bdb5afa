/**
 * The book of refusals: every refused packet is counted, alike ones become one record, so that a scan of 65,535 ports is one line
 * to read and a flood is no flood of records.
 *
 * What is new is recorded as soon as it has been quiet for five seconds, or has gone on for five minutes. What comes again is
 * recorded after five minutes, then ten, and so on up to an hour: a machine that calls its vendor every ten seconds for years is some
 * 24 records a day. Memory is bounded: beyond it, what is small and new is summed up by machine.
 */
import type { RecordDraft } from "../audit/index.ts";
import type { Clock } from "../base/index.ts";
import type { RefusedView } from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";
import { Entry } from "./refusal-entry.ts";
import type { Moment } from "./refusal-sum.ts";
import { surroundings, type Refusal, type RefusalStage, type Surroundings } from "./refusal.ts";

/** Kinds told apart at once, of each stage: what floods one of them leaves the others as they are. 1,024 in all. */
export const MAX_KINDS: Readonly<Record<RefusalStage, number>> = {
  destination: 512,
  "unknown-port": 320,
  "link-layer": 96,
  "unknown-station": 64,
  spoofed: 32,
};
/** Of those, what one machine may have that it sent itself: a machine that searches the network is one story. */
export const MAX_OF_MACHINE: Readonly<Partial<Record<RefusalStage, number>>> = {
  destination: 32,
  "link-layer": 16,
};
/** Milliseconds from one vain look for what is small and new to the next. */
const FOLD_PAUSE = 1_000;

export class RefusalBook {
  readonly #clock: Clock;
  readonly #freshId: () => string;
  readonly #entries = new Map<string, Entry>();
  /** By stage and machine: what was too much to tell apart. */
  readonly #folds = new Map<string, Entry>();
  readonly #sizes = new Map<string, number>();
  #around: Surroundings = surroundings(null, []);
  #foldAgainAt = -Infinity;

  constructor(clock: Clock, freshId: () => string) {
    this.#clock = clock;
    this.#freshId = freshId;
  }

  /** What the reasons name; `own`: the appliance's addresses. */
  use(snapshot: Snapshot | null, own: readonly string[]): void {
    this.#around = surroundings(snapshot, own);
  }

  get around(): Surroundings {
    return this.#around;
  }

  add(refusal: Refusal): void {
    const now = this.#moment();
    const known = this.#entries.get(keyOf(refusal));
    if (known === undefined && this.#isFull(refusal)) this.#foldSmall(refusal, now);
    (known ?? this.#open(refusal, now)).add(refusal, now);
  }

  /** What is ready to be recorded; to be called every second or so. */
  due(): RecordDraft[] {
    return this.#take((entry, now) => entry.isDue(now));
  }

  /** What is not on record yet, for a clean stop. */
  flush(): RecordDraft[] {
    return this.#take((entry) => entry.isPending);
  }

  /** What was refused in the last hour, the latest first. */
  view(): RefusedView[] {
    return [...this.#entries.values(), ...this.#folds.values()]
      .map((entry) => entry.view(this.#around))
      .toSorted((a, b) => b.last - a.last);
  }

  #take(ready: (entry: Entry, now: number) => boolean): RecordDraft[] {
    const now = this.#clock.monotonic();
    const drafts: RecordDraft[] = [];
    for (const [key, entry] of this.#entries) {
      const fold = this.#folds.get(foldKeyOf(entry.sample));
      if (entry.isForgotten(now)) this.#drop(key, entry);
      else if (!ready(entry, now)) continue;
      else if (fold?.isPending && entry.isSmall) this.#foldEntry(key, entry, fold);
      else drafts.push(entry.record(this.#freshId(), this.#around, now));
    }
    for (const [key, fold] of this.#folds) {
      if (fold.isForgotten(now)) this.#folds.delete(key);
      else if (ready(fold, now)) drafts.push(fold.record(this.#freshId(), this.#around, now));
    }
    return drafts;
  }

  #isFull(refusal: Refusal): boolean {
    const most = MAX_OF_MACHINE[refusal.stage] ?? Infinity;
    return this.#size(refusal.stage) >= MAX_KINDS[refusal.stage] || this.#size(foldKeyOf(refusal)) >= most;
  }

  /** Makes room: of a scan or a flood, what came before it was known to be one belongs to its sum. */
  #foldSmall(refusal: Refusal, now: Moment): void {
    if (now.monotonic < this.#foldAgainAt) return;
    const foldKey = foldKeyOf(refusal);
    const alike = [...this.#entries].filter(([, entry]) => foldKeyOf(entry.sample) === foldKey);
    const small = alike.filter(([, entry]) => entry.isSmall);
    for (const [key, entry] of small) this.#foldEntry(key, entry, this.#fold(entry.sample));
    // Where it made little room, the next look would come soon, and be as dear and as vain.
    if (small.length < alike.length / 2) this.#foldAgainAt = now.monotonic + FOLD_PAUSE;
  }

  #open(refusal: Refusal, now: Moment): Entry {
    if (this.#isFull(refusal)) return this.#fold(refusal);
    const entry = new Entry(refusal, false, now);
    this.#entries.set(keyOf(refusal), entry);
    this.#resize(refusal, 1);
    return entry;
  }

  #fold(refusal: Refusal): Entry {
    const key = foldKeyOf(refusal);
    const known = this.#folds.get(key);
    if (known !== undefined) return known;
    const fold = new Entry(refusal, true, this.#moment());
    this.#folds.set(key, fold);
    return fold;
  }

  #foldEntry(key: string, entry: Entry, fold: Entry): void {
    fold.absorb(entry);
    this.#drop(key, entry);
  }

  #drop(key: string, { sample }: Entry): void {
    this.#entries.delete(key);
    this.#resize(sample, -1);
  }

  #resize(refusal: Refusal, by: number): void {
    for (const key of [refusal.stage, foldKeyOf(refusal)]) {
      const size = this.#size(key) + by;
      if (size > 0) this.#sizes.set(key, size);
      else this.#sizes.delete(key);
    }
  }

  #size(key: string): number {
    return this.#sizes.get(key) ?? 0;
  }

  #moment(): Moment {
    return { monotonic: this.#clock.monotonic(), wall: this.#clock.now() };
  }
}

/** What makes refusals alike. */
function keyOf(refusal: Refusal): string {
  const { stage, on, source, machine, target, transport, targetPort, what, name } = refusal;
  switch (stage) {
    case "destination":
      return `${stage} ${machine} ${target} ${transport ?? what} ${targetPort} ${name ?? ""}`;
    case "unknown-port":
      return `${stage} ${source} ${machine ?? target}`;
    case "link-layer":
      return `${stage} ${source} ${what}`;
    case "spoofed":
    case "unknown-station":
      return `${stage} ${on} ${source}`;
  }
}

/** The machines of a site are not many, so that folds are bounded, too. A forged address makes no fold of its own. */
function foldKeyOf({ stage, on, machine }: Refusal): string {
  return `${stage} ${on} ${stage === "spoofed" ? "" : (machine ?? "")}`;
}
