import type { FileRecord, Operation } from "../modbus/index.ts";

/** Different ranges told apart in one summary; what comes beyond is counted by function alone. */
const MAX_KINDS = 100;

interface Entry {
  readonly operation: Operation;
  count: number;
}

/** MODBUS Application Protocol V1.1b3, section 6.14. */
const READ_FILE_RECORD = 20;
/** Places of the index; a power of two, and so many more than kinds that a search ends soon. */
const PLACES = 256;

/**
 * Permitted reads of one session, counted by function, unit and range. Clients ask for the same ranges over and over, at every
 * request, so a kind is found through a small index of its own and nothing is made for it.
 */
export class ReadTally {
  readonly #entries: Entry[] = [];
  /** Of a kind, by its hash: its place among the entries plus 1; 0: none. Made at the first read. */
  #index: Uint8Array | null = null;
  #beyond = 0;
  #since = -1;

  /** When the first read of this interval came; -1: none has. */
  get since(): number {
    return this.#since;
  }

  count(operation: Operation, now: number): void {
    if (this.#since < 0) this.#since = now;
    const index = (this.#index ??= new Uint8Array(PLACES));
    const entries = this.#entries;
    let place = hash(operation);
    for (let at = index[place]!; at !== 0; at = index[place]!) {
      const entry = entries[at - 1]!;
      if (same(entry.operation, operation)) {
        entry.count++;
        return;
      }
      place = (place + 1) & (PLACES - 1);
    }
    if (entries.length >= MAX_KINDS) this.#beyond++;
    else index[place] = entries.push({ operation, count: 1 });
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
    this.#index?.fill(0);
    this.#beyond = 0;
    this.#since = -1;
    return counts;
  }
}

function hash({ functionCode, unit, reads }: Operation): number {
  const range = reads === null ? 0 : Math.imul(reads.address, 31) + reads.quantity;
  return (Math.imul(range + Math.imul(unit, 257) + functionCode, 0x9e3779b1) >>> 24) & (PLACES - 1);
}

function same(a: Operation, b: Operation): boolean {
  return (
    a.functionCode === b.functionCode &&
    a.unit === b.unit &&
    a.subFunction === b.subFunction &&
    a.reads?.address === b.reads?.address &&
    a.reads?.quantity === b.reads?.quantity &&
    (a.functionCode !== READ_FILE_RECORD || sameFiles(a.files, b.files))
  );
}

function sameFiles(a: readonly FileRecord[], b: readonly FileRecord[]): boolean {
  return a.length === b.length && a.every((file, i) => sameFile(file, b[i]));
}

function sameFile(a: FileRecord, b: FileRecord | undefined): boolean {
  return a.file === b?.file && a.record === b.record && a.length === b.length;
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
