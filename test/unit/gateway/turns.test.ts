import test from "ava";
import { inTurns } from "../../../src/gateway/turns.ts";

test.serial("all of a list is done in order, and what else is due happens between", async (t) => {
  const done: number[] = [];
  let between = 0;
  const other = setInterval(() => between++, 0);
  const busy = (item: number): void => {
    const until = performance.now() + 2;
    while (performance.now() < until);
    done.push(item);
  };
  await inTurns(
    Array.from({ length: 40 }, (_, index) => index),
    busy,
  );
  clearInterval(other);
  t.deepEqual(
    done,
    Array.from({ length: 40 }, (_, index) => index),
  );
  t.true(between > 0, `${between} times`);
});

test.serial("an empty list and a short one are done at once", async (t) => {
  // Whatever this computer does meanwhile.
  const now = performance.now();
  performance.now = () => now;
  t.teardown(() => Reflect.deleteProperty(performance, "now"));
  const done: string[] = [];
  await inTurns([], () => done.push("never"));
  const short = inTurns(["a", "b"], (item) => done.push(item));
  t.deepEqual(done, ["a", "b"]);
  await short;
});
