import { BOX, HOSTS, ROUTER } from "../support/plant.ts";
import { CableBed, STRANGER } from "../support/plant-cable.ts";
import { until } from "../support/processes.ts";
import { testWith } from "../support/tools.ts";

testWith(
  "root",
  "tcpdump",
  "tshark",
  "scapy",
  "arping",
)(
  "ARP that claims machines' addresses and the appliance's own from the plant moves nothing, is answered and on record",
  async (t) => {
    const bed = await CableBed.start(t);
    const { plant } = bed;
    const attacker = plant.mac("attacker");
    const before = bed.pinned();
    const watch = await bed.watch();

    for (const claimed of [HOSTS.press, HOSTS.hmi, BOX]) {
      await bed.send("claims", "attacker", claimed, [0]);
      await plant.result("attacker", "arping", ["-q", "-U", "-S", claimed, "-i", "eth0", "-c", "1", claimed]);
    }
    const knows = (address: string): string => plant.run("laptop", "ip", "neigh", "show", address);
    // The last claims of the burst are answered ten seconds after the announcement that answered the first (RFC 5227, 2.4).
    await until(
      () => knows(HOSTS.press).includes(plant.mac("box", "uplink")),
      "the laptop to hear that the press is still where it was",
    );
    t.deepEqual(bed.pinned(), before, "machines' own addresses are pinned");
    for (const address of [HOSTS.press, HOSTS.hmi, BOX]) {
      const known = plant.run("box", "ip", "neigh", "show", address, "dev", "uplink");
      t.notRegex(known, /lladdr/, `nobody on the uplink is believed to be ${address}`);
    }
    await bed.worksAgain("afterwards");
    t.deepEqual(await watch.crossed(), { machines: [], plant: [] });
    for (const address of [HOSTS.press, HOSTS.hmi, BOX]) {
      const own = `arp && eth.src == ${plant.mac("box", "uplink")} && arp.src.proto_ipv4 == ${address} && arp.dst.proto_ipv4 == ${address}`;
      const announced = watch.uplink.frames(own).length;
      t.true(announced >= 1 && announced <= 6, `${announced} announcements of ${address}`);
    }
    const claimed = `MAC address ${attacker}`;
    await bed.recorded(
      20,
      new RegExp(`address of press .* claimed on the uplink by a station with the ${claimed}`),
      new RegExp(`address of hmi .* claimed on the uplink by a station with the ${claimed}`),
      new RegExp(`own address ${BOX} is claimed on the uplink by a station with the ${claimed}`),
    );
  },
);

testWith(
  "root",
  "tcpdump",
  "tshark",
  "scapy",
)("ARP that claims a machine's address on the device port moves nothing and is on record", async (t) => {
  const bed = await CableBed.start(t);
  const { plant } = bed;
  plant.plug("stranger", "eth0", "machines", `${STRANGER}/24`);
  const before = bed.pinned();
  const watch = await bed.watch();

  await bed.send("claims", "hmi", HOSTS.press, [0]);
  await bed.send("claims", "stranger", HOSTS.press, [0]);
  await bed.send("claims", "stranger", ROUTER, [0]);
  t.deepEqual(bed.pinned(), before);
  t.is(await bed.read(), "11", "the press is read where it is");
  await bed.worksAgain("afterwards");
  t.deepEqual(await watch.crossed({ machines: "stranger" }), { machines: [], plant: [] });
  await bed.recorded(
    20,
    new RegExp(`hmi \\(MAC address ${plant.mac("hmi")}\\) uses the address ${HOSTS.press}`),
    new RegExp(`address of press .* by a station with the MAC address ${plant.mac("stranger")}`),
  );
});
