import { NetdKills, rulesetOf, type Moment } from "../support/netd-kills.ts";
import { HOSTS, SILENCE } from "../support/plant.ts";
import { CableBed, FORWARDED } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

/** Both rulesets are found: that of before where netd is killed before the document comes, the new one where the kernel has it. */
const MOMENTS: readonly Moment[] = ["before", "in the kernel", "said", "in the kernel", "before"];

testWith(
  "root",
  "tcpdump",
  "tshark",
  "hping3",
)(
  "netd killed around a new ruleset leaves the old one or the new one, whole, and comes back with the right one",
  async (t) => {
    const kills = await NetdKills.start(t);
    for (const moment of MOMENTS) await kills.kill(moment);
    t.deepEqual(kills.found, { old: 2, new: 3 });
    await kills.finish();
  },
);

testWith(
  "root",
  "tcpdump",
  "tshark",
)("with all three processes dead what was forwarded goes on, and nothing else", async (t) => {
  const bed = await CableBed.start(t);
  const { plant } = bed;
  const { box } = plant;
  const before = rulesetOf(plant);
  const watch = await bed.watch();
  const children = (["control", "netd", "gateway"] as const).map((name) => box.pid(name));
  await box.end("up", "SIGKILL");
  for (const pid of children) process.kill(pid, "SIGKILL");

  for (const machine of ["hmi", "press"] as const) {
    const said = await plant.ask(machine, HOSTS.historian, FORWARDED);
    t.is(said, `historian ${HOSTS[machine]} hello`);
    t.is(await plant.dial(machine, HOSTS.historian, 22, SILENCE), "silent");
  }
  for (const port of [802, 502, 22]) t.is(await plant.dial("attacker", HOSTS.press, port, SILENCE), "silent");
  t.is(rulesetOf(plant), before);
  t.deepEqual(await watch.crossed(), { machines: [], plant: [] });

  await box.run("up");
  await bed.worksAgain("once they run again");
});
