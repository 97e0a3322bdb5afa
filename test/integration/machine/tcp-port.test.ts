import test from "ava";
import { Ask, read, registers, write, type End } from "../../unit/machine/requests.ts";
import { goodReply, Machine, openTcp } from "./rig.ts";

test("requests are sent without waiting for answers up to maxPending, and answers come in any order", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port } = openTcp(t, machine.port, { maxPending: 4 });
  const lane = port.openLane();
  const asks = Array.from({ length: 6 }, (_, i) => read(10 * i));
  for (const ask of asks) port.submit(lane, ask);
  await machine.saw(4);
  t.like(port.status(), { connections: 1, pending: 4, queued: 2 });
  const first = [...machine.seen];
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  for (const seen of first.toReversed()) seen.socket.write(goodReply(seen));
  t.deepEqual(
    (await Promise.all(asks.map((ask) => ask.done))).map(registers),
    asks.map((_, i) => [10 * i]),
  );
  t.is(machine.seen.length, 6);
  t.is(new Set(first.map(({ id }) => id)).size, 4);
  t.like(port.status(), { circuit: "closed", pending: 0, queued: 0, failures: 0, lastError: null });
});

test("a machine that takes one request at a time is given one at a time", async (t) => {
  const machine = await Machine.start(t);
  let unanswered = 0;
  let most = 0;
  machine.onRequest = (seen) => {
    most = Math.max(most, ++unanswered);
    setImmediate(() => {
      unanswered--;
      seen.socket.write(goodReply(seen));
    });
  };
  const { port } = openTcp(t, machine.port, { maxPending: 1 });
  const lanes = Array.from({ length: 4 }, () => port.openLane());
  const asks = Array.from({ length: 20 }, (_, i) => read(i));
  for (const [i, ask] of asks.entries()) port.submit(lanes[i % 4]!, ask);
  for (const [i, ask] of asks.entries()) t.deepEqual(registers(await ask.done), [i]);
  t.is(most, 1);
});

test("a lane's requests reach the machine in their order, over several connections too", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = (seen) => setImmediate(() => seen.socket.write(goodReply(seen)));
  const { port } = openTcp(t, machine.port, { maxConnections: 3, maxPending: 2 });
  const lanes = Array.from({ length: 5 }, () => port.openLane());
  const asks = lanes.flatMap((lane, l) =>
    Array.from({ length: 20 }, (_, i) => {
      const ask = i % 3 === 0 ? write(1000 * l + i, i) : read(1000 * l + i);
      port.submit(lane, ask);
      return ask;
    }),
  );
  await Promise.all(asks.map((ask) => ask.done));
  t.is(machine.connections, 3);
  for (const l of lanes.keys()) {
    const addresses = machine.seen
      .map(({ pdu }) => pdu.readUInt16BE(1))
      .filter((at) => Math.floor(at / 1000) === l);
    t.deepEqual(
      addresses,
      Array.from({ length: 20 }, (_, i) => 1000 * l + i),
    );
  }
});

test("a lane with much to ask does not starve another", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port } = openTcp(t, machine.port);
  const [greedy, modest] = [port.openLane(), port.openLane()];
  for (let i = 0; i < 50; i++) port.submit(greedy, read(i));
  await machine.saw(1);
  port.submit(modest, read(1000));
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  machine.seen[0]!.socket.write(goodReply(machine.seen[0]!));
  await machine.saw(4);
  const addresses = machine.seen.slice(0, 4).map(({ pdu }) => pdu.readUInt16BE(1));
  t.true(addresses.indexOf(1000) <= 2, `the machine saw ${addresses.join(", ")}`);
});

test("a lane that asks again as soon as it is answered does not starve another", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port } = openTcp(t, machine.port);
  const [greedy, modest] = [port.openLane(), port.openLane()];
  let rounds = 0;
  const again = (end?: End): void => {
    if (end?.kind !== "failed" && rounds++ < 50)
      port.submit(greedy, new Ask(read(rounds).operation, null, again));
  };
  again();
  await machine.saw(1);
  const waiting = read(1000);
  port.submit(modest, waiting);
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  machine.seen[0]!.socket.write(goodReply(machine.seen[0]!));
  await waiting.done;
  const turn = machine.seen.findIndex(({ pdu }) => pdu.readUInt16BE(1) === 1000);
  t.true(turn <= 2, `it came as number ${turn}`);
});

test("beyond the queue's limit the answer is 06, and what waits is not touched", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port } = openTcp(t, machine.port, { maxQueued: 3 });
  const lane = port.openLane();
  const asks = Array.from({ length: 4 }, (_, i) => read(i));
  port.submit(lane, asks[0]!);
  await machine.saw(1);
  for (const ask of asks.slice(1)) port.submit(lane, ask);
  const over = read(99);
  port.submit(port.openLane(), over);
  t.like(await over.done, { kind: "failed", exception: 0x06, outcome: "not-sent" });
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  machine.seen[0]!.socket.write(goodReply(machine.seen[0]!));
  for (const [i, ask] of asks.entries()) t.deepEqual(registers(await ask.done), [i]);
  t.is(machine.seen.length, 4);
});

test("a closed lane's waiting requests fail unsent, and those with the machine end as they will", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port } = openTcp(t, machine.port);
  const lane = port.openLane();
  const [sent, waiting] = [write(0, 1), write(1, 1)];
  port.submit(lane, sent);
  port.submit(lane, waiting);
  await machine.saw(1);
  port.closeLane(lane);
  t.like(waiting.end, { kind: "failed", outcome: "not-sent" });
  t.is(sent.end, null);
  machine.seen[0]!.socket.write(goodReply(machine.seen[0]!));
  t.like(await sent.done, { kind: "answered", exception: 0 });
  t.is(machine.seen.length, 1);
  t.throws(() => port.submit(lane, read(0)), { code: "port-closed" });
});

test("closing the port ends everything: what was sent is unknown, what waited was not sent", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port, events } = openTcp(t, machine.port);
  const lane = port.openLane();
  const [sent, waiting] = [read(0), read(1)];
  port.submit(lane, sent);
  await machine.saw(1);
  port.submit(lane, waiting);
  port.close();
  t.like(sent.end, { outcome: "unknown" });
  t.like(waiting.end, { outcome: "not-sent" });
  t.like(port.status(), { connections: 0, pending: 0, queued: 0 });
  t.deepEqual(events, []);
  t.throws(() => port.submit(port.openLane(), read(0)), { code: "port-closed" });
});
