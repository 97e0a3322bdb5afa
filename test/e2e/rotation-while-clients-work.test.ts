import { Rotations } from "../support/rotations.ts";
import { testWith } from "../support/tools.ts";

const ROTATIONS = 30;

testWith("pymodbus")(
  "certificates that rotate while clients work: no transaction is lost, new connections see new ones",
  async (t) => {
    const rotations = await Rotations.start(t);
    await rotations.more(ROTATIONS);
    t.true(rotations.done >= ROTATIONS);
    for (const line of await rotations.finish()) t.log(line);
  },
);
