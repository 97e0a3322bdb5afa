import test from "ava";
import * as fc from "fast-check";
import { Lane, LaneRing } from "../../../src/machine/lane.ts";
import type { Transaction } from "../../../src/machine/index.ts";
import { read } from "./requests.ts";

const A = { name: "a" };
const B = { name: "b" };

function odd(ask: Transaction): boolean {
  return (ask.operation.reads?.address ?? 0) % 2 === 1;
}

test("lanes are served in turn, one request each, and each keeps its order", (t) => {
  const ring = new LaneRing();
  const [greedy, modest] = [new Lane(), new Lane()];
  const many = Array.from({ length: 5 }, (_, i) => read(i));
  const few = [read(100), read(101)];
  for (const ask of many) ring.push(greedy, ask);
  for (const ask of few) ring.push(modest, ask);
  t.is(ring.queued, 7);
  const served = Array.from({ length: 7 }, () => ring.takeFor(A));
  t.deepEqual(served, [many[0], few[0], many[1], few[1], many[2], many[3], many[4]]);
  t.is(ring.takeFor(A), null);
  t.is(ring.queued, 0);
});

test("a lane with requests in flight on one connection is not served over another", (t) => {
  const ring = new LaneRing();
  const [bound, free] = [new Lane(), new Lane()];
  bound.inFlight = 1;
  bound.connection = A;
  const [first, second] = [read(0), read(1)];
  ring.push(bound, first);
  ring.push(free, second);
  t.is(ring.takeFor(B), second);
  t.is(ring.takeFor(B), null);
  t.is(ring.queued, 1);
  t.is(ring.takeFor(A), first);
});

test("what is put back goes before what its lane has waiting, and its lane to the front", (t) => {
  const ring = new LaneRing();
  const [lane, other] = [new Lane(), new Lane()];
  const [first, second, third] = [read(0), read(1), read(2)];
  ring.push(other, third);
  ring.push(lane, second);
  ring.putBack(lane, first);
  t.is(ring.takeFor(A), third);
  t.is(ring.takeFor(A), first);
  ring.putBack(other, third);
  t.is(ring.takeFor(A), third, "an empty lane that gets one back is served first");
  t.is(ring.takeFor(A), second);
});

test("a lane that is removed leaves nothing behind", (t) => {
  const ring = new LaneRing();
  const [lane, other] = [new Lane(), new Lane()];
  const asks = [read(0), read(1)];
  for (const ask of asks) ring.push(lane, ask);
  const kept = read(2);
  ring.push(other, kept);
  t.deepEqual(ring.remove(lane), asks);
  t.deepEqual(ring.remove(lane), []);
  t.is(ring.queued, 1);
  t.is(ring.takeFor(A), kept);
  t.is(ring.takeFor(A), null);
});

test("takeWhere takes what is asked for, and the rest keeps its order and its turn", (t) => {
  const ring = new LaneRing();
  const [one, two] = [new Lane(), new Lane()];
  const asks = Array.from({ length: 6 }, (_, i) => read(i));
  for (const [i, ask] of asks.entries()) ring.push(i < 3 ? one : two, ask);
  t.deepEqual(ring.takeWhere(odd), [asks[1], asks[3], asks[5]]);
  t.is(ring.queued, 3);
  t.deepEqual([ring.takeFor(A), ring.takeFor(A), ring.takeFor(A)], [asks[0], asks[4], asks[2]]);
  ring.push(one, asks[0]!);
  ring.takeWhere(() => true);
  t.is(ring.takeFor(A), null);
});

/** What the ring is to do, as plainly as it can be written: every request with its lane, and whose turn it is. */
class Model {
  turns: number[] = [];
  readonly waiting = new Map<number, number[]>();
  readonly bound = new Map<number, object>();

  push(lane: number, ask: number): void {
    const waiting = this.waiting.get(lane) ?? [];
    this.waiting.set(lane, [...waiting, ask]);
    if (waiting.length === 0) this.turns.push(lane);
  }

  take(connection: object): number | null {
    const lane = this.turns.find((each) => (this.bound.get(each) ?? connection) === connection);
    if (lane === undefined) return null;
    const [first, ...rest] = this.waiting.get(lane)!;
    this.waiting.set(lane, rest);
    this.turns = this.turns.filter((each) => each !== lane);
    if (rest.length > 0) this.turns.push(lane);
    return first!;
  }
}

test("whatever is pushed, bound and taken, the ring does as a simple model does", (t) => {
  const step = fc.oneof(
    fc.record({ what: fc.constant("push" as const), lane: fc.nat(4) }),
    fc.record({ what: fc.constant("bind" as const), lane: fc.nat(4), to: fc.constantFrom(A, B, null) }),
    fc.record({ what: fc.constant("take" as const), from: fc.constantFrom(A, B) }),
    fc.record({ what: fc.constant("remove" as const), lane: fc.nat(4) }),
  );
  const property = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
    const [ring, model] = [new LaneRing(), new Model()];
    const lanes = Array.from({ length: 5 }, () => new Lane());
    let asked = 0;
    for (const each of steps) {
      if (each.what === "push") {
        ring.push(lanes[each.lane]!, read(asked));
        model.push(each.lane, asked++);
      } else if (each.what === "bind") {
        const lane = lanes[each.lane]!;
        lane.inFlight = each.to ? 1 : 0;
        lane.connection = each.to;
        if (each.to) model.bound.set(each.lane, each.to);
        else model.bound.delete(each.lane);
      } else if (each.what === "take") {
        const address = ring.takeFor(each.from)?.operation.reads?.address ?? null;
        if (address !== model.take(each.from)) return false;
      } else {
        const removed = ring.remove(lanes[each.lane]!).map((ask) => ask.operation.reads?.address);
        if (removed.join() !== (model.waiting.get(each.lane) ?? []).join()) return false;
        model.waiting.set(each.lane, []);
        model.turns = model.turns.filter((lane) => lane !== each.lane);
      }
      if (ring.queued !== [...model.waiting.values()].flat().length) return false;
    }
    return true;
  });
  t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});
