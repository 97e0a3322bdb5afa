import test from "ava";
import { shortened, TapReport } from "../../../../scripts/test.d/tap.ts";

function read(code: number | null, ...lines: string[]): { tap: TapReport; shown: readonly string[] } {
  const tap = new TapReport(true);
  const shown = lines.flatMap((line) => tap.line(line));
  tap.ended(code);
  return { tap, shown };
}

const FILE = "test/e2e/a-b.test.ts";
const GOOD = [
  "TAP version 13",
  `ok 1 - ${FILE} › it does`,
  "",
  "1..1",
  "# tests 1",
  "# pass 1",
  "# fail 0",
  "",
];
const BAD = [
  "TAP version 13",
  `ok 1 - ${FILE} › it does`,
  `not ok 2 - e2e › a-b › ${FILE} › it does not`,
  "  ---",
  "    message: Test failed",
  "  ...",
  "#     a figure",
  "",
  "1..2",
  "# fail 1",
];

test("tests that pass are shown with their figures, which are kept by file, and counted", (t) => {
  const { tap, shown } = read(0, ...GOOD.slice(0, 2), "#   12 ms", ...GOOD.slice(2));
  t.deepEqual(shown, ["  ok    e2e/a-b › it does", "        12 ms"]);
  t.is(tap.passed, 1);
  t.deepEqual(tap.figures, [{ file: FILE, title: "it does", lines: ["12 ms"] }]);
  t.true(tap.good);
});

test("a test that failed is shown in full, and kept with its file and all it said", (t) => {
  const { tap, shown } = read(1, ...BAD);
  t.deepEqual(shown.slice(0, 3), ["  ok    e2e/a-b › it does", "  FAIL  e2e/a-b › it does not", "  ---"]);
  t.like(tap.failures, [{ file: FILE, title: "it does not" }]);
  t.true(tap.failures[0]?.lines.includes("    message: Test failed"));
  t.true(tap.failures[0]?.lines.some((line) => line.includes("a figure")));
  t.false(tap.good);
  t.deepEqual(tap.broken, []);
});

test("where passed tests have no line, failures have theirs", (t) => {
  const tap = new TapReport(false);
  t.deepEqual(BAD.flatMap((line) => tap.line(line))[0], "  FAIL  e2e/a-b › it does not");
  t.is(tap.passed, 1);
});

test("a process that died is a failure of its file, or of its group", (t) => {
  const died = "not ok 1 - test/e2e/a-b.test.ts exited due to SIGKILL";
  t.is(read(1, died, "1..1").tap.failures[0]?.file, FILE);
  const group = "not ok 1 - build/test/groups/unit-site.test.ts exited with a non-zero exit code: 1";
  t.is(read(1, group, "1..1").tap.failures[0]?.file, "build/test/groups/unit-site.test.ts");
});

test("a skipped test is named with its reason", (t) => {
  const { tap } = read(0, `ok 1 - ${FILE} › it (missing here: nft) # SKIP`, "1..1");
  t.deepEqual(tap.skipped, ["e2e/a-b › it (missing here: nft)"]);
  t.is(tap.passed, 0);
});

test("a run that was cut off, or ended without a test's saying why, is no good run", (t) => {
  for (const [code, lines] of [
    [0, GOOD.slice(0, 2)],
    [null, GOOD.slice(0, 2)],
    [1, GOOD],
    [2, BAD],
    [0, ["TAP version 13", "1..0"]],
  ] as const) {
    const { tap } = read(code, ...lines);
    t.not(tap.broken.length, 0, `${code}: ${lines.join("|")}`);
    t.false(tap.good);
  }
});

test("of a failure that says much, the end shows the first lines and how many there are more", (t) => {
  const much = ["  FAIL  a", ...Array.from({ length: 100 }, (_, line) => `    line ${line}`), ""];
  const end = shortened(much);
  t.is(end.length, 31);
  t.is(end.at(-1), "  ... and 71 lines more, see above");
  t.deepEqual(shortened(["a", "", "b"]), ["a", "b"]);
});
