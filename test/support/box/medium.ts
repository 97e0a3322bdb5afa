/** A disk's file from outside: its partitions, and the FATs on it by mtools. */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { SYSTEM_PATH } from "../namespaces.ts";

/** Bytes. */
export interface Partition {
  readonly name: string;
  readonly start: number;
  readonly length: number;
}

const SECTOR = 512;

/** Of a GUID partition table (UEFI 5.3), in its order; their numbers begin with 1. */
export function partitions(file: string): Partition[] {
  const head = readAt(file, SECTOR, SECTOR);
  if (head.toString("latin1", 0, 8) !== "EFI PART") throw new Error(`${file} has no GUID partition table`);
  const [count, size] = [head.readUInt32LE(80), head.readUInt32LE(84)];
  const entries = readAt(file, Number(head.readBigUInt64LE(72)) * SECTOR, count * size);
  const found: Partition[] = [];
  for (let at = 0; at + size <= entries.length; at += size) {
    const [first, last] = [entries.readBigUInt64LE(at + 32), entries.readBigUInt64LE(at + 40)];
    if (first === 0n) continue;
    const name = entries.toString("utf16le", at + 56, at + 128).replace(/\0.*$/s, "");
    found.push({ name, start: Number(first) * SECTOR, length: Number(last - first + 1n) * SECTOR });
  }
  return found;
}

export function partition(file: string, which: number | string): Partition {
  const all = partitions(file);
  const found = typeof which === "number" ? all[which - 1] : all.find(({ name }) => name === which);
  if (found === undefined) throw new Error(`${file} has no partition ${which}`);
  return found;
}

function readAt(file: string, offset: number, length: number): Buffer {
  const descriptor = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(length);
    readSync(descriptor, bytes, 0, length, offset);
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

/** Writes one partition's bytes over another's of the same length. */
export function copyPartition(disk: string, from: string, to: string): void {
  const [source, target] = [partition(disk, from), partition(disk, to)];
  if (source.length !== target.length) throw new Error(`${from} and ${to} are not of one length`);
  const blocks = ["bs=1M", `skip=${source.start}`, `seek=${target.start}`, `count=${source.length}`];
  const flags = ["iflag=skip_bytes,count_bytes", "oflag=seek_bytes", "conv=notrunc", "status=none"];
  execFileSync("dd", [`if=${disk}`, `of=${disk}`, ...blocks, ...flags], { env: { PATH: SYSTEM_PATH } });
}

/** A file on a FAT partition; null: there is none. */
export function readFrom(disk: string, which: number | string, name: string): Buffer | null {
  const listed = mtools("mdir", disk, which, ["-b", "-/", "::"]).toString("utf8").split("\n");
  if (!listed.includes(`::/${name}`)) return null;
  return mtools("mtype", disk, which, [`::${name}`]);
}

/** The clusters that a file on a FAT partition has, as mtools shows them. */
export function clustersOf(disk: string, which: number | string, name: string): string {
  return mtools("mshowfat", disk, which, [`::${name}`])
    .toString("utf8")
    .trim();
}

/** Copies a file from a FAT partition to a path. */
export function copyOut(disk: string, which: number | string, name: string, to: string): void {
  mtools("mcopy", disk, which, ["-n", "-o", `::${name}`, to]);
}

/** Puts text on a FAT partition, as somebody at a desk does. */
export function writeTo(disk: string, which: number | string, name: string, text: string): void {
  mtools("mcopy", disk, which, ["-o", "-", `::${name}`], text);
}

function mtools(
  tool: string,
  disk: string,
  which: number | string,
  words: readonly string[],
  input?: string,
): Buffer {
  return execFileSync(tool, ["-i", `${disk}@@${partition(disk, which).start}`, ...words], {
    env: { PATH: SYSTEM_PATH, MTOOLS_SKIP_CHECK: "1", LC_ALL: "C" },
    maxBuffer: 2 ** 28,
    ...(input === undefined ? {} : { input }),
  });
}
