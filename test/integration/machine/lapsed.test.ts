import test from "ava";
import { testWith } from "../../support/tools.ts";
import { read, registers, write, type Ask } from "../../unit/machine/requests.ts";
import { goodReply, Machine, openTcp, type Seen } from "./rig.ts";
import { goodFrame, Line, openSerial, RtuMachine } from "./serial-rig.ts";

/** Of those given, which ended and which did not: what lapsed has answered for itself, and is told nothing. */
function ended(asks: readonly Ask[]): boolean[] {
  return asks.map((ask) => ask.end !== null);
}

test("what lapsed while it waited never reaches a TCP machine, and holds up nobody behind it", async (t) => {
  const machine = await Machine.start(t);
  const held: Seen[] = [];
  machine.onRequest = (seen) => held.push(seen);
  const { port } = openTcp(t, machine.port, { maxConnections: 1, maxPending: 1 });
  const [ours, theirs] = [port.openLane(), port.openLane()];
  const first = write(1, 1);
  port.submit(ours, first);
  await machine.saw(1);
  const waiting = [write(2, 2), write(3, 3), write(4, 4)];
  for (const ask of waiting) port.submit(theirs, ask);
  const behind = read(9);
  port.submit(ours, behind);
  t.like(port.status(), { pending: 1, queued: 4 });
  waiting[0]!.over = true;
  waiting[2]!.over = true;
  machine.onRequest = (seen) => seen.socket.write(goodReply(seen));
  for (const seen of held) seen.socket.write(goodReply(seen));
  t.deepEqual(registers(await behind.done), [9]);
  t.is((await waiting[1]!.done).kind, "answered");
  t.deepEqual(ended(waiting), [false, true, false]);
  t.deepEqual(
    machine.seen.map(({ pdu }) => [pdu[0], pdu.readUInt16BE(1)]),
    [
      [6, 1],
      [3, 9],
      [6, 3],
    ],
  );
  t.like(port.status(), { pending: 0, queued: 0 });
});

test("what lapsed before the connection was there is not sent over it", async (t) => {
  const machine = await Machine.start(t);
  const { port } = openTcp(t, machine.port);
  const lane = port.openLane();
  const [over, good] = [write(1, 1), write(2, 2)];
  port.submit(lane, over);
  over.over = true;
  port.submit(lane, good);
  t.is((await good.done).kind, "answered");
  t.deepEqual(ended([over, good]), [false, true]);
  t.deepEqual(
    machine.seen.map(({ pdu }) => pdu.readUInt16BE(1)),
    [2],
  );
});

testWith("socat")(
  "what lapsed while it waited never reaches a serial line, and holds up nobody behind it",
  async (t) => {
    const line = await Line.start(t);
    const machine = await RtuMachine.start(t, line.far);
    const { port } = openSerial(t, line.near);
    const lane = port.openLane();
    const asks = [write(1, 1), write(2, 2), write(3, 3), write(4, 4)];
    asks[1]!.over = true;
    asks[2]!.over = true;
    machine.onRequest = (request) => machine.send(goodFrame(request));
    for (const ask of asks) port.submit(lane, ask);
    t.is((await asks[3]!.done).kind, "answered");
    t.deepEqual(ended(asks), [true, false, false, true]);
    t.is(machine.seen.length, 2);
    t.like(port.status(), { pending: 0, queued: 0 });
  },
);
