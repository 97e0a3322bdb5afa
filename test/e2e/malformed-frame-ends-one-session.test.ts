import { Appliance } from "../support/appliance.ts";
import { frame, ModbusClient, words } from "../support/modbus-client.ts";
import { until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

const good = frame(7, 1, words(3, 10, 1));

function changed(at: number, value: number): Buffer {
  const bytes = Buffer.from(good);
  bytes.writeUInt16BE(value, at);
  return bytes;
}

const FRAMES: Readonly<Record<string, Buffer>> = {
  "another protocol than Modbus": changed(2, 1),
  "a length of one": changed(4, 1),
  "a length over the maximum": Buffer.concat([changed(4, 255), Buffer.alloc(1000, 0x5a)]),
  "no function code": Buffer.from("00070000000101", "hex"),
  HTTP: Buffer.from("GET / HTTP/1.1\r\nHost: press-4\r\n\r\n"),
};

testWith("pymodbus")(
  "a malformed frame ends its own session only, and is on record with its bytes",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.start(t, { site: pressSite(machine.port) });
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const steady = await ModbusClient.connect(bed, { credential });
    t.is((await steady.read(1)).exception, 0);
    const reached = (await machine.heard()).length;

    for (const [what, bytes] of Object.entries(FRAMES)) {
      const client = await ModbusClient.connect(bed, { credential });
      client.socket.write(bytes);
      await until(() => client.ended, `the session to end after ${what}`);
    }
    t.is((await machine.heard()).length, reached, "none of them reached the machine");
    t.is((await steady.read(1)).exception, 0, "the other session goes on");
    t.is(machine.connections, 1, "the machine saw one connection in all");

    const count = Object.keys(FRAMES).length;
    const records = await bed.recorded(count, "kind=malformed");
    t.is(records.length, count);
    for (const [i, [what, bytes]] of Object.entries(FRAMES).entries()) {
      const record = records[i]!;
      t.like(record, { decision: "denial", stage: "malformed", machine: "press-4" }, what);
      t.is(record.identity?.user, "alice", what);
      t.true(bytes.toString("hex").startsWith(record.bytes ?? "none"), `${what}: ${record.bytes}`);
      t.true((record.bytes ?? "").length <= 600, what);
      t.regex(record.reason ?? "", /\d/, `the reason for ${what} gives the value: ${record.reason}`);
    }
    const ends = await bed.recorded(count, "kind=session.end");
    t.is(ends.length, count);
    for (const { reason } of ends) t.regex(reason ?? "", /^the client sent a malformed frame: /);
  },
);

testWith("pymodbus")(
  "what came before a malformed frame in the same bytes is still answered or recorded",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.start(t, { site: pressSite(machine.port) });
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const client = await ModbusClient.connect(bed, { credential });
    client.socket.write(Buffer.concat([frame(1, 1, words(6, 20, 4711)), changed(2, 1)]));
    await until(() => client.ended, "the session to end");
    const [write] = await bed.recorded(1, "kind=operation", "decision=permit");
    const [outcome] = await bed.recorded(1, "kind=outcome");
    t.deepEqual(write?.operation?.writes?.values, [4711]);
    t.is(outcome?.ref, write?.id);
    const reached = (await machine.heard()).filter((line) => line.startsWith("write")).length;
    t.is(reached, outcome?.outcome === "not-sent" ? 0 : 1, `the record says ${outcome?.outcome}`);
  },
);
