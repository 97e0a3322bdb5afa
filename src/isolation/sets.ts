/** The sets and maps of the ruleset: all that a site document changes in it. Pure. */
import { concatenated, declare, range } from "./elements.ts";
import type { Forward, Plan } from "./plan.ts";

export function setsOf(plan: Plan): string[] {
  const exact = plan.forwards.filter(({ start, end }) => start === end);
  const ranges = plan.forwards.filter(({ start, end }) => start !== end);
  const way = "ipv4_addr . ipv4_addr . inet_proto . inet_service";
  const masked = plan.forwards.filter((one) => one.masked);
  const peers = [...new Set(masked.map((one) => concatenated(one.to, one.transport, range(one))))];
  const station = "ether_addr . ipv4_addr";
  const place = "ipv4_addr . inet_service";
  const known = plan.outward.flatMap(({ address, port }) => (address === null ? [] : [{ address, port }]));
  return [
    declare(
      "set",
      "machines",
      "ipv4_addr",
      plan.stations.map(({ address }) => address),
    ),
    declare(
      "set",
      "stations",
      station,
      plan.stations.map(({ mac, address }) => concatenated(mac, address)),
    ),
    declare(
      "set",
      "pinged",
      "ipv4_addr",
      plan.stations.flatMap(({ ping, address }) => (ping ? [address] : [])),
    ),
    declare(
      "set",
      "secured",
      place,
      plan.secured.map((one) => concatenated(one.address, one.port)),
    ),
    declare(
      "set",
      "answered",
      place,
      plan.answered.map((one) => concatenated(one.address, one.port)),
    ),
    declare(
      "set",
      "unauthenticated",
      "ether_addr . ipv4_addr . ipv4_addr . inet_service",
      plan.unauthenticated.map((one) => concatenated(one.mac, one.source, one.address, one.port)),
    ),
    declare(
      "set",
      "taken",
      "ipv4_addr . ipv4_addr . inet_service",
      plan.taken.map((one) => concatenated(one.from, one.to, one.port)),
    ),
    declare("set", "forwarded", way, ways(exact)),
    declare("set", "forwarded_ranges", way, ways(ranges), "interval"),
    declare("set", "masked", way, ways(masked), "interval"),
    declare("set", "masked_peers", "ipv4_addr . inet_proto . inet_service", peers, "interval"),
    declare(
      "set",
      "outward",
      place,
      known.map((one) => concatenated(one.address, one.port)),
    ),
    declare("set", "outward_named", "inet_service", [
      ...new Set(plan.outward.flatMap(({ address, port }) => (address === null ? [String(port)] : []))),
    ]),
    declare("set", "name_servers", "ipv4_addr", plan.nameServers),
    declare("set", "time_servers", "ipv4_addr", plan.timeServers),
    declare(
      "map",
      "stood_for",
      "ipv4_addr : ipv4_addr",
      plan.stations.map(({ standIn, address }) => `${standIn} : ${address}`),
    ),
    // Filled by the kernel: who the appliance itself talks to, which pairs are refused often, who has how much open.
    dynamic("expected", "ipv4_addr . inet_proto . inet_service", "timeout 1h; size 16384;"),
    dynamic("refused_often", "ipv4_addr . ipv4_addr", "timeout 10s; size 4096;"),
    "  set opened {\n    type ipv4_addr; flags dynamic; size 4096;\n  }",
    // Filled by netd for the seconds in which `niac discover` asks a station what it is.
    "  set visited {\n    type ipv4_addr . inet_service; flags timeout; size 1024;\n  }",
  ];
}

function dynamic(name: string, type: string, rest: string): string {
  return `  set ${name} {\n    type ${type}; flags dynamic,timeout; ${rest}\n  }`;
}

function ways(forwards: readonly Forward[]): string[] {
  return [...new Set(forwards.map((one) => concatenated(one.from, one.to, one.transport, range(one))))];
}
