import test from "ava";
import * as fc from "fast-check";
import { SHORTEST_WAIT, waitForNext } from "../../../src/revocation/crl-schedule.ts";

const HOUR = 3_600_000;
const usual = { now: 1_000, every: HOUR, nextUpdate: 1_000 + 100 * HOUR, failures: 0 };

test("a list is fetched as often as the site document says", (t) => {
  t.is(waitForNext(usual, 0), HOUR);
});

test("and no later than at half of what is left of the one held", (t) => {
  t.is(waitForNext({ ...usual, nextUpdate: 1_000 + HOUR }, 0), HOUR / 2);
  t.is(waitForNext({ ...usual, nextUpdate: 1_000 + 1 }, 0), SHORTEST_WAIT);
});

test("one that is missing or has run out is asked for every quarter of an hour", (t) => {
  t.is(waitForNext({ ...usual, nextUpdate: null }, 0), HOUR / 4);
  t.is(waitForNext({ ...usual, nextUpdate: 900 }, 0), HOUR / 4);
});

test("after failures the waits grow, up to a quarter of an hour", (t) => {
  const waits = [1, 2, 3, 4, 50, 5_000].map((failures) => waitForNext({ ...usual, failures }, 0));
  t.deepEqual(waits, [15_000, 30_000, 60_000, 120_000, HOUR / 4, HOUR / 4]);
});

test("chance only shortens a wait, by a fifth at most; none is shorter than the shortest", (t) => {
  const states = fc.record({
    now: fc.constant(1_000_000),
    every: fc.integer({ min: 1, max: 100 * HOUR }),
    nextUpdate: fc.option(fc.integer({ min: 0, max: 100 * HOUR })),
    failures: fc.integer({ min: 0, max: 1_000 }),
  });
  fc.assert(
    fc.property(states, fc.double({ min: 0, max: 0.999, noNaN: true }), (state, random) => {
      const [longest, wait] = [waitForNext(state, 0), waitForNext(state, random)];
      t.true(wait >= SHORTEST_WAIT && wait <= longest && wait >= Math.floor(longest * 0.8));
    }),
  );
});
