import test from "ava";
import * as fc from "fast-check";
import { WriteGate } from "../../../src/gateway/write-gate.ts";

interface Gate {
  readonly enter: (name: string, alone?: boolean) => void;
  readonly leave: (alone?: boolean) => void;
  readonly started: string[];
}

/** A gate, and the names of those who started, in order. */
function gate(): Gate {
  const inner = new WriteGate();
  const started: string[] = [];
  return {
    started,
    enter: (name, alone = false) => inner.enter(alone, () => started.push(name)),
    leave: (alone = false) => inner.leave(alone),
  };
}

test("writes that need not be alone run side by side", (t) => {
  const { enter, started } = gate();
  for (const name of ["a", "b", "c"]) enter(name);
  t.deepEqual(started, ["a", "b", "c"]);
});

test("one that must be alone waits for all before it, and all after it wait", (t) => {
  const { enter, leave, started } = gate();
  enter("a");
  enter("b");
  enter("alone", true);
  enter("c");
  t.deepEqual(started, ["a", "b"]);
  leave();
  t.deepEqual(started, ["a", "b"], "one is still under way");
  leave();
  t.deepEqual(started, ["a", "b", "alone"]);
  leave(true);
  t.deepEqual(started, ["a", "b", "alone", "c"]);
});

test("two that must be alone come one after the other", (t) => {
  const { enter, leave, started } = gate();
  enter("first", true);
  enter("second", true);
  t.deepEqual(started, ["first"]);
  leave(true);
  t.deepEqual(started, ["first", "second"]);
  leave(true);
  enter("third");
  t.deepEqual(started, ["first", "second", "third"]);
});

test("one that leaves in its own start does not lose the turn of the next", (t) => {
  const inner = new WriteGate();
  const started: string[] = [];
  inner.enter(true, () => started.push("holder"));
  for (const name of ["a", "b", "c"]) {
    inner.enter(true, () => {
      started.push(name);
      inner.leave(true);
    });
  }
  inner.leave(true);
  t.deepEqual(started, ["holder", "a", "b", "c"]);
});

test("whatever comes and goes: nobody beside one that is alone, order of arrival kept, nobody forgotten", (t) => {
  const step = fc.record({
    leave: fc.boolean(),
    alone: fc.boolean(),
    pick: fc.nat(20),
    within: fc.boolean(),
  });
  const property = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const inner = new WriteGate();
    const arrived: number[] = [];
    const started: number[] = [];
    let inside: Array<{ readonly id: number; readonly alone: boolean }> = [];
    let sound = true;
    const leave = (id: number, alone: boolean): void => {
      inside = inside.filter((each) => each.id !== id);
      inner.leave(alone);
    };
    const enter = (id: number, alone: boolean, within: boolean): void => {
      arrived.push(id);
      inner.enter(alone, () => {
        started.push(id);
        inside.push({ id, alone });
        sound &&= inside.length === 1 || inside.every((each) => !each.alone);
        if (within) leave(id, alone);
      });
    };
    for (const [id, { leave: leaves, alone, pick, within }] of steps.entries()) {
      const who = inside[pick % Math.max(inside.length, 1)];
      if (!leaves) enter(id, alone, within);
      else if (who) leave(who.id, who.alone);
    }
    for (let who = inside[0]; who; who = inside[0]) leave(who.id, who.alone);
    return sound && started.join() === arrived.join();
  });
  t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});
