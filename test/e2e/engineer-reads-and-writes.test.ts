import { Appliance, APPLIANCE } from "../support/appliance.ts";
import { mbpoll, PymodbusMachine, stunnel, testWith } from "../support/tools.ts";

export const site = (port: number, extra = ""): string => `
niac: 1
site: { name: Test plant, appliance: ${APPLIANCE}, timeZone: UTC }
machines:
  press-4:
    services:
      modbus: { protocol: modbus-tcp, address: "127.0.0.1:${port}", maxPending: 4 }
groups:
  maintenance: { fromCertificate: true }
grants:
  - name: maintenance-runs-press
    reason: Maintenance reads and moves the set-point
    who: { groups: [maintenance] }
    what:
      machines: [press-4]
      modbus:
        functions: readWrite
        read: { holdingRegisters: [0-99] }
        write: { holdingRegisters: [{ addresses: 10-11, values: 0-200 }] }
${extra}`;

testWith(
  "mbpoll",
  "stunnel4",
  "pymodbus",
)("mbpoll through stunnel reads and writes a pymodbus machine as far as the grant goes", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, { site: site(machine.port) });
  const alice = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const port = await stunnel(t, {
    dir: bed.dir,
    to: bed.modbusPort,
    sni: `modbus.press-4.${APPLIANCE}`,
    credential: alice,
    ca: bed.root.credential.cert,
  });

  const read = await mbpoll(port, { address: 10, count: 3 });
  t.deepEqual(read.values, [10, 11, 12], read.out);
  const written = await mbpoll(port, { address: 10, write: [123] });
  t.is(written.code, 0, written.out);
  t.deepEqual((await mbpoll(port, { address: 10 })).values, [123]);
  const reached = machine.requests.length;

  const outside = await mbpoll(port, { address: 100 });
  t.regex(outside.out, /Illegal function/);
  const tooHigh = await mbpoll(port, { address: 11, write: [201] });
  t.regex(tooHigh.out, /Illegal function/);
  t.is(machine.requests.length, reached, "neither refused request reached the machine");

  const denials = bed.records("decision=denial", "kind=operation");
  t.deepEqual(
    denials.map((record) => [record["stage"], record["rule"]]),
    [
      ["address", "maintenance-runs-press"],
      ["value", "maintenance-runs-press"],
    ],
  );
  const writes = bed.records("kind=operation", "decision=permit");
  t.like(writes[0], { machine: "press-4", operation: { functionCode: 6, writes: { address: 10, values: [123] } } });
});
