/** What is said once and not again while it goes on. */

/** Different ones of a kind told apart at once. */
export const MAX_NOTICES = 16;
/** Milliseconds without it, after which it is news again. */
const HOLD = 3_600_000;

export class Notices {
  readonly #groups = new Map<string, Map<string, number>>();

  /**
   * Whether this is to be said now; `last`: it is, and more of its kind will not be, for there are too many. `group`: the kind, and
   * of whom, from a bounded number of such. `now`: monotonic milliseconds.
   */
  meet(group: string, what: string, now: number): "new" | "last" | "known" {
    const known = this.#groups.get(group) ?? new Map<string, number>();
    this.#groups.set(group, known);
    const heard = known.get(what);
    const [oldest] = known;
    if (heard === undefined && oldest !== undefined && now - oldest[1] >= HOLD) known.delete(oldest[0]);
    if (heard === undefined && known.size >= MAX_NOTICES) return "known";
    // Kept in the order in which they were last heard.
    known.delete(what);
    known.set(what, now);
    if (heard !== undefined && now - heard < HOLD) return "known";
    return known.size === MAX_NOTICES ? "last" : "new";
  }

  clear(): void {
    this.#groups.clear();
  }
}
