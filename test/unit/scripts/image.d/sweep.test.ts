import test from "ava";
import { swept } from "../../../../scripts/image.d/sweep.ts";

const HOUR = 3_600_000;

test("what is half-made goes once nobody can be at work in it, and what is kept once nobody used it for a month", (t) => {
  const ages: Record<string, number> = {
    "half-old": 7 * HOUR,
    "half-new": HOUR,
    "kept-old": 31 * 24 * HOUR,
    "kept-new": 29 * 24 * HOUR,
    other: 1000 * 24 * HOUR,
  };
  t.deepEqual(
    swept(Object.keys(ages), /^half-/, /^kept-/, (name) => ages[name] ?? 0),
    ["half-old", "kept-old"],
  );
});
