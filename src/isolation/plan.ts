/** What the kernel is to do, as flat lists: the one place where the site document becomes packets' fates. Pure. */
import { isIPv4, isIPv6 } from "node:net";
import type { Destination, Interval, Machine, Snapshot } from "../site/index.ts";

/** The kernel's names of the two ports, and what the appliance itself listens on. */
export interface Ports {
  readonly uplink: string;
  readonly device: string;
  /** The appliance's own IPv4 address and prefix on the uplink; null: the system's own configuration gives it (DHCP). */
  readonly address: { readonly address: string; readonly prefix: number } | null;
  /** The plant's router, IPv4; null: none, or the system's own configuration gives it. */
  readonly gateway: string | null;
  /** TCP ports of the gateway's own listeners, on the appliance's own address. */
  readonly services: readonly number[];
  /** Where updates of the box's image are streamed from, on the plant's side; null or left out: nowhere. */
  readonly updates?: { readonly address: string; readonly port: number } | null;
}

export interface Station {
  readonly name: string;
  readonly address: string;
  readonly mac: string;
  readonly standIn: string;
  readonly ping: boolean;
}

/** One machine's way to one destination's ports, through the kernel. */
export interface Forward {
  readonly machine: string;
  readonly destination: string;
  readonly from: string;
  readonly to: string;
  readonly transport: "tcp" | "udp";
  readonly start: number;
  readonly end: number;
  /** The destination sees the appliance's address. */
  readonly masked: boolean;
}

export interface Plan {
  /** The site document's version; null: none is known, and nothing at all passes. */
  readonly version: number | null;
  readonly mode: "inline" | "routed" | "closed";
  readonly ports: Ports;
  readonly refusal: "reset" | "silent";
  readonly device: { readonly address: string; readonly prefix: number; readonly dhcp: boolean } | null;
  readonly stations: readonly Station[];
  /** address:port at which the gateway answers with mutual TLS. */
  readonly secured: readonly { readonly address: string; readonly port: number }[];
  /** TCP services at machines' own addresses, which the gateway connects to. */
  readonly answered: readonly { readonly address: string; readonly port: number }[];
  readonly unauthenticated: readonly {
    readonly mac: string;
    readonly source: string;
    readonly address: string;
    readonly port: number;
  }[];
  readonly forwards: readonly Forward[];
  /** Machines' connections that the gateway takes: inspect and wrap. */
  readonly taken: readonly { readonly from: string; readonly to: string; readonly port: number }[];
  /** Where the appliance itself connects to on the plant's side: destinations, services it does not stand before, the update server. `address` null: given by name. */
  readonly outward: readonly { readonly address: string | null; readonly port: number }[];
  readonly nameServers: readonly string[];
  readonly timeServers: readonly string[];
}

export function planOf(snapshot: Snapshot | null, ports: Ports): Plan {
  const network = snapshot?.network ?? null;
  const stations = network === null ? [] : (snapshot?.machines ?? []).flatMap(stationOf);
  const byName = new Map(stations.map((station) => [station.name, station]));
  const machines = (snapshot?.machines ?? []).filter(({ name }) => byName.has(name));
  const destinations = network === null ? [] : (snapshot?.destinations ?? []);
  const addresses = new Set(stations.map(({ address }) => address));
  const places = (snapshot?.machines ?? []).flatMap(({ services }) =>
    services.flatMap(({ tcp }) => tcp ?? []),
  );
  const elsewhere = places.filter(({ host }) => !addresses.has(host));
  return {
    version: snapshot?.version ?? null,
    mode: network?.mode ?? "closed",
    ports,
    refusal: network?.refusal ?? "reset",
    device: network?.device ?? null,
    stations,
    secured: machines.flatMap((machine) => own(machine, (service) => service.tlsPort)),
    answered: distinct(
      places.flatMap(({ host: address, port }) => (addresses.has(address) ? [{ address, port }] : [])),
    ),
    unauthenticated: network === null ? [] : unauthenticated(snapshot, byName),
    forwards: destinations.flatMap((destination) => forwardsOf(destination, byName)),
    taken: destinations.flatMap((destination) => takenOf(destination, byName)),
    outward: distinct([
      ...destinations.flatMap(outwardOf),
      ...elsewhere.flatMap(reachedFrom),
      ...(ports.updates ? [{ address: ports.updates.address, port: ports.updates.port }] : []),
    ]),
    nameServers: network?.nameServers ?? [],
    timeServers: network?.timeServers ?? [],
  };
}

function stationOf({ name, address, mac, standIn, ping }: Machine): Station[] {
  return address === null || mac === null || standIn === null ? [] : [{ name, address, mac, standIn, ping }];
}

function own(
  machine: Machine,
  port: (service: Machine["services"][number]) => number | null,
): { address: string; port: number }[] {
  const { address } = machine;
  if (address === null) return [];
  return distinct(
    machine.services.flatMap((service) => {
      const found = port(service);
      return found === null ? [] : [{ address, port: found }];
    }),
  );
}

function unauthenticated(
  snapshot: Snapshot | null,
  stations: ReadonlyMap<string, Station>,
): Plan["unauthenticated"] {
  const services = new Map<string, { machine: Machine; service: Machine["services"][number] }>(
    (snapshot?.machines ?? []).flatMap((machine) =>
      machine.services.map((service) => [`${machine.name}/${service.name}`, { machine, service }] as const),
    ),
  );
  return distinct(
    (snapshot?.unauthenticated ?? []).flatMap(({ mac, address: source, services: named }) =>
      named.flatMap((label) => {
        const found = services.get(label);
        const station = found && stations.get(found.machine.name);
        const tcp = found?.service.tcp;
        if (!station || !tcp || tcp.host !== station.address) return [];
        return [{ mac, source, address: station.address, port: tcp.port }];
      }),
    ),
  );
}

function forwardsOf(destination: Destination, stations: ReadonlyMap<string, Station>): Forward[] {
  const { name, how, address: to, transport, ports, source } = destination;
  if (how !== "forward") return [];
  return destination.machines.flatMap((machine) => {
    const station = stations.get(machine);
    if (!station) return [];
    const common = { machine, destination: name, from: station.address, to, transport };
    const open = transport === "udp" ? ports.flatMap(besideQueries) : ports;
    return open.map(({ start, end }) => ({ ...common, start, end, masked: source === "appliance" }));
  });
}

/** DNS and NTP over UDP end at the appliance, whatever a destination says of them. */
export const QUERIES: readonly number[] = [53, 123];

function besideQueries(ports: Interval): Interval[] {
  let left = [ports];
  for (const query of QUERIES) {
    left = left.flatMap(({ start, end }) =>
      query < start || end < query
        ? [{ start, end }]
        : [
            { start, end: query - 1 },
            { start: query + 1, end },
          ].filter((one) => one.start <= one.end),
    );
  }
  return left;
}

function takenOf(destination: Destination, stations: ReadonlyMap<string, Station>): Plan["taken"] {
  const port = destination.ports[0]?.start;
  if (destination.how === "forward" || port === undefined) return [];
  return destination.machines.flatMap((machine) => {
    const station = stations.get(machine);
    return station ? [{ from: station.address, to: destination.address, port }] : [];
  });
}

function outwardOf({ how, host, address, service }: Destination): Plan["outward"][number][] {
  if (how === "forward" || !service?.tcp) return [];
  return [{ address: host === address ? address : null, port: service.tcp.port }];
}

/** The device port carries no IPv6, and neither does the uplink. */
function reachedFrom({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): Plan["outward"][number][] {
  return isIPv6(host) ? [] : [{ address: isIPv4(host) ? host : null, port }];
}

/** Sets of the kernel refuse the same element twice in one interval set, and a reader of the ruleset wants each once. */
function distinct<T extends object>(list: readonly T[]): T[] {
  return [...new Map(list.map((one) => [JSON.stringify(one), one])).values()];
}
