import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { guardMemory } from "../../../src/appliance/index.ts";

const NO_SWAP = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
const SWAP = `${NO_SWAP}/dev/sda2                               partition\t8388604\t\t0\t\t-2\n`;
const ADDON = { forbidDumps: (): void => undefined };
const BROKEN = {
  forbidDumps: (): void => {
    throw Object.assign(new Error("EPERM: operation not permitted, prctl"), { code: "EPERM" });
  },
};

/** What of /proc and of the control groups is looked at. */
function kernel(
  t: ExecutionContext,
  files: Readonly<Record<string, string>>,
): { proc: string; cgroups: string } {
  const root = mkdtempSync(join(tmpdir(), "niac-guard-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, content] of Object.entries({
    "proc/self/coredump_filter": "00000033\n",
    "proc/self/status": "Name:\tnode\nVmLck:\t       0 kB\n",
    "proc/self/cgroup": "0::/system.slice/niac.service\n",
    "proc/swaps": NO_SWAP,
    ...files,
  })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return { proc: join(root, "proc"), cgroups: join(root, "cgroups") };
}

test("with the addon there are no dumps; without it, or where it fails, they hold no memory", (t) => {
  const at = kernel(t, {});
  const guarded = guardMemory(ADDON, at);
  t.is(guarded.dumps, "none");
  t.true(
    readFileSync(join(at.proc, "self/coredump_filter"), "utf8").startsWith("0"),
    "the second wall stands too",
  );
  for (const [addon, why] of [
    [null, "the addon is not built"],
    [BROKEN, "EPERM"],
  ] as const) {
    const { dumps, problems } = guardMemory(addon, kernel(t, {}));
    t.is(dumps, "empty");
    t.regex(problems[0] ?? "", new RegExp(`though without its memory: ${why}\\. `));
  }
});

test("where neither can be had, that is said, and what would be in a dump", (t) => {
  const at = kernel(t, {});
  rmSync(join(at.proc, "self/coredump_filter"));
  const { dumps, problems } = guardMemory(null, at);
  t.is(dumps, "whole");
  t.regex(
    problems[0] ?? "",
    /would hold this process' memory, keys in it: the addon is not built; .*coredump_filter: ENOENT/,
  );
});

test("swap is possible where there is some and no group forbids it", (t) => {
  const swapOf = (files: Readonly<Record<string, string>>): string =>
    guardMemory(ADDON, kernel(t, files)).swap;
  const own = "cgroups/system.slice/niac.service/memory.swap.max";
  t.is(swapOf({}), "none");
  t.is(swapOf({ "proc/swaps": SWAP }), "possible");
  t.is(swapOf({ "proc/swaps": SWAP, [own]: "max\n" }), "possible");
  t.is(swapOf({ "proc/swaps": SWAP, [own]: "1048576\n" }), "possible");
  t.is(swapOf({ "proc/swaps": SWAP, [own]: "0\n" }), "none");
  t.is(swapOf({ "proc/swaps": SWAP, [own]: "max\n", "cgroups/system.slice/memory.swap.max": "0\n" }), "none");
  t.is(
    swapOf({ "proc/swaps": SWAP, [own]: "0\n", "proc/self/cgroup": "4:memory:/niac\n" }),
    "possible",
    "version 1",
  );
  const { problems } = guardMemory(ADDON, kernel(t, { "proc/swaps": SWAP }));
  t.regex(
    problems[0] ?? "",
    /^memory may be swapped out to \/dev\/sda2, keys in it too\. Set MemorySwapMax=0/,
  );
});

test("without OpenSSL's own heap no key is said to be in locked memory", (t) => {
  const { locked, problems } = guardMemory(ADDON, kernel(t, { "proc/self/status": "VmLck:\t    4096 kB\n" }));
  t.false(locked);
  t.deepEqual(problems, ["private keys are not in locked memory: start with --secure-heap=4194304"]);
});
