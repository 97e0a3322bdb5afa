/** scripts/test: runs the stages of what was asked, the cheapest first, up to one that fails, and reports. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ALONE } from "../../test/unit/alone.ts";
import { makeProgram } from "../image.d/program.ts";
import { groupsOf, writeEntries } from "./groups.ts";
import { imageInputs, soakInputs } from "./inputs.ts";
import { HELP, readOptions, type Options } from "./options.ts";
import { readPassed, whyNotRun, writePassed } from "./passed.ts";
import { planOf, type Stage } from "./plan.ts";
import { endOnSignals } from "./process.ts";
import { reportOf, type Budget, type Outcome } from "./report.ts";
import { notRun, runCommands, runTests, type Bench } from "./stage.ts";
import { dearest, merged, readRows, writeRows } from "./times.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const left = join(root, "build/test");
const PASSED = join(root, "test/passed.json");
const GROUPS = "build/test/groups";
/** Seconds, on two cores. The whole run's is the first where nothing had to be downloaded. */
const BUDGETS = { quick: 90, all: 15 * 60, downloading: 20 * 60, image: 60 * 60, changed: 45 * 60 } as const;
const LATER = "build/image/later";

const say = (line: string): void => console.log(line);
const options = readOptions(process.argv.slice(2));
if (options === null) process.stdout.write(HELP);
else if (typeof options === "string") {
  process.stderr.write(`scripts/test: ${options}\n\n${HELP}`);
  process.exitCode = 2;
} else if (options.what === "slowest") showSlowest();
else process.exitCode = await run(options);

function showSlowest(): void {
  const path = join(left, "times.txt");
  process.stdout.write(
    existsSync(path) ? readFileSync(path, "utf8") : "No run has left its times in build/test yet.\n",
  );
}

async function run(wanted: Options): Promise<number> {
  endOnSignals();
  const bench: Bench = {
    left,
    history: join(cacheFolder() ?? left, "flaky.json"),
    say,
    rows: [],
    flaky: [],
    figures: {},
  };
  const plan = planOf(wanted, root);
  if (
    plan.length === 0 ||
    plan.some((stage) => stage.kind === "tests" && stage.files.length === 0 && wanted.what === "files")
  ) {
    process.stderr.write(`scripts/test: no test file is called ${wanted.files.join(", ")}\n`);
    return 2;
  }
  // A run that was killed has left the times of its own.
  rmSync(join(left, "times"), { recursive: true, force: true });
  const outcomes: Outcome[] = [];
  let inputs = { image: "", soak: "" };
  for (const stage of plan) {
    const failed = outcomes.find(({ state }) => state === "failed");
    const name = nameOf(stage);
    if (failed !== undefined) {
      outcomes.push(notRun(name, `${failed.name} failed`));
      continue;
    }
    if (stage.kind === "program") {
      const bundled = await makeBundled();
      inputs = { image: imageInputs(root, bundled), soak: soakInputs(root) };
      continue;
    }
    const why = whyNot(stage, inputs);
    outcomes.push(why === null ? await outcomeOf(stage, bench) : notRun(name, why));
  }
  if (bench.rows.length > 0) writeRows(left, merged(bench.rows));
  const { lines, exitCode } = reportOf({
    outcomes,
    budgets: budgetsOf(wanted, outcomes),
    flaky: bench.flaky,
    dearest: wanted.what === "files" && bench.rows.length < 3 ? [] : dearest(merged(bench.rows)),
  });
  for (const line of lines) say(line);
  if (wanted.record && exitCode === 0 && (wanted.what === "image" || wanted.what === "soak"))
    record(wanted.what, inputs[wanted.what], outcomes, bench);
  return exitCode;
}

function nameOf(stage: Stage): string {
  switch (stage.kind) {
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
      return stage.name;
  }
}

/** Why a stage has nothing to do; null: it runs. */
function whyNot(stage: Stage, inputs: { readonly image: string; readonly soak: string }): string | null {
  const cannot = process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get");
  if ((stage.kind === "images" || (stage.kind === "tests" && stage.image)) && cannot)
    return "images are made by root on Debian, and this is not";
  if (stage.kind !== "tests") return null;
  if (stage.changed !== undefined) {
    const passed = whyNotRun(readPassed(PASSED)[stage.changed], inputs[stage.changed]);
    if (passed !== null) return passed;
  }
  return stage.files.length === 0 ? "it has no test files" : null;
}

async function outcomeOf(stage: Exclude<Stage, { kind: "program" }>, bench: Bench): Promise<Outcome> {
  const name = nameOf(stage);
  switch (stage.kind) {
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
        readRows(join(left, "times.json")).map((row) => [row.file, row.own + row.children]),
      );
      const { groups, alone } = groupsOf(
        stage.files,
        new Set(Object.keys(ALONE)),
        (file) => before.get(file) ?? 1,
      );
      const files = [...writeEntries(root, GROUPS, groups), ...alone];
      return runTests({ name, files, width: 2, showsPassed: false, again: false }, bench);
    }
    case "tools":
      return runCommands(
        name,
        [["Tools", "scripts/test.d/tools.sh", ...(stage.image ? ["image"] : [])]],
        bench,
      );
    case "images": {
      const make = ["scripts/image", "--board", "qemu-arm64", "--fast"] as const;
      return runCommands(
        name,
        [
          ...(stage.later
            ? [["A later release", ...make, "--release", "0.99.0", "--out", LATER] as const]
            : []),
          ["The image", ...make],
        ],
        bench,
      );
    }
    case "tests":
      return runTests({ ...stage, environment: environmentOf(stage), showsPassed: true, again: true }, bench);
  }
}

function environmentOf(stage: Extract<Stage, { kind: "tests" }>): Record<string, string> {
  const { soak } = stage;
  return {
    NIAC_TEST_PROGRAM: join(root, "dist/bin/niac.mjs"),
    ...(stage.keep === true ? { NIAC_KEEP_BOX: "1" } : {}),
    ...(soak !== undefined && "minutes" in soak ? { NIAC_SOAK_MINUTES: String(soak.minutes) } : {}),
    ...(soak !== undefined && "rounds" in soak ? { NIAC_SOAK_ROUNDS: String(soak.rounds) } : {}),
  };
}

/** niac's program as boxes run it: started a thousand times, the sources would cost a quarter of an hour more. Returns what is in it. */
async function makeBundled(): Promise<string[]> {
  const { inputs } = await makeProgram(root, join(root, "dist/bin"));
  return Object.keys(inputs);
}

function budgetsOf(wanted: Options, outcomes: readonly Outcome[]): Budget[] {
  const named = (...names: string[]): number =>
    outcomes.reduce((sum, one) => sum + (names.includes(one.name) ? one.wall : 0), 0);
  const quick = { name: "quick", wall: named("types, lint and format", "unit"), budget: BUDGETS.quick };
  const whole = Date.now() / 1000 - Number(process.env["NIAC_BEGAN"] ?? Date.now() / 1000);
  const short = named("image: short form", "soak: short form");
  switch (wanted.what) {
    case "quick":
      return [quick];
    case "all": {
      const budget = existsSync(process.env["NIAC_DOWNLOADS"] ?? "") ? BUDGETS.downloading : BUDGETS.all;
      return [
        quick,
        { name: "all", wall: whole - short, budget },
        ...(short > 0 ? [{ name: "all with the short forms", wall: whole, budget: BUDGETS.changed }] : []),
      ];
    }
    case "image":
      return [{ name: "image", wall: whole, budget: BUDGETS.image }];
    case "soak":
    case "files":
    case "slowest":
      return [];
  }
}

function record(tier: "image" | "soak", inputs: string, outcomes: readonly Outcome[], bench: Bench): void {
  const minutes = Math.round(outcomes.reduce((sum, { wall }) => sum + wall, 0) / 60);
  const tests = outcomes.reduce((sum, { passed }) => sum + passed, 0);
  const figures = Object.fromEntries(
    Object.entries(bench.figures).toSorted(([a], [b]) => a.localeCompare(b)),
  );
  writePassed(PASSED, tier, { inputs, at: new Date().toISOString(), tests, minutes, figures });
  say(`${tier} is recorded as passed in test/passed.json.`);
}

/** As scripts/setup.sh has it; null: nothing is kept. */
function cacheFolder(): string | null {
  const { NIAC_CACHE: given, XDG_CACHE_HOME: xdg } = process.env;
  if (given === "none") return null;
  return given ?? join(xdg ?? join(homedir(), ".cache"), "niac");
}
