/** Processor time as Linux counts it. */
import { readFileSync } from "node:fs";

/** Ticks a second of /proc (sysconf(_SC_CLK_TCK), 100 on every Linux). */
const TICKS = 100;

/** Seconds of the children that this process has waited for, and of theirs; 0 where nobody knows. */
export function childrenCpu(): number {
  try {
    return childrenOf(readFileSync("/proc/self/stat", "utf8"));
  } catch {
    // Not Linux.
    return 0;
  }
}

/** Fields 16 and 17 of /proc/pid/stat (proc_pid_stat(5)). */
export function childrenOf(stat: string): number {
  // The name, in parentheses, may have blanks and parentheses in it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [Number(fields[13]), Number(fields[14])];
  return Number.isFinite(user + system) ? (user + system) / TICKS : 0;
}
