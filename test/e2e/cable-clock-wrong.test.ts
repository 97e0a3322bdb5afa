import { FakedClock } from "../support/faked-clock.ts";
import { HOSTS } from "../support/plant.ts";
import { CableBed, FORWARDED } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

const HOUR = 3_600_000;

testWith(
  "root",
  "tcpdump",
  "tshark",
  "faketime",
)("a clock that jumps changes no packet's fate, and the record keeps its order", async (t) => {
  const clock = FakedClock.create(t);
  const bed = await CableBed.start(t, {}, { environment: clock.environment });
  const { plant } = bed;
  const { box } = plant;
  const watch = await bed.watch();
  // Back by hours, as a box whose battery is empty; far ahead; and right again.
  for (const [shift, port] of [
    ["-5h", 4001],
    ["+20y", 4003],
    ["+0", 4005],
  ] as const) {
    clock.shift(shift);
    for (const machine of ["hmi", "press"] as const) {
      t.is(await plant.ask(machine, HOSTS.historian, FORWARDED), `historian ${HOSTS[machine]} hello`, shift);
    }
    t.is(await plant.dial("hmi", HOSTS.historian, port), "reset", shift);
    t.is(await plant.dial("attacker", HOSTS.press, 502), "reset", shift);
    await box.until(
      async () =>
        (await bed.refusals("machine=hmi")).some(({ reason }) => reason?.includes(`port ${port} tcp`)),
      `records of port ${port}`,
    );
  }
  // While the clock was far ahead, the engineer's certificate had expired.
  await bed.worksAgain("once the clock is right again");
  t.deepEqual(await watch.crossed(), { machines: [], plant: [] });
  const records = await box.records();
  const times = records.map(({ time }) => time - Date.now());
  t.true(times.some((time) => time < -4 * HOUR) && times.some((time) => time > 10_000 * HOUR), "odd times");
  t.deepEqual(
    records.map(({ index }) => index),
    records.map((_, at) => at),
    "in the order of what happened, none is missing",
  );
});
