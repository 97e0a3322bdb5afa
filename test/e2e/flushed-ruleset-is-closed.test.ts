import { HOSTS, Plant, SILENCE } from "../support/plant.ts";
import { plantSite } from "../support/plant-sites.ts";
import { until } from "../support/processes.ts";
import { testWith } from "../support/tools.ts";

function site(plant: Plant): string {
  return plantSite(plant, {
    more: `
destinations:
  - { name: historian, reason: Values of the shift, machines: [hmi], how: forward, host: ${HOSTS.historian}, ports: [4000] }`,
  });
}

testWith(
  "root",
  "tcpdump",
  "tshark",
  "conntrack",
)("a ruleset that somebody flushes leaves the box closed, not open", async (t) => {
  const plant = await Plant.start(t, site);
  await plant.echo("historian", 4000);
  await plant.echo("hmi", 5900);
  t.is(await plant.ask("hmi", HOSTS.historian, 4000), `historian ${HOSTS.hmi} hello`);

  const open = /ESTABLISHED|FIN_WAIT|CLOSE_WAIT|LAST_ACK/;
  await until(
    () => !open.test(plant.run("box", "conntrack", "-L", "-p", "tcp")),
    "that connection to be over",
  );

  const behind = await plant.capture("hmi", "eth0", "tcp or icmp");
  const before = await plant.capture("historian", "eth0", "tcp or icmp");
  plant.run("box", "/usr/sbin/nft", "flush", "ruleset");
  t.is(await plant.dial("hmi", HOSTS.historian, 4000, SILENCE), "silent");
  t.is(await plant.dial("attacker", HOSTS.hmi, 5900, SILENCE), "silent");
  t.is(await plant.dial("historian", HOSTS.hmi, 5900, SILENCE), "silent");
  await behind.stop();
  await before.stop();
  t.deepEqual(behind.frames(`ip.dst == ${HOSTS.hmi}`), [], "nothing came to the machine");
  t.deepEqual(before.frames(`ip.src == ${HOSTS.hmi}`), [], "and nothing of it went out");

  await plant.apply(site(plant));
  t.is(
    await plant.ask("hmi", HOSTS.historian, 4000),
    `historian ${HOSTS.hmi} hello`,
    "a document applied opens it again",
  );
});
