import test from "ava";
import * as fc from "fast-check";
import { Slots } from "../../../src/machine/slots.ts";
import { read, type Ask } from "./requests.ts";

function deadline(ask: Ask, at: number): Ask {
  ask.deadline = at;
  return ask;
}

test("an id finds its transaction once, and then nobody", (t) => {
  const slots = new Slots(4);
  const ask = read(0);
  const id = slots.take(ask, 0);
  t.is(slots.pending, 1);
  t.is(slots.match(id), ask);
  t.is(slots.pending, 0);
  t.is(slots.match(id), null);
});

test("an id nobody was given finds nobody, whichever slot it falls into", (t) => {
  const slots = new Slots(4);
  const id = slots.take(read(0), 0);
  for (const other of [id + 1, id + 64, id + 128, 65_535])
    t.is(slots.match(other & 0xffff), null, `id ${other}`);
  t.is(slots.pending, 1);
});

test("ids wrap around at 65,536 and go on past those still in use", (t) => {
  const slots = new Slots(2);
  const early = read(0);
  const earlyId = slots.take(early, 0);
  const seen = new Set<number>();
  for (let i = 0; i < 70_000; i++) {
    const ask = read(1);
    const id = slots.take(ask, 0);
    t.not(id, earlyId);
    if (id < 0 || id > 0xffff) t.fail(`id ${id} is no transaction id`);
    seen.add(id);
    if (slots.match(id) !== ask) t.fail(`id ${id} found another transaction`);
  }
  // The early one's slot is passed over, so its ids are left out: one in 64.
  t.is(seen.size, 65_536 - 65_536 / 64);
  t.is(slots.match(earlyId), early);
});

test("an answer that comes after its time is late once, and unasked for the second time", (t) => {
  const slots = new Slots(4);
  const slow = deadline(read(0), 100);
  const quick = deadline(read(1), 200);
  const [slowId, quickId] = [slots.take(slow, 3), slots.take(quick, 5)];
  t.deepEqual(slots.expire(99), { transactions: [], oldest: Infinity });
  t.deepEqual(slots.expire(100), { transactions: [slow], oldest: 3 });
  t.is(slots.pending, 1);
  t.is(slots.match(slowId), "late");
  t.is(slots.match(slowId), null);
  t.is(slots.match(quickId), quick);
});

test("late answers that never come use the slots up, and take() says so instead of searching for ever", (t) => {
  const slots = new Slots(1);
  for (let i = 0; i < 64; i++) {
    t.not(slots.take(deadline(read(0), 1), 0), -1);
    t.is(slots.expire(1).transactions.length, 1);
  }
  t.is(slots.take(read(0), 2), -1);
  t.is(slots.pending, 0);
});

test("drain gives what is under way in the order it was sent, across the wrap-around", (t) => {
  const slots = new Slots(8);
  for (let i = 0; i < 65_533; i++) slots.match(slots.take(read(0), 0));
  const asks = Array.from({ length: 8 }, (_, i) => read(i));
  const ids = asks.map((ask, i) => slots.take(ask, 10 + i));
  t.true(ids.includes(65_535) && ids.includes(0), `the ids wrap around: ${ids.join(", ")}`);
  t.deepEqual(slots.drain(), asks);
  t.is(slots.pending, 0);
});

test("drain keeps the order of what was sent in the same moment", (t) => {
  const slots = new Slots(8);
  for (let i = 0; i < 62; i++) slots.match(slots.take(read(0), 0));
  const asks = Array.from({ length: 8 }, (_, i) => read(i));
  for (const ask of asks) slots.take(ask, 10);
  t.deepEqual(slots.drain(), asks);
});

/** Taking, answering and timing out in any order: no two requests ever share an id, and each answer finds its own. */
test("whatever happens in whatever order, ids never collide", (t) => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ what: "take" as const, pick: 0 }) },
    { weight: 3, arbitrary: fc.nat(99).map((pick) => ({ what: "answer" as const, pick })) },
    { weight: 1, arbitrary: fc.nat(99).map((pick) => ({ what: "expire" as const, pick })) },
    { weight: 1, arbitrary: fc.nat(99).map((pick) => ({ what: "late" as const, pick })) },
  );
  const property = fc.property(
    fc.integer({ min: 1, max: 64 }),
    fc.array(step, { maxLength: 400 }),
    (max, steps) => {
      const slots = new Slots(max);
      const open = new Map<number, Ask>();
      const late = new Set<number>();
      let now = 0;
      for (const { what, pick } of steps) {
        now++;
        const ids = [...(what === "late" ? late : open.keys())];
        const id = ids[pick % Math.max(ids.length, 1)];
        if (what === "take") {
          if (open.size >= max) continue;
          const ask = deadline(read(0), Infinity);
          const given = slots.take(ask, now);
          if (given < 0) return late.size > 0;
          if (open.has(given) || late.has(given)) return false;
          open.set(given, ask);
        } else if (id === undefined) {
          continue;
        } else if (what === "answer") {
          if (slots.match(id) !== open.get(id)) return false;
          open.delete(id);
        } else if (what === "expire") {
          const ask = open.get(id)!;
          ask.deadline = now;
          const { transactions } = slots.expire(now);
          if (transactions.length !== 1 || transactions[0] !== ask) return false;
          open.delete(id);
          late.add(id);
        } else {
          if (slots.match(id) !== "late") return false;
          late.delete(id);
        }
        if (slots.pending !== open.size) return false;
      }
      return true;
    },
  );
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});
