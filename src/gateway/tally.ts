import type { FileRecord, Operation } from "../modbus/index.ts";

/** Different ranges told apart in one summary; what comes beyond is counted by function alone. */
const MAX_KINDS = 100;

interface Entry {
  readonly operation: Operation;
  count: number;
}

/** Places of the index; a power of two, and so many more than kinds that a search ends soon. */
const PLACES = 256;

/** Finds a kind without touching what was counted: `places` holds, by hash, an entry's number plus 1, 0 for none. */
interface KindIndex {
  readonly places: Uint8Array;
  /** By that number: function, unit and sub-function; address and quantity. */
  readonly whats: Int32Array;
  readonly ranges: Int32Array;
}

/**
 * Permitted reads of one session, counted by function, unit and range. Clients ask for the same ranges over and over, at every
 * request, so a kind is found through a small index of its own and nothing is made for it.
 */
export class ReadTally {
  readonly #entries: Entry[] = [];
  #index: KindIndex | null = null;
  #beyond = 0;
  #since = -1;

  /** When the first read of this interval came; -1: none has. */
  get since(): number {
    return this.#since;
  }

  count(operation: Operation, now: number): void {
    if (this.#since < 0) this.#since = now;
    const { places, whats, ranges } = (this.#index ??= emptyIndex());
    const entries = this.#entries;
    const { functionCode, unit, subFunction, reads, files } = operation;
    const what = (functionCode << 24) | (unit << 16) | (subFunction & 0xffff);
    const range = reads === null ? 0 : (reads.address << 16) | reads.quantity;
    let place = (Math.imul(what ^ Math.imul(range, 31), 0x9e3779b1) >>> 24) & (PLACES - 1);
    for (let at = places[place]!; at !== 0; at = places[place]!) {
      if (ranges[at] === range && whats[at] === what && (files.length === 0 || this.#sameFiles(at, files))) {
        entries[at - 1]!.count++;
        return;
      }
      place = (place + 1) & (PLACES - 1);
    }
    if (entries.length >= MAX_KINDS) {
      this.#beyond++;
      return;
    }
    const at = entries.push({ operation, count: 1 });
    places[place] = at;
    whats[at] = what;
    ranges[at] = range;
  }

  /** What was read, as `describe` says it, to how often; and starts anew. */
  take(describe: (operation: Operation) => string): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { operation, count } of this.#entries) {
      const key = describe(operation);
      counts[key] = (counts[key] ?? 0) + count;
    }
    if (this.#beyond > 0) counts["other ranges"] = this.#beyond;
    this.#entries.length = 0;
    this.#index?.places.fill(0);
    this.#beyond = 0;
    this.#since = -1;
    return counts;
  }

  #sameFiles(at: number, files: readonly FileRecord[]): boolean {
    const known = this.#entries[at - 1]!.operation.files;
    return known.length === files.length && known.every((file, i) => sameFile(file, files[i]));
  }
}

function sameFile(a: FileRecord, b: FileRecord | undefined): boolean {
  return a.file === b?.file && a.record === b.record && a.length === b.length;
}

function emptyIndex(): KindIndex {
  return {
    places: new Uint8Array(PLACES),
    whats: new Int32Array(MAX_KINDS + 1),
    ranges: new Int32Array(MAX_KINDS + 1),
  };
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
