import { NetdKills, type Moment } from "../support/netd-kills.ts";
import { Soak } from "../support/soak.ts";
import { testWith } from "../support/tools.ts";

/** Milliseconds after a document was given in which all that netd does with it is over. */
const APPLYING = 2_000;

testWith(
  "root",
  "tcpdump",
  "tshark",
  "hping3",
)(
  "netd killed at any moment leaves the old ruleset or the new one, whole, and comes back with the right one",
  async (t) => {
    const soak = Soak.fromEnvironment();
    t.timeout(soak.patience);
    const kills = await NetdKills.start(t);
    while (soak.goesOn()) {
      const moment: Moment =
        soak.pick(["before", "in the kernel", "said", null, null, null]) ?? soak.chance() * APPLYING;
      await kills.kill(moment);
    }
    await kills.finish();
    const { old, new: fresh } = kills.found;
    t.log(soak.summary(`${old} times the ruleset of before, ${fresh} times the new one`));
  },
);
