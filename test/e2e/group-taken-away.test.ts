import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { mbpoll, PymodbusMachine, stunnel, testWith } from "../support/tools.ts";

testWith(
  "mbpoll",
  "stunnel4",
  "pymodbus",
)("a group taken away ends the live session, and from then on every request is refused", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const site = pressSite(machine.port);
  const bed = await Appliance.start(t, { site });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const other = bed.root.client({ cn: "bob", ou: ["operators"] });
  const live = await ModbusClient.connect(bed, { credential });
  t.deepEqual(await live.read(10, 2), { exception: 0, values: [10, 11] });

  await bed.apply(
    site
      .replace("maintenance: {", "operators: { fromCertificate: true }\n  maintenance: {")
      .replace("groups: [maintenance]", "groups: [operators]"),
  );
  await until(() => live.ended, "the session of a group that has no grant any more to end");
  const reached = (await machine.heard()).length;

  const port = await stunnel(t, bed, { credential });
  t.regex((await mbpoll(port, { address: 10 })).out, /Illegal function/);
  t.regex((await mbpoll(port, { address: 10, write: [1] })).out, /Illegal function/);
  t.is((await machine.heard()).length, reached, "nothing of it reached the machine");

  const operator = await ModbusClient.connect(bed, { credential: other });
  t.deepEqual(await operator.read(10), { exception: 0, values: [10] }, "the group it was given to has it");

  const [ended] = await bed.recorded(1, "kind=session.end", "user=alice");
  t.like(ended, { decision: "denial", stage: "grant", counts: { reads: 1, writes: 0 } });
  const refused = await bed.recorded(2, "kind=operation", "user=alice", "decision=denial");
  t.deepEqual(
    refused.map(({ stage, operation }) => [stage, operation?.functionCode]),
    [
      ["grant", 3],
      ["grant", 6],
    ],
  );
});
