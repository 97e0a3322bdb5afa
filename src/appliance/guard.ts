/** Keys in memory: kept out of core dumps, of swap, and of the reach of other processes. */
import { writeFileSync } from "node:fs";
import { messageOf, systemCode } from "../base/index.ts";

/** The addon's share; isolation/ has it. */
export interface MemoryAddon {
  lockMemory(): void;
  forbidDumps(): void;
}

export interface Guarded {
  /** Of this process' end in a crash: no dump at all, one that holds no memory, or the kernel's habit. */
  readonly dumps: "none" | "empty" | "whole";
  /** Whether what it holds stays out of swap. */
  readonly locked: boolean;
  /** For the log: what could not be had, why, and what to do. */
  readonly problems: readonly string[];
}

/**
 * For processes that hold keys (control, gateway), first thing after their start; what children inherit is no hindrance to them.
 *
 * A process that may not be dumped owns its files under /proc no longer: root does. niac writes to none of them later, and reading one's own
 * stays allowed, as are signals, children, threads. What is lost, and on purpose: a debugger of the same user cannot attach.
 * The filter is written first because as a common user it could not be afterwards; it stands by itself where there is no addon.
 */
export function guardMemory(addon: MemoryAddon | null, filter = "/proc/self/coredump_filter"): Guarded {
  const problems: string[] = [];
  const done = (act: () => void, problem: string): boolean => {
    try {
      act();
      return true;
    } catch (error) {
      problems.push(`${problem} (${systemCode(error) || messageOf(error)})`);
      return false;
    }
  };
  // core(5): a bit for each kind of memory. What is left in a dump are the processor's registers.
  const empty = done(
    () => writeFileSync(filter, "0"),
    "a core dump would hold this process' memory: its filter cannot be set",
  );
  if (addon === null) {
    problems.push(
      "memory may be swapped out, keys in it too: the addon that locks it is not there. Build it (scripts/setup.sh), or run without swap",
    );
    return { dumps: empty ? "empty" : "whole", locked: false, problems };
  }
  const none = done(() => addon.forbidDumps(), "core dumps cannot be forbidden");
  const locked = done(
    () => addon.lockMemory(),
    "memory may be swapped out, keys in it too: locking is not allowed. Raise the limit (LimitMEMLOCK=infinity in the service, or ulimit -l unlimited), or run without swap",
  );
  return { dumps: none ? "none" : empty ? "empty" : "whole", locked, problems };
}
