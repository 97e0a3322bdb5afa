import type { AuditRecord } from "../../src/audit/index.ts";
import { HOSTS, Plant } from "../support/plant.ts";
import { plantSite } from "../support/plant-sites.ts";
import { testWith } from "../support/tools.ts";

testWith(
  "root",
  "tcpdump",
  "tshark",
  "conntrack",
)(
  "a machine reaches the destination that is forwarded, and the plant reaches nothing of the machine",
  async (t) => {
    const plant = await Plant.start(t, (p) =>
      plantSite(p, {
        more: `
destinations:
  - { name: historian, reason: Values of the shift, machines: [hmi], how: forward, host: ${HOSTS.historian}, ports: [4000] }`,
      }),
    );
    await plant.echo("historian", 4000);
    await plant.echo("historian", 4001);
    await plant.echo("hmi", 5900);
    const behind = await plant.capture("hmi");

    t.is(
      await plant.ask("hmi", HOSTS.historian, 4000),
      `historian ${HOSTS.hmi} hello`,
      "with its own address",
    );
    t.is(await plant.dial("hmi", HOSTS.historian, 4001), "reset", "another port fails at once");
    t.is(await plant.dial("press", HOSTS.historian, 4000), "reset", "another machine has no such way");
    t.is(await plant.dial("attacker", HOSTS.hmi, 5900), "reset");
    t.is(await plant.dial("historian", HOSTS.hmi, 5900), "reset", "not even from where the machine may go");

    await behind.stop();
    t.deepEqual(behind.frames(`tcp.dstport == 5900`), []);
    t.true(behind.frames(`ip.src == ${HOSTS.historian} && tcp.srcport == 4000`).length > 0);
    const [refused] = await plant.box.recorded(1, "kind=flow.refused", "machine=press", "stage=destination");
    t.is(refused?.decision, "denial");
    // A connection's bytes may be on record in more sums than one.
    let flows: AuditRecord[] = [];
    const sum = (count: string): number =>
      flows.reduce((total, { counts }) => total + (counts?.[count] ?? 0), 0);
    await plant.box.until(async () => {
      flows = await plant.box.records("kind=flow", "machine=hmi");
      return sum("bytesOut") > 100 && sum("bytesIn") > 100;
    }, "records of what crossed");
    t.is(sum("connections"), 1);
    for (const flow of flows) t.like(flow, { rule: "historian", decision: "permit" });
  },
);
