import { readFileSync } from "node:fs";
import type { ExecutionContext } from "ava";
import { rulesetOf } from "../../../src/isolation/ruleset.ts";
import { testWith } from "../../support/tools.ts";
import { planNamed } from "../../vectors/isolation/cases.ts";
import { ip, listing, load, namespace, NFT, runIn } from "./kernel-bed.ts";

const IMAGE = readFileSync(new URL("../../../image/niac.nft", import.meta.url), "utf8");
const inline = planNamed("inline");

const testRoot = testWith("root", "ip", NFT, "ping", "arping");

interface Bed {
  readonly box: string;
  readonly plant: string;
  readonly machine: string;
}

/** A router between two hosts, as open as Linux is without a ruleset. */
function bed(t: ExecutionContext): Bed {
  const [box, plant, machine] = [namespace(t), namespace(t), namespace(t)];
  ip(
    box,
    `link add uplink type veth peer name eth0 netns ${plant}`,
    `link add device type veth peer name eth0 netns ${machine}`,
    "addr add 192.0.2.1/25 dev uplink",
    "addr add 192.0.2.129/25 dev device",
    "addr add 2001:db8::1/64 dev uplink nodad",
    "link set uplink up",
    "link set device up",
  );
  ip(
    plant,
    "addr add 192.0.2.2/25 dev eth0",
    "addr add 2001:db8::2/64 dev eth0 nodad",
    "link set eth0 up",
    "route add default via 192.0.2.1",
  );
  ip(machine, "addr add 192.0.2.130/25 dev eth0", "link set eth0 up", "route add default via 192.0.2.129");
  runIn(box, ["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
  return { box, plant, machine };
}

/** What gets through: each of these is true where there is no ruleset. `patience`: seconds for each answer. */
function passes({ box, plant, machine }: Bed, patience: number): Record<string, boolean> {
  const ping = (from: string, to: string): boolean =>
    runIn(from, ["ping", "-c", "1", "-W", `${patience}`, to]).code === 0;

  for (const one of [box, plant, machine]) runIn(one, ["ip", "neigh", "flush", "all"]);
  return {
    arp: runIn(plant, ["arping", "-c", "1", "-w", `${patience}`, "-i", "eth0", "192.0.2.1"]).code === 0,
    in: ping(plant, "192.0.2.1"),
    "in, IPv6": ping(plant, "2001:db8::1"),
    across: ping(plant, "192.0.2.130"),
    "across, from the machine": ping(machine, "192.0.2.2"),
    out: ping(box, "192.0.2.2"),
    "out, IPv6": ping(box, "2001:db8::2"),
    itself: ping(box, "127.0.0.1"),
  };
}

function received(where: string): string {
  return runIn(where, ["cat", "/sys/class/net/eth0/statistics/rx_packets"]).out;
}

testRoot(
  "the image's ruleset: nothing comes in, crosses or goes out, and ARP is neither answered nor sent",
  async (t) => {
    const hosts = bed(t);
    const open = passes(hosts, 10);
    t.deepEqual(
      Object.values(open),
      Object.values(open).map(() => true),
      "without it all of that passes",
    );

    t.deepEqual(load(hosts.box, IMAGE), { code: 0, out: "", err: "" });
    const before = [hosts.plant, hosts.machine].map(received);
    const closed = passes(hosts, 1);
    t.deepEqual(closed, {
      ...Object.fromEntries(Object.keys(open).map((name) => [name, false])),
      itself: true,
    });
    t.deepEqual([hosts.plant, hosts.machine].map(received), before, "not a frame left the box");
  },
);

testRoot(
  "it is taken by a check, and twice, and closes the box again where niac's own was in force",
  async (t) => {
    const where = namespace(t);
    t.deepEqual(runIn(where, [NFT, "-c", "-f", "-"], IMAGE), { code: 0, out: "", err: "" });
    load(where, IMAGE);
    const alone = listing(where);
    t.is(load(where, IMAGE).code, 0);
    t.is(listing(where), alone);
    load(where, rulesetOf(inline));
    t.not(listing(where), alone);
    t.is(load(where, IMAGE).code, 0);
    t.is(listing(where), alone);
  },
);

testRoot("niac's ruleset takes its place, and leaves nothing of it", async (t) => {
  const [where, fresh] = [namespace(t), namespace(t)];
  load(where, IMAGE);
  t.is(load(where, rulesetOf(inline)).code, 0);
  load(fresh, rulesetOf(inline));
  t.is(listing(where), listing(fresh));
});
