/**
 * What a test file took: wall, processor time of its own process and of the processes it started. A process writes it when it ends; the runner
 * (scripts/test.d/times.ts) reads it.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { childrenCpu } from "../../../scripts/test.d/cpu.ts";

/** Seconds. */
export interface Took {
  readonly wall: number;
  readonly own: number;
  /** Of processes that it started and waited for. */
  readonly children: number;
}

/** Of the files in a group, which share a process. */
const shares = new Map<string, Took>();

export function addShare(file: string, more: Took): void {
  const before = shares.get(file) ?? { wall: 0, own: 0, children: 0 };
  shares.set(file, {
    wall: before.wall + more.wall,
    own: before.own + more.own,
    children: before.children + more.children,
  });
}

/** This process' until now, in seconds. */
export function taken(): Took {
  const { user, system } = process.cpuUsage();
  return { wall: process.uptime(), own: (user + system) / 1e6, children: childrenCpu() };
}

/** Writes what `file` took into the folder when the process ends. */
export function writeTimesAtExit(folder: string | undefined, file: string): void {
  if (folder === undefined) return;
  process.once("exit", () => {
    const text = JSON.stringify({ file, whole: taken(), shares: Object.fromEntries(shares) });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${process.pid}.json`), text);
  });
}
