import test from "ava";
import { buildIntervals, lastFrom, reaching } from "../../../src/policy/intervals.ts";
import { compileRule } from "../../../src/policy/rule.ts";
import { snapshotOf } from "./documents.ts";
import { Dice } from "./generator.ts";

const [first] = snapshotOf({ forbids: [{ name: "any" }] }).forbids;

/** Names of the runs that start at or before `start` and end at or after `end`, in the order of the walk. */
function walk(runs: readonly { start: number; end: number }[], start: number, end: number): number[] {
  if (first === undefined) throw new Error("no rule");
  const entries = runs.map((run, order) => ({
    rule: compileRule("forbid", first, order, null),
    run: { ...run, parts: null },
  }));
  const intervals = buildIntervals(entries);
  const found: number[] = [];
  for (
    let i = reaching(intervals, lastFrom(intervals.starts, start), end);
    i >= 0;
    i = reaching(intervals, i - 1, end)
  ) {
    found.push(intervals.rules[i]?.order ?? -1);
  }
  return found;
}

test("no runs, none found", (t) => {
  t.deepEqual(walk([], 0, 0), []);
});

test("of equal runs the document's first is met first", (t) => {
  t.deepEqual(
    walk(
      [
        { start: 1, end: 5 },
        { start: 1, end: 5 },
        { start: 0, end: 9 },
      ],
      2,
      3,
    ),
    [0, 1, 2],
  );
});

test("the walk meets every run that a look at each of them finds, once", (t) => {
  const dice = new Dice(3);
  let met = 0;
  for (let i = 0; i < 500; i++) {
    const runs = Array.from({ length: dice.below(30) }, () => {
      const start = dice.below(40);
      return { start, end: start + dice.below(dice.once(4) ? 40 : 5) };
    });
    const start = dice.below(45);
    const end = start + dice.below(6);
    // Covering a range, as grants do; overlapping it, as forbids do.
    for (const [from, to] of [
      [start, end],
      [end, start],
    ] as const) {
      const expected = runs.flatMap((run, order) => (run.start <= from && run.end >= to ? [order] : []));
      met += expected.length;
      t.deepEqual(
        walk(runs, from, to).toSorted((a, b) => a - b),
        expected,
      );
    }
  }
  t.true(met > 1000);
});
