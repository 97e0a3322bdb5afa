/** Keys in memory: kept out of core dumps, out of swap, and out of the reach of other processes. */
import { secureHeapUsed } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf, systemCode } from "../base/index.ts";

/**
 * Node's options for processes that hold keys. OpenSSL keeps private keys (EC, RSA, Ed25519; not ML-DSA) in a heap of its own, locked and
 * left out of dumps. A full one refuses keys; 4 MiB hold a hundred thousand, and are within everybody's limit of locked memory (8 MiB).
 * The second keeps SIGUSR1 from opening a debugger on loopback, where other processes could take the keys through it.
 */
export const GUARDED_NODE: readonly string[] = ["--secure-heap=4194304", "--disable-sigusr1"];

/** The addon's share; isolation/ has it. */
export interface MemoryAddon {
  forbidDumps(): void;
}

export interface Guarded {
  /** What a crash leaves: no core dump, one that holds no memory, or the kernel's habit. */
  readonly dumps: "none" | "empty" | "whole";
  /** Whether OpenSSL's private keys are in locked memory. */
  readonly locked: boolean;
  /** Whether the kernel may swap out what else there is: copies under way, JavaScript's heap. */
  readonly swap: "none" | "possible";
  /** For the log: what could not be had, why, and what to do. */
  readonly problems: readonly string[];
}

/**
 * For processes that hold keys (control, gateway), first thing after their start.
 *
 * A process that may not be dumped owns its files under /proc no longer: root does. niac writes none of them later; its own it may still
 * read, and signals, children and threads are as before. What is lost, and on purpose: a debugger of the same user cannot attach.
 * The filter of dumps is written first because a common user could not do it afterwards; it stands by itself where there is no addon.
 *
 * Memory is not locked as a whole: V8 does not live with that (native/memory.c). Swap is forbidden from outside instead, by a
 * box that has none or by its cgroup, and here it is only looked whether that was done.
 */
export function guardMemory(
  addon: MemoryAddon | null,
  at: { readonly proc: string; readonly cgroups: string } = { proc: "/proc", cgroups: "/sys/fs/cgroup" },
): Guarded {
  const problems: string[] = [];
  // core(5): a bit for each kind of memory. What is left in a dump are the processors' registers.
  const filter = join(at.proc, "self/coredump_filter");
  const empty = tried(() => writeFileSync(filter, "0", { flag: "r+" }));
  const none = addon === null ? "the addon is not built" : tried(() => addon.forbidDumps());
  const dumps = none === null ? "none" : empty === null ? "empty" : "whole";
  if (dumps !== "none") {
    problems.push(
      `a core dump ${dumps === "empty" ? "is written where this process crashes, though without its memory" : "would hold this process' memory, keys in it"}: ${none}${empty === null ? "" : `; ${filter}: ${empty}`}. Build the addon (scripts/setup.sh), or forbid dumps (LimitCORE=0 in the service, ulimit -c 0)`,
    );
  }
  const locked = secureHeapUsed().total > 0 && lockedMemory(at.proc) > 0;
  const files = swapFiles(at.proc);
  const swap = files.length === 0 || swapForbidden(at) ? "none" : "possible";
  if (swap === "possible") {
    problems.push(
      `memory may be swapped out to ${files.join(", ")}${locked ? ", though no private key of OpenSSL's" : ", keys in it too"}. Set MemorySwapMax=0 in the service, or switch swap off (swapoff -a)`,
    );
  }
  if (!locked) {
    problems.push(
      `private keys are not in locked memory: ${secureHeapUsed().total > 0 ? "the limit of locked memory is too low (LimitMEMLOCK=8M in the service, ulimit -l)" : `start with ${GUARDED_NODE[0]}`}`,
    );
  }
  return { dumps, locked, swap, problems };
}

/** Null where it was done, else why not. */
function tried(act: () => void): string | null {
  try {
    act();
    return null;
  } catch (error) {
    return systemCode(error) || messageOf(error);
  }
}

/** KiB. */
function lockedMemory(proc: string): number {
  return Number(/^VmLck:\s*(\d+) kB$/m.exec(read(join(proc, "self/status")))?.[1] ?? 0);
}

function swapFiles(proc: string): string[] {
  const [, ...rows] = read(join(proc, "swaps")).trim().split("\n");
  return rows.map((row) => row.split(/\s/)[0] ?? "");
}

/** Whether this process' cgroup (version 2) or one above it may use no swap. */
function swapForbidden({ proc, cgroups }: { proc: string; cgroups: string }): boolean {
  const own = /^0::(\/.*)$/m.exec(read(join(proc, "self/cgroup")))?.[1];
  if (own === undefined) return false;
  for (let group = own; group !== "/"; group = dirname(group)) {
    if (read(join(cgroups, group, "memory.swap.max")).trim() === "0") return true;
  }
  return false;
}

/** Empty where it cannot be read. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
