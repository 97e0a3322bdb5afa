/** Power cuts in a row, each at another moment of an update: every second one while it is changed which image starts by default. */
import { cutDuringUpdate } from "../support/box/power-cut.ts";
import { testWithBox } from "../support/box/shared.ts";
import { UpdateBed } from "../support/box/update-bed.ts";
import { Soak } from "../support/soak.ts";

const check = testWithBox((t) => UpdateBed.start(t));

check(
  "the power goes at a random moment of one update after the other, and the box comes back to work each time",
  async (t, updates) => {
    const soak = Soak.fromEnvironment();
    while (soak.goesOn()) {
      const among = soak.rounds % 2 === 0 ? "commit" : "all";
      t.log(`round ${soak.rounds}: ${await cutDuringUpdate(t, updates, among, () => soak.chance())}`);
    }
    t.log(soak.summary("each with a power cut"));
  },
);
