/** What each step of a plan is: its name, whether it has anything to do, and the doing. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ALONE } from "../../test/unit/alone.ts";
import { groupsOf, writeEntries } from "./groups.ts";
import { PASSED, readPassed, whyNotRun } from "./passed.ts";
import type { Step } from "./plan.ts";
import type { Outcome } from "./report.ts";
import { runCommands, runTests, type Bench } from "./stage.ts";
import { readRows } from "./times.ts";

const GROUPS = "build/test/groups";
const LATER = "build/image/later";

export function nameOf(step: Step): string {
  switch (step.kind) {
    case "checks":
      return "types, lint and format";
    case "unit":
      return "unit";
    case "tools":
      return "tools";
    case "program":
      return "niac's program";
    case "images":
      return "image made";
    case "tests":
      return step.name;
  }
}

/** What the tiers that do not run each time test, as one hash each. */
export type Inputs = Readonly<Record<"image" | "soak", string>>;

/** Why the tier need not run: it passed for these inputs. Null: it did not. */
function passedFor(tier: "image" | "soak", inputs: Inputs, root: string): string | null {
  return whyNotRun(readPassed(join(root, PASSED))[tier], inputs[tier]);
}

/** Why a step has nothing to do; null: it runs. */
export function whyNot(step: Step, inputs: Inputs, root: string): string | null {
  const cannot = process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get");
  if ((step.kind === "images" || (step.kind === "tests" && step.image)) && cannot)
    return "images are made by root on Debian, and this is not";
  if (step.kind !== "tests") return null;
  const passed = step.changed === undefined ? null : passedFor(step.changed, inputs, root);
  return passed ?? (step.files.length === 0 ? "it has no test files" : null);
}

export async function outcomeOf(
  step: Exclude<Step, { kind: "program" }>,
  bench: Bench,
  inputs: Inputs,
  root: string,
): Promise<Outcome> {
  const name = nameOf(step);
  switch (step.kind) {
    case "checks":
      return runCommands(
        name,
        [
          [
            "Types and lint",
            "oxlint",
            "--type-aware",
            "--type-check",
            "--deny-warnings",
            "src",
            "test",
            "scripts",
          ],
          ["Format", "oxfmt", "--check", "src", "test", "scripts"],
        ],
        bench,
      );
    case "unit": {
      const before = new Map(
        readRows(join(bench.left, "times.json")).map((row) => [row.file, row.own + row.children]),
      );
      const { groups, alone } = groupsOf(
        step.files,
        new Set(Object.keys(ALONE)),
        (file) => before.get(file) ?? 1,
      );
      const files = [...writeEntries(root, GROUPS, groups), ...alone];
      return runTests({ name, files, width: 2, showsPassed: false, again: false }, bench);
    }
    case "tools":
      return runCommands(
        name,
        [["Tools", "scripts/test.d/tools.sh", ...(step.image ? ["image"] : [])]],
        bench,
      );
    case "images": {
      // Others are at work beside it.
      const make = ["nice", "-n", "10", "scripts/image", "--board", "qemu-arm64", "--fast"] as const;
      const later = step.later === "changed" ? passedFor("image", inputs, root) === null : step.later;
      return runCommands(
        name,
        [
          ...(later ? [["A later release", ...make, "--release", "0.99.0", "--out", LATER] as const] : []),
          ["The image", ...make],
        ],
        bench,
      );
    }
    case "tests":
      return runTests(
        { ...step, environment: environmentOf(step, root), showsPassed: true, again: true },
        bench,
      );
  }
}

function environmentOf(step: Extract<Step, { kind: "tests" }>, root: string): Record<string, string> {
  const { soak } = step;
  return {
    NIAC_TEST_PROGRAM: join(root, "dist/bin/niac.mjs"),
    ...(step.keep === true ? { NIAC_KEEP_BOX: "1" } : {}),
    ...(soak !== undefined && "minutes" in soak ? { NIAC_SOAK_MINUTES: String(soak.minutes) } : {}),
    ...(soak !== undefined && "rounds" in soak ? { NIAC_SOAK_ROUNDS: String(soak.rounds) } : {}),
  };
}
