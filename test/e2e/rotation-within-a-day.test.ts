import { RotationDay } from "../support/rotation-day.ts";
import { testWith } from "../support/tools.ts";

const HOUR = 3_600;

testWith("faketime")(
  "hours pass on the clock: the certificate is made anew before it is over, and no transaction is lost",
  async (t) => {
    const day = await RotationDay.start(t);
    await day.pass(HOUR);
    t.is(day.rotations, 0, "it is as good as new");
    // A sixth of the eight hours between two rotations: more is taken for a clock that was set, too.
    await day.pass(HOUR);
    await day.rotated(1);
    await day.pass(HOUR);
    const { rotations, connections, failures } = await day.finish();
    t.deepEqual(failures, []);
    t.is(rotations, 1);
    t.is(new Set(connections.map(({ serial }) => serial)).size, 2, "new connections are shown the new one");
    t.true(connections.every(({ from, until, now }) => from <= now && now < until));
  },
);
