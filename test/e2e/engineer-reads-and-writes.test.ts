import { Appliance } from "../support/appliance.ts";
import { pressSite } from "../support/sites.ts";
import { mbpoll, PymodbusMachine, stunnel, testWith } from "../support/tools.ts";

testWith(
  "mbpoll",
  "stunnel4",
  "pymodbus",
)("mbpoll through stunnel reads and writes a pymodbus machine as far as the grant goes", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const modbus =
    "{ functions: readWrite, read: { holdingRegisters: [0-99] }, write: { holdingRegisters: [{ addresses: 10-11, values: 0-200 }] } }";
  const bed = await Appliance.start(t, { site: pressSite(machine.port, { modbus }) });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const port = await stunnel(t, bed, { credential });

  const read = await mbpoll(port, { address: 10, count: 3 });
  t.deepEqual(read.values, [10, 11, 12], read.out);
  const written = await mbpoll(port, { address: 10, write: [123] });
  t.is(written.code, 0, written.out);
  t.deepEqual((await mbpoll(port, { address: 10 })).values, [123]);
  const reached = (await machine.heard()).length;

  const outside = await mbpoll(port, { address: 100 });
  t.regex(outside.out, /Illegal function/);
  const tooHigh = await mbpoll(port, { address: 11, write: [201] });
  t.regex(tooHigh.out, /Illegal function/);
  t.is((await machine.heard()).length, reached, "neither refused request reached the machine");

  const denials = await bed.recorded(2, "decision=denial", "kind=operation");
  t.deepEqual(
    denials.map((record) => [record.stage, record.rule]),
    [
      ["address", "maintenance-runs-press"],
      ["value", "maintenance-runs-press"],
    ],
  );
  const writes = await bed.records("kind=operation", "decision=permit");
  t.like(writes[0], {
    machine: "press-4",
    operation: { functionCode: 6, writes: { address: 10, values: [123] } },
  });
});
