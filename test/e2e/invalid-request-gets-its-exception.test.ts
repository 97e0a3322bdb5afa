import type { ExecutionContext } from "ava";
import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";
import { INVALID_REQUESTS } from "../vectors/modbus/invalid-requests.ts";

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
    for (const [what, [pdu, exception]] of Object.entries(INVALID_REQUESTS)) {
      const asked = Buffer.from(pdu, "hex");
      t.deepEqual([...(await client.request(asked))], [(asked[0] ?? 0) | 0x80, exception], what);
    }
    t.is((await machine.heard()).length, reached, "none of them reached the machine");
    for (let i = 0; i < 50; i++) await client.request(Buffer.from("0300000000", "hex"));
    t.deepEqual(await client.read(10), { exception: 0, values: [10] }, "the session goes on");
    client.close();
    const [end] = await bed.recorded(1, "kind=session.end");
    t.is(end?.counts?.["denials"], Object.keys(INVALID_REQUESTS).length + 50);
    const records = await bed.records("kind=malformed");
    t.true(
      records.length >= 8 && records.length <= Object.keys(INVALID_REQUESTS).length,
      "the first of each kind",
    );
    for (const { decision, stage, exception, bytes } of records)
      t.true(
        decision === "denial" && stage === "malformed" && exception !== undefined && bytes !== undefined,
      );
    const sums = await bed.records("kind=operation", "decision=denial");
    t.is(
      records.length + sums.reduce((sum, { counts }) => sum + (counts?.["denials"] ?? 0), 0),
      Object.keys(INVALID_REQUESTS).length + 50,
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
    for (const [what, [pdu]] of Object.entries(INVALID_REQUESTS)) {
      const asked = Buffer.from(pdu, "hex");
      t.deepEqual([...(await stranger.request(asked))], [(asked[0] ?? 0) | 0x80, 1], what);
    }
    t.deepEqual(await stranger.read(10), { exception: 1, values: [] });
  },
);
