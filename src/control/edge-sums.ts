/**
 * How often something that goes to and fro is put on record: the first change at once, and what follows closely in sums, so that a loose
 * contact is one line a minute and not a full disk. Pure but for what it keeps; times are of a clock that never goes back.
 */

/** Milliseconds from one record of a thing to its next, at least; while it goes to and fro, twice as long each time, up to the longest. */
const GAP = 2_000;
const LONGEST_GAP = 60_000;
/** Changes that a person makes within a gap: off and on again. */
const CALM = 2;

export interface EdgeSum<Name extends string, State> {
  readonly name: Name;
  /** As it is now. */
  readonly state: State;
  readonly changes: number;
  /** Of the last change, milliseconds since the epoch. */
  readonly time: number;
}

interface Kept<Name extends string, State> {
  sum: EdgeSum<Name, State> | null;
  gap: number;
  /** Not before. */
  next: number;
}

export class EdgeSums<Name extends string, State> {
  readonly #kept = new Map<Name, Kept<Name, State>>();

  add(name: Name, state: State, time: number): void {
    const kept = this.#kept.get(name) ?? { sum: null, gap: GAP, next: -Infinity };
    kept.sum = { name, state, changes: (kept.sum?.changes ?? 0) + 1, time };
    this.#kept.set(name, kept);
  }

  /** Takes what is due out, each thing once; to be called every second or oftener. */
  take(now: number): EdgeSum<Name, State>[] {
    const due: EdgeSum<Name, State>[] = [];
    for (const kept of this.#kept.values()) {
      if (now < kept.next) continue;
      if (kept.sum === null) {
        // Quiet for as long as that, it is steady again.
        kept.gap = GAP;
        continue;
      }
      due.push(kept.sum);
      kept.gap = kept.sum.changes > CALM ? Math.min(kept.gap * 2, LONGEST_GAP) : GAP;
      kept.next = now + kept.gap;
      kept.sum = null;
    }
    return due;
  }

  /** It could not be recorded: it is due again after its gap, together with what came since. */
  putBack({ name, state, changes, time }: EdgeSum<Name, State>): void {
    const kept = this.#kept.get(name);
    if (kept === undefined) return;
    kept.sum =
      kept.sum === null
        ? { name, state, changes, time }
        : { ...kept.sum, changes: kept.sum.changes + changes };
  }

  /** Those that go to and fro more than anybody would turn them. */
  unsteady(): Name[] {
    return [...this.#kept].filter(([, { gap }]) => gap > GAP).map(([name]) => name);
  }
}
