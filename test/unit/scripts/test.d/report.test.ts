import test from "ava";
import { reportOf, span, type Outcome, type Run } from "../../../../scripts/test.d/report.ts";

const PASSED: Outcome = {
  name: "unit",
  state: "passed",
  passed: 10,
  skipped: [],
  failures: [],
  wall: 61.2,
  cpu: 100,
};
const FAILED: Outcome = {
  ...PASSED,
  name: "end-to-end",
  state: "failed",
  failures: [{ file: "test/e2e/a.test.ts", title: "it does", lines: ["  FAIL  e2e/a › it does", "    why"] }],
};
const NOT_RUN: Outcome = {
  ...PASSED,
  name: "image: first start",
  state: "not run",
  why: "end-to-end failed",
  passed: 0,
};

function report(run: Partial<Run>): { lines: readonly string[]; exitCode: 0 | 1 } {
  return reportOf({ outcomes: [], budgets: [], flaky: [], dearest: [], ...run });
}

test("the last lines name each tier; the last one counts", (t) => {
  const { lines, exitCode } = report({ outcomes: [PASSED] });
  t.deepEqual(lines.slice(-3), [
    "passed   unit: 10 tests, 61 s, 100 s of processor time",
    "",
    "10 passed, 0 failed",
  ]);
  t.is(exitCode, 0);
});

test("what failed stands last, what came after it is not run and says why", (t) => {
  const { lines, exitCode } = report({ outcomes: [PASSED, FAILED, NOT_RUN] });
  t.deepEqual(lines.slice(-7), [
    "failed   end-to-end: 11 tests, 61 s, 100 s of processor time",
    "not run  image: first start: end-to-end failed",
    "",
    "  FAIL  e2e/a › it does",
    "    why",
    "",
    "20 passed, 1 failed",
  ]);
  t.is(exitCode, 1);
});

test("a step that failed without a test counts as one, and says what it was", (t) => {
  const types: Outcome = { ...PASSED, name: "types", state: "failed", why: "tsc ended with 2", passed: 0 };
  const { lines, exitCode } = report({ outcomes: [types] });
  t.deepEqual(lines.slice(-3), ["types failed: tsc ended with 2", "", "0 passed, 1 failed"]);
  t.is(exitCode, 1);
});

test("where nothing ran, that is no success", (t) => {
  t.is(report({ outcomes: [NOT_RUN] }).exitCode, 1);
  t.is(report({}).exitCode, 1);
});

test("a tier over its budget is a warning and no failure; one within is told with its budget", (t) => {
  const budgets = [
    { name: "quick", wall: 95, budget: 90 },
    { name: "all", wall: 600, budget: 900 },
  ];
  const { lines, exitCode } = report({ outcomes: [PASSED], budgets });
  t.true(lines.includes("WARNING  quick took 95 s, over its budget of 90 s"));
  t.true(lines.includes("all: 10 min 0 s of 15 min 0 s"));
  t.false(lines.some((line) => line.startsWith("WARNING  all")));
  t.is(exitCode, 0);
});

test("a flaky file is named among the last lines, and counts as passed", (t) => {
  const flaky = [{ file: "test/e2e/a.test.ts", kept: "build/test/flaky/a", before: [] }];
  const { lines, exitCode } = report({ outcomes: [PASSED], flaky });
  t.true(lines.some((line) => line.startsWith("FLAKY    test/e2e/a.test.ts")));
  t.is(lines.at(-1), "10 passed, 0 failed");
  t.is(exitCode, 0);
});

test("what was skipped is named, and counted in the last line", (t) => {
  const { lines } = report({ outcomes: [{ ...PASSED, skipped: ["e2e/a › it (missing here: nft)"] }] });
  t.true(lines.includes("  e2e/a › it (missing here: nft)"));
  t.is(lines.at(-1), "10 passed, 0 failed, 1 skipped");
});

test("spans of time, for people", (t) => {
  t.deepEqual([0.4, 119.4, 119.5, 3_725].map(span), ["0 s", "119 s", "2 min 0 s", "62 min 5 s"]);
});

test("of very many failures the first are shown in full, and of all others where they are", (t) => {
  const failures = Array.from({ length: 290 }, (_, at) => ({
    file: `test/unit/${at < 100 ? "a" : "b"}.test.ts`,
    title: `case ${at}`,
    lines: [`  FAIL  case ${at}`],
  }));
  const { lines } = report({ outcomes: [{ ...FAILED, failures }] });
  t.is(lines.filter((line) => line.startsWith("  FAIL")).length, 20);
  t.deepEqual(lines.slice(-6), [
    "",
    "270 more failed, see above:",
    "  80 of test/unit/a.test.ts",
    "  190 of test/unit/b.test.ts",
    "",
    "10 passed, 290 failed",
  ]);
});
