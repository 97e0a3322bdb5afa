import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

const BUSY = 6;

/** press-4 as it is by default, and one machine of each other choice; all three are the same pymodbus. */
function site(port: number): string {
  const service = `services: { modbus: { protocol: modbus-tcp, address: "127.0.0.1:${port}" } }`;
  return pressSite(port, {
    machines: `
  strict: { whenUnrecorded: deny, ${service} }
  lenient: { whenUnrecorded: allow, ${service} }`,
    grants: `
  - name: maintenance-runs-the-others
    reason: Maintenance runs all of it
    who: { groups: [maintenance] }
    what: { machines: [strict, lenient], modbus: { functions: programming } }`,
  });
}

testWith("pymodbus")(
  "while control is away reads go on and writes wait for the record, or as the machine's whenUnrecorded says",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.start(t, { site: site(machine.port), parts: ["control", "gateway"] });
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const open = (name: string): Promise<ModbusClient> =>
      ModbusClient.connect(bed, { credential, service: `modbus.${name}` });
    const [press, strict, lenient] = [await open("press-4"), await open("strict"), await open("lenient")];
    for (const client of [press, strict, lenient]) t.is((await client.write(1, 1)).exception, 0);

    await bed.end("control", "SIGKILL");
    await bed.logged("control is away");
    const before = (await machine.written()).length;

    t.is((await press.read(10)).exception, 0, "by default reads go on");
    t.is((await press.write(10, 5)).exception, BUSY, "and writes are refused");
    t.is((await (await open("press-4")).read(10)).exception, BUSY, "and new sessions");
    t.is((await strict.read(10)).exception, BUSY, "deny: reads are refused too");
    t.is((await strict.write(10, 5)).exception, BUSY);
    t.is((await machine.written()).length, before, "none of it reached the machine");
    t.is((await lenient.write(10, 77)).exception, 0, "allow: writes go on");
    t.is((await (await open("lenient")).write(11, 78)).exception, 0, "and new sessions begin");
    t.deepEqual((await machine.written()).slice(before), [
      { address: 10, values: [77] },
      { address: 11, values: [78] },
    ]);
    const command = await bed.niac("status");
    t.is(command.code, 1);
    t.regex(command.err, /niac control does not answer[^]*Start the appliance/);

    await bed.run("control");
    await bed.until(async () => (await press.write(12, 9)).exception === 0, "writes to be taken again");
    t.is((await strict.read(10)).exception, 0);

    const denied = await bed.recorded(3, "stage=unrecorded", "kind=operation");
    t.deepEqual(
      denied.slice(0, 3).map((record) => [record.machine, record.operation?.functionCode, record.exception]),
      [
        ["press-4", 6, BUSY],
        ["press-4", 3, BUSY],
        ["strict", 3, BUSY],
      ],
    );
    const refused = await bed.recorded(1, "kind=session.refused", "stage=unrecorded");
    t.is(refused[0]?.identity?.user, "alice");
    t.regex(refused[0]?.reason ?? "", /niac control does not answer/);

    const written = await bed.recorded(3, "machine=lenient", "kind=operation", "decision=permit");
    t.deepEqual(
      written.map((record) => record.operation?.writes?.values),
      [[1], [77], [78]],
    );
    const outcomes = await bed.recorded(3, "machine=lenient", "kind=outcome");
    t.deepEqual(
      outcomes.map(({ ref, outcome }) => [ref, outcome]),
      written.map(({ id }) => [id, "ok"]),
    );
    t.is((await bed.records("machine=lenient", "kind=session.start")).length, 2);
    for (const { reason } of await bed.records("kind=session.end"))
      t.notRegex(reason ?? "", /gateway was lost/);
    for (const client of [press, strict, lenient]) t.false(client.ended, "no session was lost over it");
  },
);
