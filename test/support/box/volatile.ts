/**
 * A memory card with a cache that power keeps: what was written and not flushed is there as long as the power is, and of what is in the
 * cache when the power goes, a random part has reached the flash. A cut of QEMU alone would be milder: the host keeps all it was handed.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import type { Disk } from "./nbd.ts";

const BLOCK = 4096;
/** Cards' caches are small; what does not fit is written, oldest first. */
const CACHE_BLOCKS = 2048;

/** Bytes written in a range of the disk. */
export interface Written {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  bytes: number;
}

export interface Counts {
  reads: number;
  writes: number;
  flushes: number;
  /** Bytes that a request to write had. */
  bytesWritten: number;
}

export class VolatileDisk implements Disk {
  readonly size: number;
  readonly counts: Counts = { reads: 0, writes: 0, flushes: 0, bytesWritten: 0 };
  readonly ranges: readonly Written[];
  readonly #file: number;
  readonly #cache = new Map<number, Buffer>();

  constructor(path: string, ranges: readonly Written[]) {
    this.#file = openSync(path, "r+");
    this.size = fstatSync(this.#file).size;
    this.ranges = ranges;
  }

  read(offset: number, length: number): Buffer {
    this.counts.reads++;
    const out = Buffer.alloc(length);
    readSync(this.#file, out, 0, length, offset);
    for (let block = Math.floor(offset / BLOCK); block * BLOCK < offset + length; block++) {
      const cached = this.#cache.get(block);
      if (cached === undefined) continue;
      const from = Math.max(offset, block * BLOCK);
      const to = Math.min(offset + length, (block + 1) * BLOCK);
      cached.copy(out, from - offset, from - block * BLOCK, to - block * BLOCK);
    }
    return out;
  }

  write(offset: number, data: Buffer, force: boolean): void {
    this.counts.writes++;
    this.counts.bytesWritten += data.length;
    for (const range of this.ranges) if (isIn(range, offset)) range.bytes += data.length;
    for (let block = Math.floor(offset / BLOCK); block * BLOCK < offset + data.length; block++) {
      const from = Math.max(offset, block * BLOCK);
      const to = Math.min(offset + data.length, (block + 1) * BLOCK);
      const content = this.#cache.get(block) ?? this.#stored(block);
      data.copy(content, from - block * BLOCK, from - offset, to - offset);
      // Deleted first, so that the map's order is that of the last write.
      this.#cache.delete(block);
      this.#cache.set(block, content);
      if (force) this.#store(block, content);
    }
    for (const [block, content] of this.#cache) {
      if (this.#cache.size <= CACHE_BLOCKS) break;
      this.#store(block, content);
    }
  }

  /** Whether a request at this place is of that range. */
  isOf(name: string, offset: number): boolean {
    return this.ranges.some((range) => range.name === name && isIn(range, offset));
  }

  flush(): void {
    this.counts.flushes++;
    this.settle();
  }

  /** All that is in the cache is stored. */
  settle(): void {
    for (const [block, content] of this.#cache) this.#store(block, content);
  }

  /** The power goes: `survives` says of each block in the cache whether it reached the flash. Returns how many did not. */
  cut(survives: () => boolean): number {
    let lost = 0;
    for (const [block, content] of this.#cache) {
      if (survives()) this.#store(block, content);
      else lost++;
    }
    this.#cache.clear();
    return lost;
  }

  close(): void {
    closeSync(this.#file);
  }

  #stored(block: number): Buffer {
    const content = Buffer.alloc(BLOCK);
    readSync(this.#file, content, 0, BLOCK, block * BLOCK);
    return content;
  }

  #store(block: number, content: Buffer): void {
    writeSync(this.#file, content, 0, Math.min(BLOCK, this.size - block * BLOCK), block * BLOCK);
    this.#cache.delete(block);
  }
}

function isIn({ start, end }: Written, offset: number): boolean {
  return offset >= start && offset < end;
}
