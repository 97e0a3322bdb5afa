import { Rotations } from "../support/rotations.ts";
import { Soak } from "../support/soak.ts";
import { testWith } from "../support/tools.ts";

const ROTATIONS = 25;
/** Rounds after which memory in use is what stays in use. */
const WARM = 10;
/** Kilobytes; a context kept for each of a thousand rotations would be several times as much. */
const GROWTH = 65_536;

testWith("pymodbus")(
  "rotations without end: no transaction is lost, new connections see new certificates, memory does not grow",
  async (t) => {
    const soak = Soak.fromEnvironment();
    t.timeout(soak.patience);
    const rotations = await Rotations.start(t);
    let early = 0;
    while (soak.goesOn()) {
      await rotations.more(ROTATIONS);
      if (soak.rounds <= WARM) early = rotations.memory();
    }
    const late = rotations.memory();
    const done = await rotations.finish();
    t.log(soak.summary(...done, `memory ${early} kB and ${late} kB`));
    t.true(rotations.done >= soak.rounds * ROTATIONS);
    t.true(late - early < GROWTH, `memory grew from ${early} to ${late} kB`);
  },
);
