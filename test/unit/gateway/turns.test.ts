import { setImmediate } from "node:timers/promises";
import test from "ava";
import { inTurns } from "../../../src/gateway/turns.ts";

const still = (): number => 0;

test("all of a list is done in order, and what else is due happens between", async (t) => {
  const list = Array.from({ length: 40 }, (_, index) => index);
  const done: number[] = [];
  let clock = 0;
  const busy = (item: number): void => {
    clock += 2;
    done.push(item);
  };
  const turns = inTurns(list, busy, () => clock);
  // What others have to do is due once a turn of the loop: it finds three more done each time, 5 ms and no more.
  for (let seen = 3; seen < 40; seen += 3) {
    t.is(done.length, seen);
    await setImmediate();
  }
  await turns;
  t.deepEqual(done, list);
});

test("an empty list and a short one are done at once", async (t) => {
  const done: string[] = [];
  // Whatever this computer does meanwhile.
  await inTurns([], () => done.push("never"), still);
  const short = inTurns(["a", "b"], (item) => done.push(item), still);
  t.deepEqual(done, ["a", "b"]);
  await short;
});
