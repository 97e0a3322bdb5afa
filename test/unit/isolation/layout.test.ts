import test from "ava";
import {
  commandsOf,
  removalsOf,
  sinkholeCommands,
  switchesOf,
  type Existing,
} from "../../../src/isolation/layout.ts";
import type { Plan } from "../../../src/isolation/plan.ts";
import { cases, planNamed, PORTS } from "../../vectors/isolation/cases.ts";

/** What a kernel holds before niac was ever there: its own three rules. */
const FRESH: Existing = {
  routes: [],
  neighbours: [],
  proxied: [],
  inner: [],
  uplinkAddresses: [],
  deviceAddresses: [],
  rules: [0, 32_766, 32_767],
};

/** What the kernel holds once the plan is in force, by what a plan says and not by the commands. */
function heldBy(plan: Plan, uplinkAddresses: readonly string[] = []): Existing {
  const { stations, device, mode } = plan;
  const own = plan.ports.address;
  const source = device?.address ?? own?.address ?? uplinkAddresses[0]?.split("/")[0] ?? null;
  return {
    routes: stations.map(({ address }) => ({ address, source })),
    neighbours: stations.map(({ address, mac }) => ({ address, mac })),
    proxied: mode === "inline" ? stations.map(({ address }) => address) : [],
    inner: ["198.18.0.1", ...stations.map(({ standIn }) => standIn)],
    uplinkAddresses: own === null ? uplinkAddresses : [`${own.address}/${own.prefix}`],
    deviceAddresses: device === null ? [] : [`${device.address}/${device.prefix}`],
    rules: [10, 11, 20, 21, 22, 32_766, 32_767],
  };
}

/** Commands that are there whatever the kernel holds: they set what is, and change nothing. */
function unconditional(plan: Plan): string[] {
  return commandsOf(plan, heldBy(plan));
}

for (const { name, plan } of cases) {
  test(`${name}: once it is in force, what is left to do can be done twice`, (t) => {
    for (const command of unconditional(plan)) t.regex(command, /^(?:link set|route replace) /);
    for (const { address } of plan.stations) {
      t.false(
        unconditional(plan).some((command) => command.includes(address)),
        "machines take no time at a repair",
      );
    }
    t.deepEqual(removalsOf(plan, heldBy(plan)), []);
  });

  test(`${name}: from nothing, each machine has its route, pinned neighbour and inner address`, (t) => {
    const commands = commandsOf(plan, FRESH);
    const source = plan.device?.address ?? plan.ports.address?.address;
    const from = source === undefined ? "" : ` src ${source}`;
    for (const { address, mac, standIn } of plan.stations) {
      t.true(commands.includes(`route replace ${address}/32 dev device${from} proto 213`));
      t.true(commands.includes(`neigh replace ${address} lladdr ${mac} dev device nud permanent`));
      t.is(commands.includes(`neigh add proxy ${address} dev uplink`), plan.mode === "inline");
      t.true(commands.includes(`addr replace ${standIn}/32 dev lo`));
    }
    t.deepEqual(
      commands.filter((command) => / (?:del|flush) /.test(command)),
      ["rule del pref 0 lookup local"],
    );
    t.deepEqual(removalsOf(plan, FRESH), []);
  });
}

test("machines that are gone lose route, neighbour and proxy entry; their inner addresses stay", (t) => {
  const inline = planNamed("inline");
  const [gone, ...rest] = inline.stations;
  t.deepEqual(removalsOf({ ...inline, stations: rest }, heldBy(inline)), [
    `neigh del proxy ${gone!.address} dev uplink`,
    `route del ${gone!.address}/32 dev device proto 213`,
    `neigh del ${gone!.address} dev device`,
  ]);
});

test("a machine with another MAC address is pinned anew, and nothing else", (t) => {
  const inline = planNamed("inline");
  const stations = inline.stations.map((one, i) => (i === 0 ? { ...one, mac: "00:1b:1b:00:00:99" } : one));
  const left = unconditional(inline);
  t.deepEqual(
    commandsOf({ ...inline, stations }, heldBy(inline)).filter((command) => !left.includes(command)),
    [`neigh replace ${stations[0]!.address} lladdr 00:1b:1b:00:00:99 dev device nud permanent`],
  );
});

test("from inline to routed the uplink answers ARP for nobody any more, not even for a machine that kept its address", (t) => {
  const inline = planNamed("inline");
  const device = { address: "10.20.0.1", prefix: 24, dhcp: false };
  t.deepEqual(
    removalsOf({ ...inline, mode: "routed", device }, heldBy(inline)),
    inline.stations.map(({ address }) => `neigh del proxy ${address} dev uplink`),
  );
});

test("an appliance with another address keeps none of before, and reaches machines from the new one", (t) => {
  const inline = planNamed("inline");
  const moved: Plan = { ...inline, ports: { ...PORTS, address: { address: "10.20.0.101", prefix: 24 } } };
  const held = { ...heldBy(inline), uplinkAddresses: ["10.20.0.99/24", "10.20.0.100/24"] };
  t.deepEqual(
    removalsOf(moved, held),
    ["addr del 10.20.0.100/24 dev uplink", "addr del 10.20.0.99/24 dev uplink"],
    "the last first: with the first of a subnet the kernel takes the others away",
  );
  const commands = commandsOf(moved, { ...held, uplinkAddresses: [] });
  t.true(commands.includes("addr replace 10.20.0.101/24 dev uplink"));
  for (const { address } of inline.stations) {
    t.true(commands.includes(`route replace ${address}/32 dev device src 10.20.0.101 proto 213`));
  }
});

test("an address that the plant's DHCP gave stays, and machines are reached from it", (t) => {
  const silent = planNamed("silent");
  const existing = { ...FRESH, uplinkAddresses: ["10.20.0.123/24"] };
  const commands = commandsOf(silent, existing);
  t.deepEqual(removalsOf(silent, existing), []);
  t.true(commands.includes("route replace 10.20.0.50/32 dev device src 10.20.0.123 proto 213"));
  const later = commandsOf(silent, heldBy(silent, ["10.20.0.124/24"]));
  t.false(
    later.some((command) => command.includes("10.20.0.50")),
    "nothing to do while it is the same",
  );
  const other = { ...heldBy(silent, ["10.20.0.123/24"]), uplinkAddresses: ["10.20.0.124/24"] };
  t.true(
    commandsOf(silent, other).includes("route replace 10.20.0.50/32 dev device src 10.20.0.124 proto 213"),
  );
});

test("at every moment a rule finds the appliance's own addresses, from wherever the last attempt stopped", (t) => {
  const plan = planNamed("inline");
  const starts = [[0], [0, 10], [0, 10, 11], [0, 10, 11, 20], [10, 11, 20], [10, 20], [20], [0, 20]];
  for (const start of starts) {
    const from = start.join(" ");
    const rules = new Set(start);
    for (const command of commandsOf(plan, { ...FRESH, rules: start })) {
      const [, verb, pref] = /^rule (add|del) pref (\d+) /.exec(command) ?? [];
      if (verb === "add") {
        t.false(rules.has(Number(pref)), `${from}: ${command} is there already`);
        rules.add(Number(pref));
      }
      if (verb === "del") t.true(rules.delete(Number(pref)), `${from}: ${command}`);
      t.true(rules.has(0) || rules.has(20), `${from}: after ${command}`);
    }
    t.deepEqual(
      [...rules].toSorted((a, b) => a - b),
      [10, 11, 20, 21, 22],
      "and niac's own come first",
    );
  }
});

test("what no rule has marked is routed nowhere, from either port", (t) => {
  const commands = commandsOf(planNamed("inline"), FRESH);
  t.true(commands.includes("rule add pref 21 iif uplink fwmark 0/0xffffffff blackhole"));
  t.true(commands.includes("rule add pref 22 iif device fwmark 0/0xffffffff blackhole"));
});

test("what is refused ends at the sinkhole's interface, and in a black hole where that is gone", (t) => {
  t.true(
    commandsOf(planNamed("nothing"), FRESH).includes(
      "route replace blackhole default table 10002 metric 4096",
    ),
  );
  t.true(sinkholeCommands().includes("route replace default dev niac0 table 10002"));
});

test("the kernel forwards nothing without a network section, and answers ARP for others on the device port inline alone", (t) => {
  for (const { name, plan } of cases) {
    const switches = new Map(switchesOf(plan));
    t.is(switches.get("ipv4/ip_forward"), plan.mode === "closed" ? "0" : "1", name);
    t.is(switches.get("ipv4/conf/device/proxy_arp"), plan.mode === "inline" ? "1" : "0", name);
    t.is(switches.get("ipv4/conf/uplink/proxy_arp"), "0", name);
    t.is(switches.get("ipv6/conf/device/disable_ipv6"), "1", name);
  }
});
