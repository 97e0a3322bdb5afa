import { connect } from "node:net";
import test from "ava";
import { Ask, read, registers, write, type End } from "../../unit/machine/requests.ts";
import { goodReply, Machine, openTcp, PAUSE_OVER } from "./rig.ts";

test("without an answer in time a request fails with 0B, whether it reached the machine or waited", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port } = openTcp(t, machine.port, { requestTimeout: 1000 });
  const [sent, waiting] = [write(0, 1), read(1)];
  port.submit(port.openLane(), sent);
  port.submit(port.openLane(), waiting);
  t.like(await sent.done, { kind: "failed", exception: 0x0b, outcome: "timeout" });
  t.like(await waiting.done, { kind: "failed", exception: 0x0b, outcome: "not-sent" });
  t.like(port.status(), { pending: 0, queued: 0 });
});

test("a machine's time runs from sending: what waits behind others is answered, on one connection", async (t) => {
  const machine = await Machine.start(t);
  const { port, clock, events } = openTcp(t, machine.port, { requestTimeout: 4_000, queueTimeout: 60_000 });
  machine.onRequest = (seen) => {
    // By the port's clock each answer takes most of the time that it has.
    clock.forward(3_000);
    seen.socket.write(goodReply(seen));
  };
  const asks = Array.from({ length: 8 }, (_, i) => write(i, i));
  for (const ask of asks) port.submit(port.openLane(), ask);
  for (const ask of asks) t.like(await ask.done, { kind: "answered", exception: 0 });
  t.is(machine.connections, 1);
  t.deepEqual(events, []);
});

test("what waits longer than queueTimeout is answered 06 and never sent", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port, clock } = openTcp(t, machine.port, { requestTimeout: 60_000, queueTimeout: 1_000 });
  const [sent, waiting] = [read(0), write(1, 1)];
  port.submit(port.openLane(), sent);
  await machine.saw(1);
  port.submit(port.openLane(), waiting);
  clock.forward(2_000);
  const end = await waiting.done;
  t.like(end, { kind: "failed", exception: 0x06, outcome: "not-sent" });
  t.regex(end.kind === "failed" ? end.reason : "", /waited 1000 ms for its turn at press-4/);
  machine.seen[0]!.socket.write(goodReply(machine.seen[0]!));
  t.deepEqual(registers(await sent.done), [0]);
  t.is(machine.seen.length, 1);
  t.like(port.status(), { circuit: "closed", connections: 1 });
});

test("a machine that accepts and never answers is not shown as working", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port, clock, events } = openTcp(t, machine.port, { requestTimeout: 1000 });
  const silent = read(0);
  port.submit(port.openLane(), silent);
  t.like(await silent.done, { exception: 0x0b, outcome: "timeout" });
  t.like(port.status(), { circuit: "open", failures: 1 });
  t.regex(port.status().lastError ?? "", /did not answer within 1000 ms/);
  t.deepEqual(events, [false]);
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  clock.forward(PAUSE_OVER);
  const next = read(5);
  port.submit(port.openLane(), next);
  t.deepEqual(registers(await next.done), [5]);
  t.like(port.status(), { circuit: "closed", failures: 0, lastError: null });
  t.deepEqual(events, [false, true]);
});

test("one unit that is silent behind a machine that answers others costs only its own requests", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = (seen) => {
    if (seen.unit !== 7) seen.socket.write(goodReply(seen));
  };
  const { port, events } = openTcp(t, machine.port, { maxPending: 4, requestTimeout: 4_000 });
  const lane = port.openLane();
  const silent = read(0, 1, 7);
  let answered = 0;
  const poll = (end: End): void => {
    if (end.kind === "answered") answered++;
    if (!silent.end && end.kind === "answered") port.submit(lane, new Ask(read(1).operation, null, poll));
  };
  port.submit(lane, new Ask(read(1).operation, null, poll));
  port.submit(port.openLane(), silent);
  t.like(await silent.done, { exception: 0x0b, outcome: "timeout" });
  t.true(answered > 0);
  t.is(machine.connections, 1);
  t.deepEqual(events, []);
  t.is(port.status().circuit, "closed");
});

test("a refused connection answers 0B at once, and the pause before the next attempt shows in the status", async (t) => {
  const machine = await Machine.start(t);
  machine.stop();
  const { port, clock, events } = openTcp(t, machine.port);
  const lane = port.openLane();
  const [one, two] = [read(0), write(1, 1)];
  port.submit(lane, one);
  port.submit(lane, two);
  t.like(await one.done, { exception: 0x0b, outcome: "not-sent" });
  t.like(await two.done, { exception: 0x0b, outcome: "not-sent" });
  t.like(port.status(), { circuit: "open", connections: 0, pending: 0, queued: 0, failures: 1 });
  t.regex(port.status().lastError ?? "", /ECONNREFUSED/);
  const meanwhile = read(2);
  port.submit(lane, meanwhile);
  t.like(
    meanwhile.end,
    { exception: 0x0b, outcome: "not-sent" },
    "in the very call, without another attempt",
  );
  clock.forward(PAUSE_OVER);
  t.is(port.status().circuit, "half-open");
  const third = read(3);
  port.submit(lane, third);
  t.like(await third.done, { exception: 0x0b, outcome: "not-sent" });
  t.like(port.status(), { circuit: "open", failures: 2 });
  await machine.listen();
  clock.forward(PAUSE_OVER);
  const last = read(4);
  port.submit(lane, last);
  t.deepEqual(registers(await last.done), [4]);
  t.like(port.status(), { circuit: "closed", connections: 1, failures: 0, lastError: null });
  t.deepEqual(events, [false, true], "one record of its failing, one of its coming back");
});

test("a machine that restarts between requests is asked again at once", async (t) => {
  const machine = await Machine.start(t);
  const { port, events } = openTcp(t, machine.port);
  const lane = port.openLane();
  const before = read(0);
  port.submit(lane, before);
  await before.done;
  machine.stop();
  await machine.listen();
  const after = read(1);
  port.submit(lane, after);
  t.deepEqual(registers(await after.done), [1]);
  t.is(machine.connections, 2);
  t.deepEqual(events, []);
});

test("a machine that restarts mid-flight is asked its reads once more, in order, and its writes never", async (t) => {
  const machine = await Machine.start(t);
  const { port } = openTcp(t, machine.port, { maxPending: 8 });
  const lane = port.openLane();
  const before = read(0);
  port.submit(lane, before);
  await before.done;
  machine.onRequest = () => {};
  const asks = [read(1), write(2, 22), read(3), read(4), write(5, 55)];
  for (const ask of asks) port.submit(lane, ask);
  await machine.saw(6);
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  machine.hangUp();
  const ends = await Promise.all(asks.map((ask) => ask.done));
  for (const i of [0, 2, 3]) t.deepEqual(registers(ends[i]!), [i + 1]);
  for (const i of [1, 4]) t.like(ends[i]!, { kind: "failed", exception: 0x0b, outcome: "unknown" });
  t.deepEqual(
    machine.seen.slice(6).map(({ pdu }) => [pdu[0], pdu.readUInt16BE(1)]),
    [
      [3, 1],
      [3, 3],
      [3, 4],
    ],
  );
});

test("a read is asked once more and not a third time", async (t) => {
  const machine = await Machine.start(t);
  const { port } = openTcp(t, machine.port);
  const lane = port.openLane();
  const before = read(0);
  port.submit(lane, before);
  await before.done;
  machine.onRequest = (seen) => seen.socket.destroy();
  const ask = read(1);
  port.submit(lane, ask);
  t.like(await ask.done, { kind: "failed", exception: 0x0b, outcome: "unknown" });
  t.is(machine.seen.length, 3);
});

test("a second connection that the machine refuses does not make it count as away", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port, events } = openTcp(t, machine.port, { maxConnections: 2 });
  const asks = [read(0), read(1), read(2)];
  port.submit(port.openLane(), asks[0]!);
  await machine.saw(1);
  machine.deaf();
  port.submit(port.openLane(), asks[1]!);
  port.submit(port.openLane(), asks[2]!);
  await refused(machine.port);
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  machine.seen[0]!.socket.write(goodReply(machine.seen[0]!));
  for (const [i, ask] of asks.entries()) t.deepEqual(registers(await ask.done), [i]);
  t.like(port.status(), { circuit: "closed", connections: 1, lastError: null });
  t.deepEqual(events, []);
});

/** Resolves when a connection to the port has been refused, and so those attempted before it. */
function refused(port: number): Promise<void> {
  return new Promise((resolve) => {
    connect(port, "127.0.0.1").once("error", () => setImmediate(resolve));
  });
}
