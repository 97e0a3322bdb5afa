import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  const clock = join(tmpdir(), `niac-clock-${process.pid}`);
  writeFileSync(clock, "+0\n");
  const library = execFileSync("faketime", ["-f", "+0", "printenv", "LD_PRELOAD"], { encoding: "utf8" });
  const bed = await CableBed.start(
    t,
    {},
    {
      environment: {
        LD_PRELOAD: library.trim(),
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: "1",
        // As of a computer whose clock is set: what runs since its start runs on.
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      },
    },
  );
  const { plant } = bed;
  const { box } = plant;
  const watch = await bed.watch();
  // Back by hours, as a box whose battery is empty; far ahead; and right again.
  for (const [shift, port] of [
    ["-5h", 4001],
    ["+20y", 4003],
    ["+0", 4005],
  ] as const) {
    writeFileSync(clock, `${shift}\n`);
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
