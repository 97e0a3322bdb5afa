import test from "ava";
import * as fc from "fast-check";
import {
  containsIntervals,
  intersects,
  intervalsText,
  mergeIntervals,
  mergeSpans,
} from "../../../src/site/interval.ts";
import type { Interval } from "../../../src/site/index.ts";

const SIZE = 64;

const interval = fc
  .tuple(fc.nat(SIZE - 1), fc.nat(SIZE - 1))
  .map(([a, b]): Interval => ({ start: Math.min(a, b), end: Math.max(a, b) }));
const list = fc.array(interval, { maxLength: 12 });

function bitmap(intervals: readonly Interval[]): readonly boolean[] {
  return Array.from({ length: SIZE }, (_, at) =>
    intervals.some(({ start, end }) => start <= at && at <= end),
  );
}

test("merging keeps exactly the same numbers, sorted, none touching the next", (t) => {
  fc.assert(
    fc.property(list, (intervals) => {
      const merged = mergeIntervals(intervals);
      t.deepEqual(bitmap(merged), bitmap(intervals));
      t.true(merged.every(({ start }, index) => index === 0 || merged[index - 1]!.end + 1 < start));
      t.deepEqual(mergeIntervals(merged), merged);
    }),
  );
});

test("containing and meeting agree with the bitmap", (t) => {
  fc.assert(
    fc.property(list, list, (a, b) => {
      const [one, other] = [mergeIntervals(a), mergeIntervals(b)];
      const [left, right] = [bitmap(a), bitmap(b)];
      t.is(
        containsIntervals(one, other),
        right.every((set, at) => !set || left[at] === true),
      );
      t.is(
        intersects(one, other),
        right.some((set, at) => set && left[at] === true),
      );
    }),
  );
});

test("spans whose end is not part of them join where one begins as the other ends", (t) => {
  t.deepEqual(
    mergeSpans([
      { start: 600, end: 720 },
      { start: 0, end: 60 },
      { start: 60, end: 120 },
    ]),
    [
      { start: 0, end: 120 },
      { start: 600, end: 720 },
    ],
  );
  t.deepEqual(
    mergeSpans([
      { start: 0, end: 60 },
      { start: 61, end: 120 },
    ]).length,
    2,
  );
});

test("the extremes of the address space", (t) => {
  t.deepEqual(
    mergeIntervals([
      { start: 65_535, end: 65_535 },
      { start: 0, end: 65_534 },
    ]),
    [{ start: 0, end: 65_535 }],
  );
  t.deepEqual(mergeIntervals([]), []);
  t.is(
    intervalsText([
      { start: 1, end: 1 },
      { start: 3, end: 5 },
    ]),
    "1, 3-5",
  );
});
