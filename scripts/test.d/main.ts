/** scripts/test: runs the stages of what was asked, the cheapest first, up to one that fails, and reports. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeProgram } from "../image.d/program.ts";
import { imageInputs, soakInputs } from "./inputs.ts";
import { HELP, readOptions, type Options } from "./options.ts";
import { PASSED, writePassed } from "./passed.ts";
import { planOf, stepsOf, type Step } from "./plan.ts";
import { endOnSignals } from "./process.ts";
import { Quiet } from "./quiet.ts";
import { reportOf, type Budget, type Outcome } from "./report.ts";
import { notRun, type Bench } from "./stage.ts";
import { nameOf, outcomeOf, whyNot, type Inputs } from "./step.ts";
import { dearest, merged, writeRows } from "./times.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const left = join(root, "build/test");
/** Seconds, on two cores. The whole run's is the first where nothing had to be downloaded. */
const BUDGETS = { quick: 90, all: 15 * 60, downloading: 20 * 60, image: 60 * 60, changed: 45 * 60 } as const;

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
    quiet: new Quiet(),
  };
  const plan = planOf(wanted, root);
  if (
    plan.length === 0 ||
    stepsOf(plan).some((step) => step.kind === "tests" && step.files.length === 0 && wanted.what === "files")
  ) {
    process.stderr.write(`scripts/test: no test file is called ${wanted.files.join(", ")}\n`);
    return 2;
  }
  // A run that was killed has left the times of its own.
  rmSync(join(left, "times"), { recursive: true, force: true });
  const done = new Map<Step, Outcome>();
  let inputs: Inputs = { image: "", soak: "" };
  const take = async (step: Step, lane: boolean): Promise<void> => {
    const failed = [...done.values()].find(({ state }) => state === "failed");
    const name = nameOf(step);
    if (failed !== undefined) {
      done.set(step, notRun(name, `${failed.name} failed`));
    } else if (step.kind === "program") {
      const bundled = await makeBundled();
      inputs = { image: imageInputs(root, bundled), soak: soakInputs(root) };
    } else {
      const why = whyNot(step, inputs, root);
      const outcome = why === null ? await outcomeOf(step, bench, inputs, root) : notRun(name, why);
      done.set(step, lane && step.kind === "images" ? { ...outcome, cpu: null } : outcome);
    }
  };
  const inTurn = async (steps: readonly Step[], lane: boolean): Promise<void> => {
    for (const step of steps) await take(step, lane);
  };
  for (const stage of plan) {
    if (stage.kind === "lanes") await Promise.all(stage.lanes.map((steps) => inTurn(steps, true)));
    else await take(stage, false);
  }
  const outcomes = stepsOf(plan).flatMap((step) => done.get(step) ?? []);
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
  writePassed(join(root, PASSED), tier, { inputs, at: new Date().toISOString(), tests, minutes, figures });
  say(`${tier} is recorded as passed in test/passed.json.`);
}

/** As scripts/setup.sh has it; null: nothing is kept. */
function cacheFolder(): string | null {
  const { NIAC_CACHE: given, XDG_CACHE_HOME: xdg } = process.env;
  if (given === "none") return null;
  return given ?? join(xdg ?? join(homedir(), ".cache"), "niac");
}
