/** What stands at an address, as gateway and netd ask for each connection. */
import type { Destination, Interval, Machine, Service, Snapshot } from "./snapshot.ts";

export interface ServiceAt {
  readonly machine: Machine;
  readonly service: Service;
}

interface Span extends Interval {
  readonly destination: Destination;
}

interface Index {
  readonly machines: ReadonlyMap<string, Machine>;
  /** By address and port. */
  readonly captured: ReadonlyMap<string, ServiceAt>;
  readonly plain: ReadonlyMap<string, ServiceAt>;
  /** By machine, then by transport and address; filled as machines are asked for. */
  readonly destinations: Map<string, ReadonlyMap<string, readonly Span[]>>;
}

const indexes = new WeakMap<Snapshot, Index>();

function indexOf(snapshot: Snapshot): Index {
  const known = indexes.get(snapshot);
  if (known !== undefined) return known;
  const machines = new Map<string, Machine>();
  const captured = new Map<string, ServiceAt>();
  const plain = new Map<string, ServiceAt>();
  for (const machine of snapshot.machines) {
    const { address, services } = machine;
    if (address === null) continue;
    machines.set(address, machine);
    for (const service of services) {
      const { tcp, tlsPort } = service;
      if (tlsPort !== null) captured.set(`${address} ${tlsPort}`, { machine, service });
      if (tcp?.host !== address) continue;
      const key = `${address} ${tcp.port}`;
      if (!plain.has(key)) plain.set(key, { machine, service });
    }
  }
  const index: Index = { machines, captured, plain, destinations: new Map() };
  indexes.set(snapshot, index);
  return index;
}

/** The machine with this IPv4 address of its own. */
export function machineAt(snapshot: Snapshot, address: string): Machine | null {
  return indexOf(snapshot).machines.get(address) ?? null;
}

/** The service for which the appliance answers with mutual TLS at this port of a machine's own address. */
export function capturedService(snapshot: Snapshot, address: string, port: number): ServiceAt | null {
  return indexOf(snapshot).captured.get(`${address} ${port}`) ?? null;
}

/**
 * The service that listens at this port of the machine's own address: what a client without a certificate asks for. Of two
 * that differ by their units alone the first by name; none such is ever opened to a client without a certificate.
 */
export function plainService(snapshot: Snapshot, address: string, port: number): ServiceAt | null {
  return indexOf(snapshot).plain.get(`${address} ${port}`) ?? null;
}

/** Sorted and apart: of ports that two destinations share, the one whose range begins lower takes them. */
function apart(spans: readonly Span[]): readonly Span[] {
  const result: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    const start = Math.max(span.start, (result.at(-1)?.end ?? 0) + 1);
    if (start <= span.end) result.push({ ...span, start });
  }
  return result;
}

function destinationsOf(snapshot: Snapshot, machine: string): ReadonlyMap<string, readonly Span[]> {
  const groups = new Map<string, Span[]>();
  for (const destination of snapshot.destinations) {
    if (!destination.machines.includes(machine)) continue;
    const key = `${destination.transport} ${destination.address}`;
    const spans = destination.ports.map(({ start, end }) => ({ start, end, destination }));
    const known = groups.get(key);
    if (known === undefined) groups.set(key, spans);
    else known.push(...spans);
  }
  return new Map([...groups].map(([key, spans]) => [key, apart(spans)]));
}

/** Where a machine's packet to this address and port goes, by the machine's name; null: nowhere, it is refused. */
export function destinationAt(
  snapshot: Snapshot,
  machine: string,
  address: string,
  port: number,
  transport: "tcp" | "udp",
): Destination | null {
  const { destinations } = indexOf(snapshot);
  let own = destinations.get(machine);
  if (own === undefined) {
    own = destinationsOf(snapshot, machine);
    destinations.set(machine, own);
  }
  const spans = own.get(`${transport} ${address}`) ?? [];
  let low = 0;
  let high = spans.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const { start, end, destination } = spans[middle]!;
    if (port < start) high = middle - 1;
    else if (port > end) low = middle + 1;
    else return destination;
  }
  return null;
}
