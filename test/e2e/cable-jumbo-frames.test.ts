import { HOSTS } from "../support/plant.ts";
import { CableBed } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

testWith(
  "root",
  "tcpdump",
  "tshark",
  "scapy",
)("frames of 9,000 bytes pass no more than small ones, and stop nothing", async (t) => {
  const bed = await CableBed.start(t);
  const { plant } = bed;
  for (const host of ["attacker", "hmi"]) plant.ip(host, "link", "set", "eth0", "mtu", "9000");
  for (const port of ["uplink", "device"]) plant.ip("box", "link", "set", port, "mtu", "9000");
  for (const side of ["plant-sw", "machines-sw"] as const) plant.mtu(side, 9000);
  const watch = await bed.watch();
  t.true((await bed.send("jumbo", "attacker", HOSTS.press, [802, 502, 22])) > 5);
  t.true((await bed.send("jumbo", "hmi", HOSTS.historian, [4001, 22])) > 5);
  await bed.works("afterwards");
  t.deepEqual(await watch.crossed(), { machines: [], plant: [] });
  await bed.recorded(40, /10\.20\.0\.66 tried tcp ports 22 and 502/, /hmi may not reach .* port 4001 udp/);
});
