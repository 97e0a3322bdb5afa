import { setTimeout as pause } from "node:timers/promises";
import modbusSerial from "modbus-serial";
import { until } from "../../support/processes.ts";
import { testWith } from "../../support/tools.ts";
import { Ask, permitFor, read, reading, registers, write } from "../../unit/machine/requests.ts";
import { PAUSE_OVER } from "./rig.ts";
import {
  goodFrame,
  IN_VAIN,
  Line,
  openInVain,
  openSerial,
  PATIENT,
  RtuMachine,
  rtuFrame,
  sendUnasked,
  SILENCE,
} from "./serial-rig.ts";

const test = testWith("socat");

test("a serial machine is read and written, and its exceptions pass", async (t) => {
  const line = await Line.start(t);
  const machine = await RtuMachine.start(t, line.far);
  const { port, events } = openSerial(t, line.near);
  const lane = port.openLane();
  const asks = [read(10, 2, 5), write(20, 7, 5), read(0, 125, 5)];
  for (const ask of asks) port.submit(lane, ask);
  t.deepEqual(registers(await asks[0]!.done), [10, 11]);
  t.like(await asks[1]!.done, { kind: "answered", exception: 0 });
  t.is(registers(await asks[2]!.done)[124], 124);
  t.deepEqual(
    machine.seen.map((request) => [request[0], request[1], request.readUInt16BE(2)]),
    [
      [5, 3, 10],
      [5, 6, 20],
      [5, 3, 0],
    ],
  );
  machine.onRequest = () => machine.send(rtuFrame(5, Buffer.of(0x83, 2)));
  const refused = read(1, 1, 5);
  port.submit(lane, refused);
  t.like(await refused.done, { kind: "answered", exception: 2 });
  t.like(port.status(), { circuit: "closed", connections: 1, pending: 0, queued: 0 });
  t.deepEqual(events, []);
});

test("one request at a time is on the line, lanes in turn and each in its order", async (t) => {
  const line = await Line.start(t);
  const machine = await RtuMachine.start(t, line.far);
  let unanswered = 0;
  let most = 0;
  machine.onRequest = (request) => {
    most = Math.max(most, ++unanswered);
    setImmediate(() => {
      unanswered--;
      void machine.send(goodFrame(request));
    });
  };
  const { port } = openSerial(t, line.near);
  const [greedy, modest] = [port.openLane(), port.openLane()];
  const many = Array.from({ length: 10 }, (_, i) => read(i));
  const few = [read(100), read(101)];
  for (const ask of many) port.submit(greedy, ask);
  for (const ask of few) port.submit(modest, ask);
  await Promise.all([...many, ...few].map((ask) => ask.done));
  t.is(most, 1);
  const addresses = machine.seen.map((request) => request.readUInt16BE(2));
  t.deepEqual(
    addresses.filter((at) => at < 100),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  t.true(addresses.indexOf(101) <= 4, `in this order: ${addresses.join(", ")}`);
});

test("an answer that comes byte by byte, with pauses between, is put together", async (t) => {
  const line = await Line.start(t);
  const machine = await RtuMachine.start(t, line.far);
  machine.onRequest = async (request) => {
    for (const byte of goodFrame(request)) {
      await machine.send(Buffer.of(byte));
      await pause(60);
    }
  };
  const { port } = openSerial(t, line.near);
  const ask = read(7, 3);
  port.submit(port.openLane(), ask);
  t.deepEqual(registers(await ask.done), [7, 8, 9]);
});

const WRONG: ReadonlyArray<readonly [string, (request: Buffer) => Buffer]> = [
  ["a wrong CRC", (request) => flipped(goodFrame(request), -1)],
  ["a wrong value under the right CRC of another", (request) => flipped(goodFrame(request), 4)],
  ["another unit", (request) => rtuFrame(9, goodFrame(request).subarray(1, -2))],
  ["another function", (request) => rtuFrame(request[0]!, Buffer.of(4, 2, 0, 1))],
  ["fewer registers than asked", (request) => rtuFrame(request[0]!, Buffer.of(3, 2, 0, 1))],
  ["bytes behind the frame", (request) => Buffer.concat([goodFrame(request), Buffer.of(0)])],
];

function flipped(bytes: Buffer, at: number): Buffer {
  const out = Buffer.from(bytes);
  out[(at + out.length) % out.length]! ^= 0x40;
  return out;
}

for (const [what, wrong] of WRONG) {
  test(`a serial machine that answers with ${what} is not believed, and the next request works`, async (t) => {
    const line = await Line.start(t);
    const machine = await RtuMachine.start(t, line.far);
    machine.onRequest = (request) => machine.send(wrong(request));
    const { port, events } = openSerial(t, line.near);
    const lane = port.openLane();
    const ask = read(10, 2);
    port.submit(lane, ask);
    t.like(await ask.done, { kind: "failed", exception: 0x0b, outcome: "unknown" });
    t.is(events.filter((event) => typeof event === "string").length, 1, "one violation is reported");
    machine.onRequest = (request) => machine.send(goodFrame(request));
    const next = read(20, 2);
    port.submit(lane, next);
    t.deepEqual(registers(await next.done), [20, 21]);
  });
}

test("a serial machine that is silent costs its request alone, and its late answer nobody", async (t) => {
  const line = await Line.start(t);
  const machine = await RtuMachine.start(t, line.far);
  const opened = await openInVain(t, line, machine);
  machine.onRequest = () => {};
  const { port, clock, answerWithin } = opened;
  const lane = port.openLane();
  const silent = write(1, 2);
  port.submit(lane, silent);
  await until(() => machine.seen.length === 1, "the machine to be asked");
  t.like(await silent.done, { kind: "failed", exception: 0x0b, outcome: "timeout" });
  await sendUnasked(machine, opened, goodFrame(machine.seen[0]!));
  answerWithin(PATIENT);
  clock.forward(IN_VAIN);
  machine.onRequest = (request) => machine.send(goodFrame(request));
  const next = read(3);
  port.submit(lane, next);
  t.deepEqual(registers(await next.done), [3]);
});

test("a late answer is not taken for the next request's, which waits for it", async (t) => {
  const line = await Line.start(t);
  const machine = await RtuMachine.start(t, line.far);
  const opened = await openInVain(t, line, machine);
  machine.onRequest = () => {};
  const { port, clock, answerWithin } = opened;
  const lane = port.openLane();
  const slow = read(1);
  // For as long as this again its answer may be late.
  answerWithin(3_000);
  port.submit(lane, slow);
  answerWithin(PATIENT);
  t.like(await slow.done, { outcome: "timeout" });
  await until(() => machine.seen.length === 1, "the machine to have been asked");
  // So that the port waits for the late answer alone.
  clock.forward(SILENCE);
  const next = read(2);
  port.submit(lane, next);
  await sendUnasked(machine, opened, goodFrame(machine.seen[0]!));
  t.is(machine.seen.length, 1, "it is not asked before its late answer may come no more");
  machine.onRequest = (request) => machine.send(goodFrame(request));
  clock.forward(3_000);
  // Whoever asks next has the port look at the time.
  const another = read(3);
  port.submit(lane, another);
  t.deepEqual(registers(await next.done), [2]);
  t.deepEqual(registers(await another.done), [3]);
});

test("a dead unit does not keep the line from the others", async (t) => {
  const line = await Line.start(t);
  const machine = await RtuMachine.start(t, line.far);
  machine.onRequest = (request) => (request[0] === 9 ? undefined : machine.send(goodFrame(request)));
  const { port, answerWithin } = await openInVain(t, line, machine);
  const dead = port.openLane();
  const [lost, again] = [read(0, 1, 9), read(0, 1, 9)];
  answerWithin(8_000);
  port.submit(dead, lost);
  answerWithin(PATIENT);
  t.like(await lost.done, { outcome: "timeout" });
  port.submit(dead, again);
  const alive = port.openLane();
  for (let i = 0; i < 5; i++) {
    const ask = read(i);
    port.submit(alive, ask);
    t.deepEqual(registers(await ask.done), [i]);
  }
  t.is(
    machine.seen.filter((request) => request[0] === 9).length,
    1,
    "and is not asked again before its time",
  );
});

test("noise on the idle line is passed over", async (t) => {
  const line = await Line.start(t);
  const machine = await RtuMachine.start(t, line.far);
  const opened = openSerial(t, line.near);
  const { port } = opened;
  const lane = port.openLane();
  const first = read(1);
  port.submit(lane, first);
  await first.done;
  await sendUnasked(machine, opened, Buffer.of(0, 255, 3, 17));
  const next = read(2);
  port.submit(lane, next);
  t.deepEqual(registers(await next.done), [2]);
});

test("noise before the answer makes it no answer, and none for the next request either", async (t) => {
  const line = await Line.start(t);
  const machine = await RtuMachine.start(t, line.far);
  const { port, answerWithin } = await openInVain(t, line, machine);
  machine.onRequest = (request) => machine.send(Buffer.concat([Buffer.of(0, 255, 0), goodFrame(request)]));
  const lane = port.openLane();
  const ask = read(2);
  port.submit(lane, ask);
  t.like(await ask.done, { kind: "failed", exception: 0x0b, outcome: "timeout" });
  answerWithin(PATIENT);
  machine.onRequest = (request) => machine.send(goodFrame(request));
  const next = read(3);
  port.submit(lane, next);
  t.deepEqual(registers(await next.done), [3]);
});

test("an answer whose length only silence tells is taken", async (t) => {
  const line = await Line.start(t);
  const machine = await RtuMachine.start(t, line.far);
  machine.onRequest = () => machine.send(rtuFrame(1, Buffer.of(100, 1, 2, 3, 4, 5)));
  const { port } = openSerial(t, line.near);
  const vendor = { ...reading(0), functionCode: 100, reads: null, data: Uint8Array.of(9, 9, 9, 9) };
  const ask = new Ask(vendor, permitFor(vendor));
  port.submit(port.openLane(), ask);
  const done = await ask.done;
  t.deepEqual(done.kind === "answered" ? [...done.data] : done, [1, 2, 3, 4, 5]);
});

test("a broadcast is refused: nobody answers it, so nobody would know what became of it", async (t) => {
  const line = await Line.start(t);
  const machine = await RtuMachine.start(t, line.far);
  const { port } = openSerial(t, line.near);
  const lane = port.openLane();
  const everyone = write(1, 1, 0);
  port.submit(lane, everyone);
  t.like(await everyone.done, { kind: "failed", exception: 0x0a, outcome: "not-sent" });
  const next = read(1);
  port.submit(lane, next);
  await next.done;
  t.is(machine.seen.length, 1);
});

test("beyond the queue's limit the answer is 06, and what waits too long fails unsent", async (t) => {
  const line = await Line.start(t);
  const machine = await RtuMachine.start(t, line.far);
  const { port } = await openInVain(t, line, machine, { maxQueued: 2, queueTimeout: 1 });
  machine.onRequest = () => {};
  const lane = port.openLane();
  const [sent, waiting, also, over] = [read(0), read(1), write(2, 2), read(3)];
  port.submit(lane, sent);
  for (const ask of [waiting, also, over]) port.submit(lane, ask);
  t.like(over.end, { kind: "failed", exception: 0x06, outcome: "not-sent" });
  t.like(await sent.done, { outcome: "timeout" });
  for (const ask of [waiting, also])
    t.like(await ask.done, { kind: "failed", exception: 0x06, outcome: "not-sent" });
});

test("a line that is lost fails what is on it, shows in the status, and works again when it is back", async (t) => {
  const line = await Line.start(t);
  const machine = await RtuMachine.start(t, line.far);
  const { port, clock, events } = openSerial(t, line.near);
  const lane = port.openLane();
  const first = read(1);
  port.submit(lane, first);
  await first.done;
  machine.onRequest = () => {};
  const [sent, waiting] = [write(1, 2), read(2)];
  port.submit(lane, sent);
  port.submit(lane, waiting);
  await until(() => machine.seen.length === 2, "the write to be on the line");
  await line.cut();
  t.like(await sent.done, { kind: "failed", exception: 0x0b, outcome: "unknown" });
  t.like(await waiting.done, { kind: "failed", exception: 0x0b, outcome: "not-sent" });
  t.like(port.status(), { circuit: "open", connections: 0, failures: 1, pending: 0, queued: 0 });
  const meanwhile = read(3);
  port.submit(lane, meanwhile);
  t.like(meanwhile.end, { kind: "failed", exception: 0x0b, outcome: "not-sent" });
  clock.forward(PAUSE_OVER);
  const gone = read(4);
  port.submit(lane, gone);
  t.like(await gone.done, { kind: "failed", exception: 0x0b, outcome: "not-sent" });
  t.regex(port.status().lastError ?? "", /cannot be opened/);
  await machine.stop();
  await line.join();
  await RtuMachine.start(t, line.far);
  clock.forward(PAUSE_OVER);
  const back = read(5);
  port.submit(lane, back);
  t.deepEqual(registers(await back.done), [5]);
  t.like(port.status(), { circuit: "closed", connections: 1, failures: 0, lastError: null });
  t.deepEqual(events, [false, true]);
});

test("modbus-serial's RTU server is read and written", async (t) => {
  const line = await Line.start(t);
  const written = new Map<number, number>();
  const server = new modbusSerial.ServerSerial(
    {
      getHoldingRegister: (address: number) => written.get(address) ?? address,
      setRegister: (address: number, value: number) => void written.set(address, value),
    },
    { path: line.far, baudRate: 115_200, unitID: 4 },
  );
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())));
  await new Promise((resolve) => server.once("initialized", resolve));
  const { port, events } = openSerial(t, line.near);
  const lane = port.openLane();
  const asks = [read(10, 3, 4), write(11, 555, 4), read(10, 3, 4)];
  for (const ask of asks) port.submit(lane, ask);
  t.deepEqual(registers(await asks[0]!.done), [10, 11, 12]);
  t.like(await asks[1]!.done, { kind: "answered", exception: 0 });
  t.deepEqual(registers(await asks[2]!.done), [10, 555, 12]);
  t.deepEqual(events, []);
});
