import { HOSTS, Plant, SILENCE } from "../support/plant.ts";
import { cableSite, CableBed, FORWARDED, Watch } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

const KILLS = 20;
const MORE = `
  - { name: archive, reason: Values of the year, machines: [hmi, press], how: forward, host: ${HOSTS.scada}, ports: [4005, "5000-5100"] }`;

testWith(
  "root",
  "tcpdump",
  "tshark",
  "hping3",
)(
  "netd killed at any moment leaves the old ruleset or the new one, whole, and comes back with the right one",
  async (t) => {
    t.timeout(300_000);
    const plant = Plant.create(t);
    const documents = [cableSite(plant), cableSite(plant, { more: MORE })];
    const box = await plant.startBox(documents[0]!, { parts: ["control", "netd"] });
    await plant.echo("historian", FORWARDED);
    const rulesets = [rulesetOf(plant)];
    await plant.apply(documents[1]!);
    rulesets.push(rulesetOf(plant));
    t.not(rulesets[0], rulesets[1]);

    const watch = new Watch(
      plant,
      await plant.capture("machines-sw", "br0"),
      await plant.capture("plant-sw", "br0"),
    );
    // What no document allows, all the while.
    plant.spawn("hmi", "hping3", ["-q", "-S", "-p", "22", "-i", "u10000", HOSTS.historian]);
    plant.spawn("hmi", "hping3", ["-q", "--udp", "-p", "9", "-i", "u10000", HOSTS.attacker]);
    plant.spawn("attacker", "hping3", ["-q", "-S", "-p", "502", "-i", "u10000", HOSTS.press]);
    plant.spawn("attacker", "hping3", ["-q", "--udp", "-p", "9", "-i", "u10000", HOSTS.hmi]);

    let current = 1;
    const found = [0, 0];
    for (let i = 0; i < KILLS; i++) {
      const applying = box.tryApply(documents[i % 2]!);
      await pause(Math.random() * 2_000);
      await box.end("netd", "SIGKILL");
      // Where netd died before it had checked the document, that is an error, and the one of before stays.
      if ((await applying).code === 0) current = i % 2;
      const which = rulesets.indexOf(rulesetOf(plant));
      t.true(which >= 0, `after ${i + 1} kills, neither ruleset:\n${rulesetOf(plant)}`);
      found[which]!++;
      t.is(
        await plant.ask("hmi", HOSTS.historian, FORWARDED),
        `historian ${HOSTS.hmi} hello`,
        "without netd",
      );
      const seen = box.log.length;
      await box.run("netd");
      await box.logged('"msg":"ruleset in force"', seen);
      t.is(rulesetOf(plant), rulesets[current] ?? "", "the last document's");
    }
    t.true(found[0]! > 0 && found[1]! > 0, found.join(" and "));
    t.is(await plant.dial("hmi", HOSTS.historian, 22), "reset");
    t.deepEqual(await watch.crossed(), { machines: [], plant: [] });
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

/** As it was applied: without counts, and without what the kernel and netd fill in as packets come. */
function rulesetOf(plant: Plant): string {
  return plant
    .run("box", "nft", "-s", "list", "ruleset")
    .replaceAll(/^\t(?:set|map) \w+ \{\n(?:(?!\t\}).*\n)*\t\}\n/gm, (set) =>
      /flags .*(?:dynamic|timeout)/.test(set) ? "" : set,
    )
    .replaceAll(/^\t\t(?:elements|\t).*\n/gm, (line) => line.split(", ").toSorted().join(", "));
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
