import test, { type ExecutionContext } from "ava";
import modbusSerial from "modbus-serial";
import type { TcpPortOptions } from "../../../src/machine/tcp-port.ts";
import type { Operation } from "../../../src/modbus/index.ts";
import { freePort } from "../../support/ports.ts";
import { end } from "../../support/processes.ts";
import { accepting, PymodbusMachine, testWith } from "../../support/tools.ts";
import { Ask, permitFor, read, reading, registers, write, type End } from "../../unit/machine/requests.ts";
import { openTcp, PAUSE_OVER, type PortUnderTest } from "./rig.ts";

/** Functions 5, 15, 16, 22 and 23, each with an effect that a read shows. */
const COILS = { table: "coils", address: 3, quantity: 1, values: [1] } as const;
const MANY_COILS = {
  table: "coils",
  address: 8,
  quantity: 10,
  values: [1, 0, 1, 1, 0, 0, 1, 0, 1, 1],
} as const;
const MANY = { table: "holdingRegisters", address: 20, quantity: 3, values: [7, 8, 65_535] } as const;
const MASK = { table: "holdingRegisters", address: 20, quantity: 1, and: 0xf0, or: 0x05 } as const;

function operation(functionCode: number, parts: Partial<Operation>): Operation {
  return { ...reading(0), reads: null, functionCode, ...parts };
}

async function ask(under: PortUnderTest, what: Operation): Promise<End> {
  const asked = new Ask(what, permitFor(what));
  under.port.submit(under.port.openLane(), asked);
  return asked.done;
}

const OPTIONS: Partial<TcpPortOptions> = { maxConnections: 2, maxPending: 4, maxQueued: 200 };

testWith("pymodbus")(
  "pymodbus' server is read and written in every function of the four tables",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const under = openTcp(t, machine.port, OPTIONS);
    t.deepEqual(registers(await ask(under, reading(10, 3))), [10, 11, 12]);
    t.deepEqual(registers(await ask(under, reading(0, 125))).length, 125);
    const input = { table: "inputRegisters", address: 5, quantity: 2 } as const;
    t.like(await ask(under, operation(4, { reads: input })), { kind: "answered", exception: 0 });
    t.like(await ask(under, operation(5, { writes: COILS })), { kind: "answered", exception: 0 });
    t.like(await ask(under, operation(15, { writes: MANY_COILS })), { kind: "answered", exception: 0 });
    const coils = { table: "coils", address: 0, quantity: 18 } as const;
    const read18 = await ask(under, operation(1, { reads: coils }));
    t.deepEqual(read18.kind === "answered" ? [...read18.data] : [], [3, 0b00001000, 0b01001101, 0b11]);
    t.like(await ask(under, operation(16, { writes: MANY })), { kind: "answered", exception: 0 });
    t.like(await ask(under, operation(22, { writes: MASK })), { kind: "answered", exception: 0 });
    t.deepEqual(registers(await ask(under, reading(20, 3))), [0x05, 8, 65_535]);
    const both = operation(23, { reads: reading(20, 3).reads, writes: { ...MANY, values: [1, 2, 3] } });
    t.deepEqual(registers(await ask(under, both)), [1, 2, 3]);
    t.like(await ask(under, reading(5000)), { kind: "answered", exception: 2 }, "its own exception passes");
    t.deepEqual(under.events, []);
  },
);

testWith("pymodbus")("pymodbus killed mid-flight and started again is found again", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const under = openTcp(t, machine.port, OPTIONS);
  t.deepEqual(registers(await ask(under, reading(1))), [1]);
  machine.child.kill("SIGSTOP");
  const lane = under.port.openLane();
  const [written, readAgain] = [write(5, 55), read(6)];
  under.port.submit(lane, written);
  under.port.submit(lane, readAgain);
  await new Promise((resolve) => setImmediate(resolve));
  await end(machine.child, "SIGKILL");
  t.like(await written.done, { kind: "failed", exception: 0x0b, outcome: "unknown" });
  t.like(await readAgain.done, { kind: "failed", exception: 0x0b, outcome: "not-sent" });
  t.is(under.port.status().circuit, "open");
  await PymodbusMachine.start(t, machine.port);
  under.clock.forward(PAUSE_OVER);
  t.deepEqual(registers(await ask(under, reading(5))), [5], "the write was not sent again");
  t.is(under.port.status().circuit, "closed");
});

/** modbus-serial's server, whose registers hold their own addresses plus what was written. */
async function modbusSerialMachine(t: ExecutionContext): Promise<number> {
  const port = await freePort();
  const written = new Map<number, number>();
  const server = new modbusSerial.ServerTCP(
    {
      getHoldingRegister: (address: number) => written.get(address) ?? address,
      setRegister: (address: number, value: number) => {
        if (address >= 1000) throw Object.assign(new Error("no such register"), { modbusErrorCode: 2 });
        written.set(address, value);
      },
    },
    { host: "127.0.0.1", port, unitID: 1 },
  );
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())));
  await accepting(port);
  return port;
}

test("modbus-serial's server is read and written by many sessions at once", async (t) => {
  const under = openTcp(t, await modbusSerialMachine(t), OPTIONS);
  const lanes = Array.from({ length: 8 }, () => under.port.openLane());
  const asks = lanes.flatMap((lane, l) =>
    Array.from({ length: 25 }, (_, i) => {
      const asked = i % 5 === 0 ? write(100 * l + i, l) : read(100 * l + i);
      under.port.submit(lane, asked);
      return { asked, at: 100 * l + i, writes: i % 5 === 0 };
    }),
  );
  for (const { asked, at, writes } of asks) {
    const done = await asked.done;
    if (writes) t.like(done, { kind: "answered", exception: 0 });
    else t.deepEqual(registers(done), [at]);
  }
  for (const [l, lane] of lanes.entries()) {
    const check = read(100 * l, 2);
    under.port.submit(lane, check);
    t.deepEqual(registers(await check.done), [l, 100 * l + 1]);
  }
  t.like(await ask(under, write(2000, 1).operation), { kind: "answered", exception: 2 });
  t.deepEqual(under.events, []);
  t.true(under.port.status().connections >= 1);
});
