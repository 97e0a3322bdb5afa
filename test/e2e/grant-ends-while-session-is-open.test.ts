import { Appliance } from "../support/appliance.ts";
import { FakedClock } from "../support/faked-clock.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine, testWith } from "../support/tools.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** An instant as a person in Kathmandu writes it. */
function inKathmandu(time: number): string {
  const offset = (5 * 60 + 45) * 60 * SECOND;
  return `${new Date(time + offset).toISOString().slice(0, 19)}+05:45`;
}

testWith("pymodbus", "faketime")("a grant that ends while a session is open ends the session", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const clock = FakedClock.create(t);
  const limits = "idleTimeout: 24h";
  const bed = await Appliance.start(t, {
    site: pressSite(machine.port, { limits }),
    environment: clock.environment,
  });
  const credential = bed.root.client({ cn: "alice", ou: ["maintenance"] });
  const unbounded = await ModbusClient.connect(bed, { credential });
  // Whole seconds, as they are written in the document.
  const instant = Math.ceil((Date.now() + 2 * HOUR) / SECOND) * SECOND;
  const grant = `when: { until: "${inKathmandu(instant)}" }`;
  await bed.apply(pressSite(machine.port, { limits, grant }));
  const late = await ModbusClient.connect(bed, { credential });
  t.is((await late.read(10)).exception, 0);

  clock.shift(`+${HOUR / SECOND}`);
  t.is((await late.read(10)).exception, 0, "an hour before its end it holds");
  t.is((await unbounded.read(10)).exception, 0, "who was in before stays in as long as the grant holds");
  clock.shift(`+${(2 * HOUR) / SECOND + 1}`);
  await until(() => late.ended && unbounded.ended, "both sessions to end");
  const reached = (await machine.heard()).length;
  const after = await ModbusClient.connect(bed, { credential });
  t.is((await after.read(10)).exception, 1);
  t.is((await machine.heard()).length, reached);
  const ends = await bed.recorded(2, "kind=session.end");
  for (const end of ends) {
    t.like(end, { decision: "denial", stage: "when", rule: "maintenance-runs-press" });
    t.true(end.time >= instant, "not before its time");
  }
});
