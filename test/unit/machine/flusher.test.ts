import { setImmediate as nextTurn } from "node:timers/promises";
import test from "ava";
import { Flusher } from "../../../src/machine/index.ts";

test("who asks to be flushed is flushed once, after the turn", async (t) => {
  const flusher = new Flusher();
  const flushed: string[] = [];
  flusher.add({ flush: () => flushed.push("first") });
  flusher.add({ flush: () => flushed.push("second") });
  t.deepEqual(flushed, []);
  await nextTurn();
  t.deepEqual(flushed, ["first", "second"]);
  await nextTurn();
  t.deepEqual(flushed, ["first", "second"]);
});

test("who asks again while all are flushed is flushed in the turn after", async (t) => {
  const flusher = new Flusher();
  const flushed: number[] = [];
  const again = {
    flush(): void {
      flushed.push(flushed.length);
      if (flushed.length < 3) flusher.add(again);
    },
  };
  flusher.add(again);
  flusher.flush();
  t.deepEqual(flushed, [0], "not within the same flush, which would never end");
  await nextTurn();
  await nextTurn();
  await nextTurn();
  t.deepEqual(flushed, [0, 1, 2]);
});

test("flushed by hand, nothing is flushed twice", async (t) => {
  const flusher = new Flusher();
  let flushed = 0;
  flusher.add({ flush: () => flushed++ });
  flusher.flush();
  t.is(flushed, 1);
  await nextTurn();
  t.is(flushed, 1);
  flusher.add({ flush: () => flushed++ });
  await nextTurn();
  t.is(flushed, 2);
});

test("while it is held nothing is flushed, and at the last release everything is, at once", (t) => {
  const flusher = new Flusher();
  let flushed = 0;
  flusher.hold();
  flusher.add({ flush: () => flushed++ });
  flusher.hold();
  flusher.release();
  t.is(flushed, 0);
  flusher.release();
  t.is(flushed, 1);
});

test("held, nothing is flushed before the last release, and then everything at once", async (t) => {
  const flusher = new Flusher();
  const flushed: string[] = [];
  flusher.hold();
  flusher.hold();
  flusher.add({ flush: () => flushed.push("first") });
  await nextTurn();
  flusher.release();
  flusher.add({ flush: () => flushed.push("second") });
  await nextTurn();
  t.deepEqual(flushed, []);
  flusher.release();
  t.deepEqual(flushed, ["first", "second"]);
  await nextTurn();
  t.deepEqual(flushed, ["first", "second"]);
});

test("held and released within a flush, nobody is left out or flushed twice", async (t) => {
  const flusher = new Flusher();
  const flushed: string[] = [];
  flusher.add({
    flush: () => {
      flushed.push("outer");
      flusher.hold();
      flusher.add({ flush: () => flushed.push("inner") });
      flusher.release();
      flusher.add({ flush: () => flushed.push("after") });
    },
  });
  flusher.add({ flush: () => flushed.push("last") });
  flusher.flush();
  await nextTurn();
  await nextTurn();
  t.deepEqual(flushed.toSorted(), ["after", "inner", "last", "outer"]);
});
