import { FORWARDED_AT_ONCE } from "../../src/isolation/ruleset.ts";
import { HOSTS } from "../support/plant.ts";
import { CableBed, FORWARDED } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

/** A destination that is there and answers no SYN, so that each stays a connection in the kernel's table. */
const DEAD = "10.20.0.200";
const DROP = `table ip dead { chain input { type filter hook input priority 0; ip daddr ${DEAD} drop; }; }`;
const MORE = `
  - { name: archive, reason: Values of the year, machines: [press], how: forward, host: ${DEAD}, ports: [4000] }`;

testWith(
  "root",
  "tcpdump",
  "tshark",
  "hping3",
)(
  "a machine that floods has no more connections than its share, and takes nothing from the others",
  async (t) => {
    const bed = await CableBed.start(t, { more: MORE });
    const { plant } = bed;
    // The historian has the address as well: where nobody answers ARP for it, no packet would go out at all.
    plant.ip("historian", "addr", "add", `${DEAD}/32`, "dev", "eth0");
    plant.run("historian", "nft", DROP);
    const watch = await bed.watch();
    const flood = (target: string, port: number, microseconds: number, count: number): Promise<unknown> => {
      const pace = ["-i", `u${microseconds}`, "-c", String(count)];
      return plant.result("press", "hping3", ["-q", "-S", "-p", String(port), ...pace, target]);
    };

    const floods = [
      flood(DEAD, FORWARDED, 300, FORWARDED_AT_ONCE * 3),
      flood(HOSTS.historian, 4001, 300, 6_000),
      flood(HOSTS.attacker, 22, 300, 6_000),
    ];
    // Whatever machine floods, another's way and a session with the flooding one itself go on.
    for (let i = 0; i < 3; i++) {
      t.is(await plant.ask("hmi", HOSTS.historian, FORWARDED), `historian ${HOSTS.hmi} hello`, "during it");
      t.is(await bed.read(), "11", "during it");
    }
    await Promise.all(floods);
    const tracked = Number(plant.run("box", "conntrack", "-C").trim());
    t.true(tracked >= FORWARDED_AT_ONCE && tracked < FORWARDED_AT_ONCE + 200, `${tracked} connections`);
    t.is(await plant.ask("hmi", HOSTS.historian, FORWARDED), `historian ${HOSTS.hmi} hello`, "afterwards");
    t.is(await bed.read(), "11", "afterwards");

    const crossed = await watch.crossed();
    const allowed = `${HOSTS.press} → ${DEAD}`;
    t.deepEqual(crossed.machines, []);
    t.deepEqual(
      crossed.plant.filter((line) => !line.includes(allowed)),
      [],
    );
    // One that the kernel's table let go of meanwhile makes room for another.
    const sent = crossed.plant.length;
    t.true(sent >= FORWARDED_AT_ONCE && sent <= FORWARDED_AT_ONCE + 200, `${sent} packets of the flood`);
    await bed.recorded(
      25,
      new RegExp(`packets of machines with ${FORWARDED_AT_ONCE} connections open were dropped`),
      /press may not reach 10\.20\.0\.3 port 4001 tcp \([\d,]+ packets/,
      /press may not reach 10\.20\.0\.66 port 22 tcp \([\d,]+ packets/,
    );
  },
);
