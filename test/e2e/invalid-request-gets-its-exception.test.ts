import type { ExecutionContext } from "ava";
import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

/** PDUs in hexadecimal, with the exception that a server answers; libmodbus' and pymodbus' own clients send such. */
const REQUESTS: Readonly<Record<string, readonly [pdu: string, exception: number]>> = {
  "quantity 0": ["0300000000", 3],
  "126 registers": ["030000007e", 3],
  "addresses past the last one": ["03ffff0002", 2],
  "a byte too many": ["03000a000100", 3],
  "a byte too few": ["03000a", 3],
  "a coil value of 1": ["0500010001", 3],
  "bits after the last coil": ["0f0000000301ff", 3],
  "a byte count that is not the quantity's": ["1000000002040001", 3],
  "diagnostics 3 with a word it does not define": ["080003000a", 3],
  "ReadDeviceId 5": ["2b0e0500", 3],
  "file 0": ["140706000000000001", 2],
  "function 0": ["00", 1],
  "an exception as a request": ["8302", 1],
};

async function appliance(
  t: ExecutionContext,
): Promise<{ machine: PymodbusMachine; bed: Appliance; client: ModbusClient }> {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, { site: pressSite(machine.port) });
  const client = await ModbusClient.connect(bed, {
    credential: bed.root.client({ cn: "alice", ou: ["maintenance"] }),
  });
  return { machine, bed, client };
}

testWith("pymodbus")(
  "a request that the specification does not allow gets its exception, never reaches the machine, and the session goes on",
  async (t) => {
    const { machine, bed, client } = await appliance(t);
    t.deepEqual(await client.read(10), { exception: 0, values: [10] });
    const reached = (await machine.heard()).length;
    for (const [what, [pdu, exception]] of Object.entries(REQUESTS)) {
      const asked = Buffer.from(pdu, "hex");
      t.deepEqual([...(await client.request(asked))], [(asked[0] ?? 0) | 0x80, exception], what);
    }
    t.is((await machine.heard()).length, reached, "none of them reached the machine");
    for (let i = 0; i < 50; i++) await client.request(Buffer.from("0300000000", "hex"));
    t.deepEqual(await client.read(10), { exception: 0, values: [10] }, "the session goes on");
    client.close();
    const [end] = await bed.recorded(1, "kind=session.end");
    t.is(end?.counts?.["denials"], Object.keys(REQUESTS).length + 50);
    const records = await bed.records("kind=malformed");
    t.true(records.length >= 8 && records.length <= Object.keys(REQUESTS).length, "the first of each kind");
    for (const { decision, stage, exception, bytes } of records)
      t.true(
        decision === "denial" && stage === "malformed" && exception !== undefined && bytes !== undefined,
      );
    const sums = await bed.records("kind=operation", "decision=denial");
    t.is(
      records.length + sums.reduce((sum, { counts }) => sum + (counts?.["denials"] ?? 0), 0),
      Object.keys(REQUESTS).length + 50,
      "and the others in a sum",
    );
  },
);

testWith("pymodbus")(
  "whoever may not open the service gets exception 01 to such a request, too",
  async (t) => {
    const { bed } = await appliance(t);
    const stranger = await ModbusClient.connect(bed, {
      credential: bed.root.client({ cn: "mallory", ou: ["visitors"] }),
    });
    for (const [what, [pdu]] of Object.entries(REQUESTS)) {
      const asked = Buffer.from(pdu, "hex");
      t.deepEqual([...(await stranger.request(asked))], [(asked[0] ?? 0) | 0x80, 1], what);
    }
    t.deepEqual(await stranger.read(10), { exception: 1, values: [] });
  },
);
