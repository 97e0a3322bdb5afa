import { readFileSync, writeFileSync } from "node:fs";
import { HOSTS, SILENCE } from "../support/plant.ts";
import { CableBed, FORWARDED } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

/** Of the whole computer: a namespace cannot have a smaller table. */
const MOST = Number(readFileSync("/proc/sys/net/netfilter/nf_conntrack_max", "utf8"));

testWith(
  "root",
  "tcpdump",
  "tshark",
  "conntrack",
)("with the kernel's connection table full, sessions at a machine's own address go on", async (t) => {
  const bed = await CableBed.start(t);
  const { plant } = bed;
  const watch = await bed.watch();
  const file = `${plant.box.dir}/table`;
  const lines = Array.from({ length: MOST + 100 }, (_, i) => {
    const from = `10.99.${(i >> 8) & 255}.${i & 255}`;
    return `-I -p tcp -s ${from} -d 10.98.0.1 --sport ${1000 + (i >> 16)} --dport 1 --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 600`;
  });
  writeFileSync(file, `${lines.join("\n")}\n`);
  // What is there already could go, and leave room.
  plant.run("box", "conntrack", "-F");
  await plant.result("box", "conntrack", ["-R", file], 110_000);
  const held = Number(plant.run("box", "conntrack", "-C").trim());
  t.true(held >= MOST, `${held} of ${MOST}`);

  t.is(await bed.read(), "11");
  const another = await bed.engineer();
  t.is(await another.read(12), "12", "new ones, too");
  another.end();
  t.is(await plant.dial("attacker", HOSTS.press, 502), "reset", "what is refused is refused");
  t.is(await plant.dial("hmi", HOSTS.historian, 4001), "reset");
  t.is(await plant.dial("hmi", HOSTS.historian, FORWARDED, SILENCE), "silent", "a new way needs room in it");

  plant.run("box", "conntrack", "-F");
  await bed.works("once there is room again");
  t.deepEqual(await watch.crossed(), { machines: [], plant: [] });
});
