import type { ExecutionContext } from "ava";
import { z } from "zod";
import { dhcpArguments } from "../../../src/isolation/dhcp.ts";
import { testWith } from "../../support/tools.ts";
import { planNamed } from "../../vectors/isolation/cases.ts";
import { ip, namespace, NFT, runIn } from "./kernel-bed.ts";

const testRoot = testWith("root", "ip", NFT, "conntrack");
const PROGRAM = new URL("kernel-program.ts", import.meta.url).pathname;
const NONE = { spoofed: 0, options: 0, stranger: 0, flood: 0, crowded: 0, stray: 0, ipv6: 0 };

/** What a scenario came to, in a namespace with two ports whose other ends lie in another. */
function outcome(t: ExecutionContext, scenario: string): unknown {
  const [box, others] = [namespace(t), namespace(t)];
  for (const port of ["uplink", "device"]) {
    ip(box, `link add ${port} type veth peer name ${port} netns ${others}`);
    ip(others, `link set ${port} up`);
  }
  const { code, out, err } = runIn(box, [process.execPath, PROGRAM, scenario]);
  if (code !== 0) throw new Error(err);
  return JSON.parse(out);
}

/** What `ip` shows of a namespace in which the inline document was put in force, but for what is the kernel's own. */
const INLINE = {
  addresses: [
    "1: lo    inet 127.0.0.1/8 scope host lo",
    "1: lo    inet 198.18.0.1/32 scope global lo",
    "1: lo    inet 198.18.12.115/32 scope global lo",
    "1: lo    inet 198.18.12.116/32 scope global lo",
    "2: uplink    inet 10.20.0.100/24 scope global uplink",
  ],
  routes: [
    "10.20.0.0/24 dev uplink proto kernel scope link src 10.20.0.100",
    "10.20.0.50 dev device proto 213 scope link src 10.20.0.100",
    "10.20.0.51 dev device proto 213 scope link src 10.20.0.100",
    "blackhole default table 10002 metric 4096",
    "default via 10.20.0.1 dev uplink proto 213",
    "local default dev lo table 10001 scope host",
  ],
  neighbours: [
    "10.20.0.50 dev device lladdr 00:1b:1b:00:00:04 PERMANENT",
    "10.20.0.51 dev device lladdr 00:1b:1b:00:00:05 PERMANENT",
  ],
  proxied: ["10.20.0.50 dev uplink proxy", "10.20.0.51 dev uplink proxy"],
  rules: [
    "10: from all fwmark 0x2 lookup 10002",
    "11: from all fwmark 0x1 lookup 10001",
    "20: from all lookup local",
    "21: from all fwmark 0 iif uplink blackhole",
    "22: from all fwmark 0 iif device blackhole",
    "32766: from all lookup main",
    "32767: from all lookup default",
  ],
};

/** With another own address on the uplink. */
function from(address: string): typeof INLINE {
  const move = (lines: string[]): string[] => lines.map((line) => line.replace("10.20.0.100", address));
  return { ...INLINE, addresses: move(INLINE.addresses), routes: move(INLINE.routes) };
}

function without(address: string): typeof INLINE {
  const rest = (lines: string[]): string[] => lines.filter((line) => !line.startsWith(`${address} `));
  const { routes, neighbours, proxied } = INLINE;
  return { ...INLINE, routes: rest(routes), neighbours: rest(neighbours), proxied: rest(proxied) };
}

testRoot(
  "addresses, routes, neighbours and rules are as planned, and applied twice they are the same",
  async (t) => {
    t.deepEqual(outcome(t, "twice"), { first: INLINE, second: INLINE });
  },
);

testRoot("a machine that is gone leaves no route, neighbour or proxy entry", async (t) => {
  t.deepEqual(outcome(t, "gone"), without("10.20.0.51"));
});

testRoot("from inline to routed and back, each leaves nothing but inner addresses", async (t) => {
  t.deepEqual(outcome(t, "modes"), { proxied: [], device: ["192.168.77.1/24"], again: INLINE });
});

testRoot("an appliance or a device port with another address keeps all its machines", async (t) => {
  t.deepEqual(outcome(t, "moved"), {
    uplink: from("10.20.0.101"),
    device: {
      addresses: ["192.168.77.2/24"],
      neighbours: [
        "192.168.77.10 dev device lladdr 00:1b:1b:00:00:0a PERMANENT",
        "192.168.77.11 dev device lladdr 00:1b:1b:00:00:0b PERMANENT",
      ],
    },
  });
});

function reachedFrom(address: string): string[] {
  return [`10.20.0.50 dev device proto 213 scope link src ${address}`];
}

testRoot(
  "machines are reached from the address that the plant's DHCP gave, and from the next it gives",
  async (t) => {
    t.deepEqual(outcome(t, "given"), {
      first: reachedFrom("10.20.0.123"),
      second: reachedFrom("10.20.0.124"),
      proxied: ["10.20.0.50 dev uplink proxy"],
    });
  },
);

testRoot("ports that were down get their ways back", async (t) => {
  t.deepEqual(outcome(t, "flap"), {
    down: ["blackhole default table 10002 metric 4096", "local default dev lo table 10001 scope host"],
    up: INLINE,
  });
});

testRoot("the kernel's switches are set, and without a network section nothing is forwarded", async (t) => {
  t.deepEqual(outcome(t, "switches"), { wrong: [], closed: "0" });
});

testRoot(
  "a ruleset the kernel refuses is an error with its complaint, and leaves the one of before",
  async (t) => {
    const { problems, same } = z
      .object({ problems: z.array(z.string()), same: z.boolean() })
      .parse(outcome(t, "refused"));
    t.true(same);
    for (const problem of problems) t.regex(problem, /^nft: .*Error: /);
    t.is(problems.length, 3);
  },
);

testRoot(
  "the image's ruleset is none of netd's: it has no counters, and netd puts its own in its place",
  async (t) => {
    t.deepEqual(outcome(t, "boot"), { none: false, image: { has: false, counters: NONE }, own: true });
  },
);

testRoot("counters are read by their names", async (t) => {
  t.deepEqual(outcome(t, "counters"), { before: NONE, after: { ...NONE, stray: 3 } });
});

testRoot(
  "Cable: what the kernel refuses is said, and document, ruleset and ways of before stay",
  async (t) => {
    const { said, ...rest } = z.looseObject({ said: z.array(z.string()) }).parse(outcome(t, "cable"));
    t.deepEqual(rest, { problem: null, settled: null, same: true, kept: true, check: null });
    t.is(said.length, 2);
    for (const one of said) t.regex(one, /^nft: .*Error: /);
  },
);

testRoot(
  "Cable: connections of ways that are gone leave the table, others and queries that end here stay",
  async (t) => {
    const stay = [
      "tcp 10.20.0.51 10.30.0.8 50000",
      "tcp 198.18.0.1 10.20.0.60 502",
      "udp 10.20.0.50 10.20.0.4 123",
    ];
    t.deepEqual(outcome(t, "cut"), {
      before: ["tcp 10.20.0.50 10.30.0.7 1433", "tcp 10.20.0.50 10.30.0.9 53", ...stay],
      after: stay,
      forgotten: [],
    });
  },
);

testRoot(
  "Cable: a port that is missing is told by its name, and put in order once it is there",
  async (t) => {
    t.deepEqual(outcome(t, "missing"), {
      said: null,
      problem: "there is no network port device on this computer: see NIAC_UPLINK and NIAC_DEVICE_PORT",
      repaired: null,
      neighbours: INLINE.neighbours,
    });
  },
);

testWith(
  "root",
  "ip",
  "dnsmasq",
)("dnsmasq takes what it is told, whatever the machine's name", async (t) => {
  const where = namespace(t);
  const routed = planNamed("routed");
  const [first] = routed.stations;
  const long = {
    ...first!,
    name: `m${"-long".repeat(12)}`,
    mac: "00:1b:1b:00:00:0c",
    address: "192.168.77.12",
  };
  for (const stations of [routed.stations, [...routed.stations, long]]) {
    const args = dhcpArguments({ ...routed, stations }) ?? [];
    const { code, err } = runIn(where, ["/usr/sbin/dnsmasq", "--test", ...args]);
    t.is(code, 0, err);
  }
  t.not(runIn(where, ["/usr/sbin/dnsmasq", "--test", "--dhcp-range=nonsense"]).code, 0, "it does look");
});
