import type { Operation } from "../modbus/index.ts";

/** Different ranges told apart in one summary; what comes beyond is counted by function alone. */
const MAX_KINDS = 100;

interface Entry {
  readonly operation: Operation;
  count: number;
}

/**
 * Permitted reads of one session, counted by function, unit and range. Most clients ask for the same few ranges over and over, so
 * the entries of the last ones are found by comparing, without making a key.
 */
export class ReadTally {
  readonly #entries: Entry[] = [];
  #beyond = 0;
  #since = -1;
  #last = 0;

  /** When the first read of this interval came; -1: none has. */
  get since(): number {
    return this.#since;
  }

  count(operation: Operation, now: number): void {
    if (this.#since < 0) this.#since = now;
    const entries = this.#entries;
    const last = entries[this.#last];
    if (last !== undefined && same(last.operation, operation)) {
      last.count++;
      return;
    }
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (!same(entry.operation, operation)) continue;
      entry.count++;
      this.#last = i;
      return;
    }
    if (entries.length >= MAX_KINDS) this.#beyond++;
    else this.#last = entries.push({ operation, count: 1 }) - 1;
  }

  /** `function table first..last (unit)` to how often, and starts anew. */
  take(describe: (operation: Operation) => string): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { operation, count } of this.#entries) {
      const key = describe(operation);
      counts[key] = (counts[key] ?? 0) + count;
    }
    if (this.#beyond > 0) counts["other ranges"] = this.#beyond;
    this.#entries.length = 0;
    this.#beyond = 0;
    this.#since = -1;
    this.#last = 0;
    return counts;
  }
}

function same(a: Operation, b: Operation): boolean {
  return (
    a.functionCode === b.functionCode &&
    a.unit === b.unit &&
    a.subFunction === b.subFunction &&
    a.reads?.address === b.reads?.address &&
    a.reads?.quantity === b.reads?.quantity
  );
}

/**
 * Denials of one session. The first of each kind in an interval goes on record in full at once; repetitions are counted,
 * and so is everything once there are many kinds: a client that scans leaves some records and a sum, not a flood.
 */
export class DenialTally {
  readonly #seen = new Map<string, number>();
  #repeated = 0;
  #since = -1;

  get since(): number {
    return this.#since;
  }

  /** True where this one is to be recorded by itself. */
  first(key: string, now: number): boolean {
    if (this.#since < 0) this.#since = now;
    const seen = this.#seen.get(key);
    if (seen === undefined && this.#seen.size < MAX_KINDS) {
      this.#seen.set(key, 1);
      return true;
    }
    if (seen !== undefined) this.#seen.set(key, seen + 1);
    this.#repeated++;
    return false;
  }

  /** How many were not recorded by themselves; starts anew. */
  take(): number {
    const repeated = this.#repeated;
    this.#seen.clear();
    this.#repeated = 0;
    this.#since = -1;
    return repeated;
  }
}
