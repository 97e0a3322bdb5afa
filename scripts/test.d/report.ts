/** The last lines of a run: what failed, each tier with passed, failed or not run, and the counts. */
import { flakyLines, type Flaky } from "./flaky.ts";
import { shortened, type Failure } from "./tap.ts";

export type State = "passed" | "failed" | "not run";

/** One line of the end: a stage of a tier. */
export interface Outcome {
  readonly name: string;
  readonly state: State;
  /** Why it was not run, or what failed beside tests. */
  readonly why?: string;
  readonly passed: number;
  readonly skipped: readonly string[];
  readonly failures: readonly Failure[];
  /** Seconds, and seconds of processor time; null where nobody can tell these from those of what ran beside it. */
  readonly wall: number;
  readonly cpu: number | null;
}

/** A tier's time beside its budget, in seconds. */
export interface Budget {
  readonly name: string;
  readonly wall: number;
  readonly budget: number;
}

export interface Run {
  readonly outcomes: readonly Outcome[];
  readonly budgets: readonly Budget[];
  readonly flaky: readonly Flaky[];
  /** The time by file, the dearest last. */
  readonly dearest: readonly string[];
}

/** Failures shown in full at the end; of all others it says where they are. */
const SHOWN = 20;

export function reportOf(run: Run): { readonly lines: readonly string[]; readonly exitCode: 0 | 1 } {
  const { outcomes } = run;
  const failures = outcomes.flatMap((one) => one.failures);
  const skipped = outcomes.flatMap((one) => one.skipped);
  const passed = outcomes.reduce((sum, one) => sum + one.passed, 0);
  const failed = outcomes.filter(({ state }) => state === "failed");
  // What failed without a test's saying so counts as one.
  const failedCount = failed.reduce((sum, one) => sum + Math.max(1, one.failures.length), 0);
  const over = run.budgets.filter(({ wall, budget }) => wall > budget);
  const counts = `${passed} passed, ${failedCount} failed`;
  return {
    lines: [
      ...(run.dearest.length > 1 ? ["", ...run.dearest] : []),
      ...(skipped.length > 0
        ? ["", "Skipped, each with its reason:", ...skipped.map((one) => `  ${one}`)]
        : []),
      "",
      ...outcomes.map(lineOf),
      ...run.budgets.map((one) => `${one.name}: ${span(one.wall)} of ${span(one.budget)}`),
      ...over.map(
        (one) => `WARNING  ${one.name} took ${span(one.wall)}, over its budget of ${span(one.budget)}`,
      ),
      ...flakyLines(run.flaky),
      ...failures.slice(0, SHOWN).flatMap((failure) => ["", ...shortened(failure.lines)]),
      ...othersByFile(failures.slice(SHOWN)),
      ...failed.flatMap(({ name, why }) => (why === undefined ? [] : ["", `${name} failed: ${why}`])),
      "",
      skipped.length > 0 ? `${counts}, ${skipped.length} skipped` : counts,
    ],
    exitCode: failed.length === 0 && passed > 0 ? 0 : 1,
  };
}

function othersByFile(others: readonly Failure[]): string[] {
  if (others.length === 0) return [];
  const files = Map.groupBy(others, ({ file }) => file ?? "no file");
  return [
    "",
    `${others.length} more failed, see above:`,
    ...[...files].map(([file, { length }]) => `  ${length} of ${file}`),
  ];
}

function lineOf({ name, state, why, passed, failures, wall, cpu }: Outcome): string {
  const start = `${state.padEnd(8)} ${name}`;
  if (state === "not run") return why === undefined ? start : `${start}: ${why}`;
  const tests = passed + failures.length;
  const counted = tests > 0 ? `${tests} tests, ` : "";
  const used = cpu === null ? "" : `, ${span(cpu)} of processor time`;
  return `${start}: ${counted}${span(wall)}${used}`;
}

/** Seconds for people. */
export function span(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 120 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
