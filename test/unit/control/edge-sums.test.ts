import test from "ava";
import * as fc from "fast-check";
import { EdgeSums } from "../../../src/control/edge-sums.ts";

test("the first change is due at once, the next after two seconds, with what came between as one", (t) => {
  const sums = new EdgeSums<string, boolean>();
  t.deepEqual(sums.take(0), []);
  sums.add("key", true, 1_000);
  t.deepEqual(sums.take(0), [{ name: "key", state: true, changes: 1, time: 1_000 }]);
  sums.add("key", false, 1_500);
  sums.add("key", true, 1_600);
  t.deepEqual(sums.take(1_999), []);
  t.deepEqual(sums.take(2_000), [{ name: "key", state: true, changes: 2, time: 1_600 }]);
  t.deepEqual(sums.unsteady(), [], "off and on again is what a person does");
});

test("one thing that goes to and fro keeps no other from its record", (t) => {
  const sums = new EdgeSums<string, boolean>();
  for (let at = 0; at < 10; at++) sums.add("key", at % 2 === 0, at);
  sums.take(0);
  sums.add("key", true, 10);
  sums.add("cover", true, 10);
  t.deepEqual(
    sums.take(1).map(({ name }) => name),
    ["cover"],
  );
});

test("a storm is a record a minute in the end, none of its changes is lost, and it is called unsteady", (t) => {
  const sums = new EdgeSums<string, boolean>();
  let [records, changes] = [0, 0];
  const hour = 3_600_000;
  for (let now = 0; now < hour; now += 100) {
    sums.add("key", now % 200 === 0, now);
    for (const sum of sums.take(now)) {
      records++;
      changes += sum.changes;
    }
  }
  t.true(records <= 70, `${records} records of 36,000 changes`);
  t.deepEqual(sums.unsteady(), ["key"]);
  const [last] = sums.take(hour + 60_000);
  t.is(changes + (last?.changes ?? 0), hour / 100);
  sums.take(hour + 200_000);
  t.deepEqual(sums.unsteady(), [], "quiet again, it is steady");
});

test("what could not be recorded is due again, with what came since and the latest state", (t) => {
  const sums = new EdgeSums<string, boolean>();
  sums.add("key", true, 1);
  const [failed] = sums.take(0);
  t.truthy(failed);
  if (failed) sums.putBack(failed);
  t.deepEqual(sums.take(1_000), [], "not at once: a full disk stays full for a while");
  sums.add("key", false, 5);
  t.deepEqual(sums.take(2_000), [{ name: "key", state: false, changes: 2, time: 5 }]);
  if (failed) sums.putBack(failed);
  t.deepEqual(sums.take(4_000), [{ name: "key", state: true, changes: 1, time: 1 }]);
});

test("whatever comes when, every change is in one sum, and the last state comes out", (t) => {
  const step = fc.record({ wait: fc.nat(5_000), state: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const sums = new EdgeSums<string, boolean>();
      let [now, changes] = [0, 0];
      let last: boolean | undefined;
      for (const { wait, state } of steps) {
        now += wait;
        sums.add("key", state, now);
        for (const sum of sums.take(now)) {
          changes += sum.changes;
          last = sum.state;
        }
      }
      for (const sum of sums.take(now + 60_000)) {
        changes += sum.changes;
        last = sum.state;
      }
      t.is(changes, steps.length);
      t.is(last, steps.at(-1)?.state);
    }),
    { numRuns: 200 },
  );
});
