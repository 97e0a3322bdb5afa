import { Appliance } from "../support/appliance.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

/** Milliseconds: long enough to get in on a slow computer. */
const AHEAD = 15_000;

/** An instant as a person in Kathmandu writes it. */
function inKathmandu(time: number): string {
  const offset = (5 * 60 + 45) * 60_000;
  return `${new Date(time + offset).toISOString().slice(0, 19)}+05:45`;
}

testWith("pymodbus")("a grant that ends while a session is open ends the session", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await Appliance.start(t, { site: pressSite(machine.port) });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const unbounded = await ModbusClient.connect(bed, { credential });
  // Whole seconds, as they are written in the document.
  const instant = Math.ceil((Date.now() + AHEAD) / 1000) * 1000;
  await bed.apply(pressSite(machine.port, { grant: `when: { until: "${inKathmandu(instant)}" }` }));
  const late = await ModbusClient.connect(bed, { credential });
  t.is((await late.read(10)).exception, 0);
  t.is((await unbounded.read(10)).exception, 0, "who was in before stays in as long as the grant holds");
  t.true(Date.now() < instant, "this computer was fast enough for the test to say anything");

  await until(() => late.ended && unbounded.ended, "both sessions to end");
  t.true(Date.now() >= instant, "not before its time");
  const reached = (await machine.heard()).length;
  const after = await ModbusClient.connect(bed, { credential });
  t.is((await after.read(10)).exception, 1);
  t.is((await machine.heard()).length, reached);
  const ends = await bed.recorded(2, "kind=session.end");
  for (const end of ends) {
    t.like(end, { decision: "denial", stage: "when", rule: "maintenance-runs-press" });
    t.true(end.time >= instant);
  }
});
