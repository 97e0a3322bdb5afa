import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

testWith("pymodbus")(
  "on a box without a key switch what needs one is refused, and applying the document says so",
  async (t) => {
    const machine = await PymodbusMachine.start(t);
    const bed = await Appliance.start(t, { site: null });
    const applied = await bed.tryApply(
      pressSite(machine.port, {
        modbus: "{ functions: readOnly }",
        grants: `
  - name: writes-with-the-key
    reason: Remote writes only while somebody at the press allows it
    who: { groups: [maintenance] }
    what: { machines: [press-4], modbus: { write: { holdingRegisters: all } } }
    when: { keySwitch: on }`,
      }),
    );
    t.is(applied.code, 0, applied.err);
    t.regex(applied.err, /no key switch, or cannot read it: no grant .* \(grant writes-with-the-key\)/);
    const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
    const client = await ModbusClient.connect(bed, { credential });
    t.is((await client.read(10)).exception, 0);
    t.is((await client.write(10, 1)).exception, 1);
    t.deepEqual(await machine.written(), []);
    const [denial] = await bed.recorded(1, "kind=operation", "decision=denial");
    t.like(denial, { stage: "when", rule: "writes-with-the-key", exception: 1 });
  },
);
