import { HOSTS } from "../support/plant.ts";
import { CableBed } from "../support/plant-cable.ts";
import { until } from "../support/processes.ts";
import { testWith } from "../support/tools.ts";

testWith(
  "root",
  "tcpdump",
  "tshark",
)(
  "a host in the plant that was given the press' address is on record; a laptop reaches the press, or finds no certificate",
  async (t) => {
    const bed = await CableBed.start(t);
    const { plant } = bed;
    const watch = await bed.watch();
    plant.plug("thief", "eth0", "plant", `${HOSTS.press}/24`);
    const thief = plant.mac("thief");
    await plant.result("thief", "ping", ["-c", "2", "-W", "1", HOSTS.historian]);
    await plant.echo("thief", 802);

    const said: string[] = [];
    for (let i = 0; i < 8; i++) {
      plant.run("laptop", "ip", "neigh", "flush", "dev", "eth0");
      const engineer = await bed.engineer().catch(() => null);
      said.push(engineer === null ? "no session" : await engineer.read(11));
      engineer?.end();
    }
    t.deepEqual(
      said.filter((one) => one !== "11" && one !== "no session" && !one.startsWith("failed: ")),
      [],
      "nobody else's values",
    );
    await bed.recorded(
      20,
      new RegExp(`address of press .* claimed on the uplink by a station with the MAC address ${thief}`),
    );
    plant.cable("thief", "eth0", "out");
    // It had taken the historian's answers to the press' address, too, as any two hosts with one address do.
    plant.run("laptop", "ip", "neigh", "flush", "dev", "eth0");
    await until(async () => (await bed.read()) === "11", "the press to be read again");
    await bed.worksAgain("once it is gone");
    t.deepEqual(await watch.crossed({ plant: "thief" }), { machines: [], plant: [] });
  },
);
