import test from "ava";
import { Ask, read, registers, write, type End } from "../../unit/machine/requests.ts";
import { until } from "../../support/processes.ts";
import { frame, goodReply, Machine, openTcp, PAUSE_OVER, type PortUnderTest, type Seen } from "./rig.ts";

test("several answers in one segment and one answer in many", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port } = openTcp(t, machine.port, { maxPending: 8 });
  const lane = port.openLane();
  const asks = Array.from({ length: 8 }, (_, i) => read(i, 100));
  for (const ask of asks) port.submit(lane, ask);
  await machine.saw(8);
  const replies = machine.seen.map(goodReply);
  const { socket } = machine.seen[0]!;
  socket.write(Buffer.concat([...replies.slice(0, 5), replies[5]!.subarray(0, 3)]));
  for (const byte of replies[5]!.subarray(3)) await written(socket, Uint8Array.of(byte));
  const rest = Buffer.concat(replies.slice(6));
  await written(socket, rest.subarray(0, replies[6]!.length + 8));
  await written(socket, rest.subarray(replies[6]!.length + 8));
  for (const [i, ask] of asks.entries()) t.is(registers(await ask.done)[99], i + 99);
});

function written(socket: Seen["socket"], chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => socket.write(chunk, () => setImmediate(resolve)));
}

test("a late answer is dropped and harms nobody", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port } = openTcp(t, machine.port, { maxPending: 4, requestTimeout: 4_000 });
  const lane = port.openLane();
  const slow = read(1);
  port.submit(lane, slow);
  await machine.saw(1);
  // Others are answered meanwhile, so that the connection is not given up.
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  const other = port.openLane();
  const poll = (end?: End): void => {
    if (!slow.end && end?.kind !== "failed") port.submit(other, new Ask(read(2).operation, null, poll));
  };
  poll();
  t.like(await slow.done, { exception: 0x0b, outcome: "timeout" });
  machine.seen[0]!.socket.write(goodReply(machine.seen[0]!));
  const next = read(3);
  port.submit(lane, next);
  t.deepEqual(registers(await next.done), [3]);
  t.is(machine.connections, 1);
});

/** What the machine sends instead of the answer to a read of two registers at 10, unit 1. */
type Wrong = ReadonlyArray<readonly [string, (seen: Seen) => Buffer]>;

/** Frame, id and unit are right. */
const MISFITS: Wrong = [
  ["another function", ({ id }) => frame(id, 1, bytes(4, 4, 0, 10, 0, 11))],
  ["an exception of another function", ({ id }) => frame(id, 1, bytes(0x84, 2))],
  ["an exception with code 0", ({ id }) => frame(id, 1, bytes(0x83, 0))],
  ["an exception of four bytes", ({ id }) => frame(id, 1, bytes(0x83, 2, 0, 0))],
  ["fewer registers than asked", ({ id }) => frame(id, 1, bytes(3, 2, 0, 10))],
  ["more registers than asked", ({ id }) => frame(id, 1, bytes(3, 6, 0, 10, 0, 11, 0, 12))],
  ["a byte count over what is there", ({ id }) => frame(id, 1, bytes(3, 4, 0, 10, 0))],
  ["bytes after the last register", ({ id }) => frame(id, 1, bytes(3, 4, 0, 10, 0, 11, 0))],
  ["a PDU of the function code alone", ({ id }) => frame(id, 1, bytes(3))],
];

/** Nobody can say what the next bytes on this connection would be. */
const NO_ANSWERS: Wrong = [
  ["another transaction id", ({ id }) => frame((id + 1) & 0xffff, 1, bytes(3, 4, 0, 10, 0, 11))],
  [
    "another transaction id, of the same slot",
    ({ id }) => frame((id + 64) & 0xffff, 1, bytes(3, 4, 0, 10, 0, 11)),
  ],
  ["another unit", ({ id }) => frame(id, 2, bytes(3, 4, 0, 10, 0, 11))],
  ["no PDU at all", ({ id }) => frame(id, 1, bytes())],
  ["a length field of 0", ({ id }) => frame(id, 1, bytes(3, 4, 0, 10, 0, 11), { length: 0 })],
  [
    "a length field over the largest frame",
    ({ id }) => frame(id, 1, bytes(3, 4, 0, 10, 0, 11), { length: 255 }),
  ],
  ["a length field one too small", ({ id }) => frame(id, 1, bytes(3, 4, 0, 10, 0, 11), { length: 6 })],
  ["another protocol id", ({ id }) => frame(id, 1, bytes(3, 4, 0, 10, 0, 11), { protocol: 1 })],
  ["text", () => Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
];

function bytes(...values: number[]): Buffer {
  return Buffer.from(values);
}

/** Answers register 10 wrongly and all others well. */
function badAtTen(wrong: (seen: Seen) => Buffer): (seen: Seen) => void {
  return (seen) => seen.socket.write(seen.pdu.readUInt16BE(1) === 10 ? wrong(seen) : goodReply(seen));
}

/** Longer than a machine may send nothing but rubbish. */
const RUBBISH_OVER = 11_000;

function violations({ events }: Pick<PortUnderTest, "events">): string[] {
  return events.filter((event) => typeof event === "string");
}

for (const [what, wrong] of MISFITS) {
  test(`an answer with ${what} costs its own request and nothing else`, async (t) => {
    const machine = await Machine.start(t);
    machine.onRequest = badAtTen(wrong);
    const under = openTcp(t, machine.port, { maxPending: 4 });
    const { port, events } = under;
    const asks = [read(10, 2), read(20), read(10, 2), read(30)];
    for (const ask of asks) port.submit(port.openLane(), ask);
    const [bad, good, again, other] = await Promise.all(asks.map((ask) => ask.done));
    for (const end of [bad, again]) t.like(end, { kind: "failed", exception: 0x0b, outcome: "unknown" });
    t.deepEqual([registers(good!), registers(other!)], [[20], [30]]);
    t.is(machine.connections, 1);
    t.like(port.status(), { circuit: "closed", failures: 0, connections: 1, pending: 0 });
    t.deepEqual(events, violations(under), "the machine was never away");
    t.is(events.length, 2, "each is reported");
  });
}

for (const [what, wrong] of NO_ANSWERS) {
  test(`a machine that answers with ${what} is cut off, and away when nothing else comes for a while`, async (t) => {
    const machine = await Machine.start(t);
    machine.onRequest = (seen) => seen.socket.write(wrong(seen));
    const under = openTcp(t, machine.port);
    const { port, clock } = under;
    const lane = port.openLane();
    for (const status of ["closed", "open"]) {
      const ask = read(10, 2);
      port.submit(lane, ask);
      t.like(await ask.done, { kind: "failed", exception: 0x0b, outcome: "unknown" });
      await until(() => port.status().connections === 0, "the connection to be given up");
      t.like(port.status(), { circuit: status, pending: 0 });
      clock.forward(RUBBISH_OVER);
    }
    t.true(violations(under).length >= 2, "each is reported");
    machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
    clock.forward(PAUSE_OVER);
    const next = read(20, 2);
    port.submit(lane, next);
    t.deepEqual(registers(await next.done), [20, 21]);
    t.is(port.status().circuit, "closed");
  });

  test(`${what} at one register is not felt at the others of a machine that answers them well`, async (t) => {
    const machine = await Machine.start(t);
    machine.onRequest = badAtTen(wrong);
    const under = openTcp(t, machine.port);
    const { port } = under;
    const [one, two] = [port.openLane(), port.openLane()];
    const first = read(20);
    port.submit(one, first);
    await first.done;
    for (let i = 0; i < 5; i++) {
      const [bad, good] = [read(10, 2), read(30 + i)];
      port.submit(two, bad);
      port.submit(one, good);
      t.like(await bad.done, { kind: "failed", exception: 0x0b, outcome: "unknown" });
      t.deepEqual(registers(await good.done), [30 + i]);
    }
    t.is(port.status().circuit, "closed");
    t.deepEqual(under.events, violations(under), "the machine was never away");
  });
}

test("of several under way none is blamed for text: reads are asked once more, writes are unknown", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port } = openTcp(t, machine.port, { maxPending: 4 });
  const asks = [read(1), write(2, 22), read(3)];
  for (const ask of asks) port.submit(port.openLane(), ask);
  await machine.saw(3);
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  machine.seen[0]!.socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  const [first, unknown, second] = await Promise.all(asks.map((ask) => ask.done));
  t.deepEqual([registers(first!), registers(second!)], [[1], [3]]);
  t.like(unknown, { kind: "failed", exception: 0x0b, outcome: "unknown" });
});

test("an answer that stops half-way costs its own request, in its time, and the connection", async (t) => {
  const machine = await Machine.start(t);
  // The length counts a byte that never comes.
  machine.onRequest = badAtTen(({ id }) => frame(id, 1, bytes(0x83, 2), { length: 4 }));
  const { port } = openTcp(t, machine.port, { requestTimeout: 1_000 });
  const [bad, good] = [read(10), read(20)];
  port.submit(port.openLane(), bad);
  t.like(await bad.done, { kind: "failed", exception: 0x0b, outcome: "timeout" });
  port.submit(port.openLane(), good);
  t.deepEqual(registers(await good.done), [20]);
  t.is(machine.connections, 2);
});

test("a reply of another unit costs its own request and the connection, not the read beside it", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port } = openTcp(t, machine.port, { maxPending: 2 });
  const [bad, good] = [read(10, 2), read(20)];
  for (const ask of [bad, good]) port.submit(port.openLane(), ask);
  await machine.saw(2);
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  const [first] = machine.seen;
  first!.socket.write(frame(first!.id, 2, bytes(3, 4, 0, 10, 0, 11)));
  t.like(await bad.done, { kind: "failed", exception: 0x0b, outcome: "unknown" });
  t.deepEqual(registers(await good.done), [20]);
  t.is(machine.connections, 2);
});

test("half an answer whose time is up costs its own request, not the read that is under way", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = () => {};
  const { port, clock } = openTcp(t, machine.port, { maxPending: 2, requestTimeout: 10_000 });
  const [bad, good] = [read(10), read(20)];
  port.submit(port.openLane(), bad);
  await machine.saw(1);
  clock.forward(8_000);
  port.submit(port.openLane(), good);
  await machine.saw(2);
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  const [first] = machine.seen;
  // The length counts a byte that never comes.
  await written(first!.socket, frame(first!.id, 1, bytes(0x83, 2), { length: 4 }));
  clock.forward(3_000);
  t.like(await bad.done, { kind: "failed", exception: 0x0b, outcome: "timeout" });
  t.deepEqual(registers(await good.done), [20]);
  t.is(machine.connections, 2);
});

test("a write that is answered with another value than was written is unknown, and nobody else notices", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = (seen) =>
    seen.socket.write(seen.pdu[0] === 6 ? frame(seen.id, 1, bytes(6, 0, 10, 0, 8)) : goodReply(seen));
  const under = openTcp(t, machine.port, { maxPending: 2 });
  const { port } = under;
  const [ask, other] = [write(10, 7), read(20)];
  port.submit(port.openLane(), ask);
  port.submit(port.openLane(), other);
  t.like(await ask.done, { kind: "failed", exception: 0x0b, outcome: "unknown" });
  t.deepEqual(registers(await other.done), [20]);
  t.is(violations(under).length, 1);
  t.is(machine.connections, 1);
});

test("a machine that answers twice is cut off at the second answer", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = (seen) => seen.socket.write(Buffer.concat([goodReply(seen), goodReply(seen)]));
  const { port, clock, events } = openTcp(t, machine.port);
  const lane = port.openLane();
  const [one, two] = [read(1), read(2)];
  port.submit(lane, one);
  t.deepEqual(registers(await one.done), [1]);
  t.is(port.status().connections, 0);
  t.regex(events.filter((event) => typeof event === "string").join(), /that was not asked/);
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  clock.forward(PAUSE_OVER);
  port.submit(lane, two);
  t.deepEqual(registers(await two.done), [2]);
});

test("a machine that speaks before it is asked is cut off", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  const { port, events } = openTcp(t, machine.port);
  const lane = port.openLane();
  const one = read(1);
  port.submit(lane, one);
  await one.done;
  const closed = new Promise((resolve) => machine.seen[0]!.socket.once("close", resolve));
  machine.seen[0]!.socket.write(frame(5, 1, bytes(3, 2, 0, 1)));
  await closed;
  t.is(port.status().connections, 0);
  t.is(events.filter((event) => typeof event === "string").length, 1);
});

test("an exception of the machine reaches the client as it is", async (t) => {
  const machine = await Machine.start(t);
  machine.onRequest = ({ id, socket }) => socket.write(frame(id, 1, bytes(0x83, 2)));
  const { port, events } = openTcp(t, machine.port);
  const ask = read(10);
  port.submit(port.openLane(), ask);
  t.like(await ask.done, { kind: "answered", exception: 2 });
  t.deepEqual(events, []);
  t.is(port.status().connections, 1);
});
