/** The sets and maps of the ruleset: all that a site document changes in it. Pure. */
import { concatenated, declare, range } from "./elements.ts";
import type { Forward, Plan } from "./plan.ts";

export function setsOf(plan: Plan): string[] {
  const way = "ipv4_addr . ipv4_addr . inet_proto . inet_service";
  const forwarded = merged(plan.forwards, wayOf);
  const masked = plan.forwards.filter((one) => one.masked);
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
      "macs",
      "ether_addr",
      plan.stations.map(({ mac }) => mac),
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
    declare("set", "forwarded", way, elements(forwarded.filter(({ start, end }) => start === end))),
    declare(
      "set",
      "forwarded_ranges",
      way,
      elements(forwarded.filter(({ start, end }) => start !== end)),
      "interval",
    ),
    declare("set", "masked", way, elements(merged(masked, wayOf)), "interval"),
    declare(
      "set",
      "masked_peers",
      "ipv4_addr . inet_proto . inet_service",
      elements(merged(masked, ({ to, transport }) => concatenated(to, transport))),
      "interval",
    ),
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
    // Filled by the kernel: which pairs are refused often, who asks how much, who has how much open. The latter two hold machines
    // alone, and have room for all there can be.
    dynamic("refused_often", "ipv4_addr . ipv4_addr", "timeout 10s; size 4096;"),
    dynamic("asked", "ipv4_addr", "timeout 10s; size 65536;"),
    "  set opened {\n    type ipv4_addr; flags dynamic; size 65536;\n  }",
    // Filled by netd for the seconds in which `niac discover` asks a station what it is.
    "  set visited {\n    type ipv4_addr . inet_service; flags timeout; size 1024;\n  }",
  ];
}

function dynamic(name: string, type: string, rest: string): string {
  return `  set ${name} {\n    type ${type}; flags dynamic,timeout; ${rest}\n  }`;
}

function wayOf({ from, to, transport }: Forward): string {
  return concatenated(from, to, transport);
}

interface Ports {
  readonly key: string;
  readonly start: number;
  end: number;
}

/** Ports of ways that are one to the kernel: its interval sets take no two elements that overlap. */
function merged(forwards: readonly Forward[], keyOf: (forward: Forward) => string): Ports[] {
  const groups = new Map<string, Ports[]>();
  for (const forward of forwards.toSorted((a, b) => a.start - b.start)) {
    const { start, end } = forward;
    const key = keyOf(forward);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    const last = group.at(-1);
    if (last === undefined || start > last.end) group.push({ key, start, end });
    else last.end = Math.max(last.end, end);
  }
  return [...groups.values()].flat();
}

function elements(ports: readonly Ports[]): string[] {
  return ports.map((one) => concatenated(one.key, range(one)));
}
