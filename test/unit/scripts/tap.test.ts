import test from "ava";
import { TapReport } from "../../../scripts/tap.ts";

/** What is shown for the lines, and the exit code. */
function report(...lines: string[]): { readonly shown: readonly string[]; readonly exitCode: number } {
  const tap = new TapReport();
  const shown = lines.flatMap((line) => tap.line(line));
  const verdict = tap.verdict();
  return { shown: [...shown, ...verdict.lines], exitCode: verdict.exitCode };
}

const GOOD = ["TAP version 13", "ok 1 - a › it does", "", "1..1", "# tests 1", "# pass 1", "# fail 0", ""];
const BAD = [
  "TAP version 13",
  "ok 1 - a › it does",
  "not ok 2 - a › it does not",
  "  ---",
  "    message: Test failed",
  "  ...",
  "",
  "1..2",
  "# fail 1",
];

test("tests that pass are shown with their figures, and counted", (t) => {
  const { shown, exitCode } = report(...GOOD.slice(0, 2), "#   12 ms", ...GOOD.slice(2), "# ended 0");
  t.deepEqual(shown, ["  ok    a › it does", "        12 ms", "", "1 passed, 0 failed"]);
  t.is(exitCode, 0);
});

test("a test that failed is shown in full, and again at the end", (t) => {
  const { shown, exitCode } = report(...BAD, "# ended 1");
  t.deepEqual(shown, [
    "  ok    a › it does",
    "  FAIL  a › it does not",
    "  ---",
    "    message: Test failed",
    "  ...",
    "",
    "",
    "  FAIL  a › it does not",
    "  ---",
    "    message: Test failed",
    "  ...",
    "",
    "1 passed, 1 failed",
  ]);
  t.is(exitCode, 1);
});

test("of a failure that says much, the end shows the first lines and where the others are", (t) => {
  const much = Array.from({ length: 100 }, (_, line) => `    line ${line}`);
  const { shown } = report("not ok 1 - a", ...much, "ok 2 - b", "    no part of it", "1..2", "# ended 1");
  t.true(shown.includes("    line 99"));
  const end = shown.slice(shown.lastIndexOf("  FAIL  a"));
  t.deepEqual(end.slice(0, 2), ["  FAIL  a", "    line 0"]);
  t.deepEqual(end.slice(-4), ["    line 28", "  ... and 71 lines more, see above", "", "1 passed, 1 failed"]);
});

test("what is skipped is named again at the end", (t) => {
  const { shown, exitCode } = report("ok 1 - a # SKIP", ...GOOD, "# ended 0");
  t.deepEqual(shown.slice(-5), [
    "",
    "Skipped, each with its reason:",
    "  a",
    "",
    "1 passed, 0 failed, 1 skipped",
  ]);
  t.is(exitCode, 0);
});

for (const [why, lines, says] of [
  [
    "an ava that died in its run",
    [...GOOD.slice(0, 3), "# ended 1"],
    "Ava ended with 1 before its last test",
  ],
  ["an ava that never began", ["# ended 127"], "Ava ended with 127 before its last test"],
  [
    "the second of two that died",
    [...GOOD, "# ended 0", "TAP version 13", "ok 1 - b", "# ended 1"],
    "before its last",
  ],
  ["an ava that a signal ended after its plan", [...GOOD, "# ended 143"], "Ava ended with 143, and no test"],
  ["an exit code of 1 without a test that failed", [...GOOD, "# ended 1"], "Ava ended with 1, and no test"],
  ["a script that ended before ava did", GOOD.slice(0, 4), "The tests were cut off."],
  ["a run that gave up", [...GOOD, "Bail out! no", "# ended 0"], "Bail out! no"],
  ["no test at all", ["TAP version 13", "1..0", "# ended 0"], "0 passed, 0 failed"],
] as const) {
  test(`${why} is no success`, (t) => {
    const { shown, exitCode } = report(...lines);
    t.true(shown.join("\n").includes(says), shown.join("\n"));
    t.is(exitCode, 1);
  });
}
