import { HOSTS } from "../support/plant.ts";
import { CableBed, type Kind } from "../support/plant-cable.ts";
import { testWith } from "../support/tools.ts";

/** What is sent, and what is to be on record of it: before the next, for what one machine sends is told apart up to a number of kinds. */
const KINDS: ReadonlyArray<readonly [Kind, ...RegExp[]]> = [
  ["link", /hmi sent .*LLDP/, /hmi sent .*STP/, /hmi sent .*PROFINET DCP/],
  ["groups", /hmi sent .*IPv4 multicast/],
  ["ipv6", /hmi sent .*IPv6 router advertisement/],
  ["tagged"],
];

testWith(
  "root",
  "tcpdump",
  "tshark",
  "scapy",
)(
  "tagged frames, IPv6, LLDP, STP, PROFINET, multicast and broadcast cross in neither direction",
  async (t) => {
    const bed = await CableBed.start(t);
    // Switches without management let LLDP through.
    for (const side of ["plant-sw", "machines-sw"]) {
      bed.plant.ip(side, "link", "set", "br0", "type", "bridge", "group_fwd_mask", "0x4000");
    }
    const watch = await bed.watch();
    for (const [kind, ...records] of KINDS) {
      t.true((await bed.send(kind, "attacker", HOSTS.press, [802, 502, 22])) > 15);
      t.true((await bed.send(kind, "hmi", HOSTS.historian, [4001, 22])) > 15);
      await bed.recorded(60, ...records);
    }
    await bed.works("afterwards");
    t.deepEqual(await watch.crossed(), { machines: [], plant: [] });
  },
);
