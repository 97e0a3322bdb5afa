/** What passes through the kernel: which way of the plan a tracked connection is, and how much went over each in an interval. */
import type { RecordDraft } from "../audit/index.ts";
import type { ForwardView } from "../link/index.ts";
import type { Tracked } from "./conntrack.ts";
import { PROTOCOL, type Ipv4Packet } from "./packet/ipv4.ts";
import type { Forward, Plan } from "./plan.ts";

/** Finds a connection's way; built once for a plan. */
export class Ways {
  readonly #ways = new Map<string, Forward[]>();
  readonly #machines: ReadonlySet<string>;

  constructor(plan: Plan) {
    this.#machines = new Set(plan.stations.map(({ address }) => address));
    for (const way of plan.forwards) {
      const key = keyOf(way.from, way.to, way.transport);
      this.#ways.set(key, [...(this.#ways.get(key) ?? []), way]);
    }
  }

  of({ from, to, transport, toPort }: Tracked): Forward | null {
    return this.#find(from, to, transport, toPort);
  }

  #find(from: string, to: string, transport: string, toPort: number): Forward | null {
    const ways = this.#ways.get(keyOf(from, to, transport));
    return ways?.find(({ start, end }) => start <= toPort && toPort <= end) ?? null;
  }

  /** Whether a packet is of one of the ways, there or back. Which port it came by it does not tell. */
  permits({ protocol, source, sourcePort, destination, destinationPort }: Ipv4Packet): boolean {
    if (protocol !== PROTOCOL.tcp && protocol !== PROTOCOL.udp) return false;
    const transport = protocol === PROTOCOL.tcp ? "tcp" : "udp";
    return (
      this.#find(source, destination, transport, destinationPort) !== null ||
      this.#find(destination, source, transport, sourcePort) !== null
    );
  }

  /** A machine of the plan began it. */
  isMachines({ from }: Tracked): boolean {
    return this.#machines.has(from);
  }
}

function keyOf(from: string, to: string, transport: string): string {
  return `${from} ${to} ${transport}`;
}

export function forwardViews(ways: Ways, connections: readonly Tracked[]): ForwardView[] {
  return connections.flatMap((one) => {
    const way = ways.of(one);
    if (way === null) return [];
    const { transport, state, packetsOut, packetsIn, bytesOut, bytesIn } = one;
    const ends = { source: `${one.from}:${one.fromPort}`, target: `${one.to}:${one.toPort}` };
    const names = { machine: way.machine, destination: way.destination };
    return [{ ...names, ...ends, transport, state, packetsOut, packetsIn, bytesOut, bytesIn }];
  });
}

interface Sum {
  readonly way: Forward;
  connections: number;
  bytesOut: number;
  bytesIn: number;
  packetsOut: number;
  packetsIn: number;
}

type Amounts = Pick<Tracked, "bytesOut" | "bytesIn" | "packetsOut" | "packetsIn">;
const NOTHING: Amounts = { bytesOut: 0, bytesIn: 0, packetsOut: 0, packetsIn: 0 };

/** Sums up what went over each way: told of all connections that live now and then, and of each once when it ends. */
export class ForwardBook {
  readonly #seen = new Map<string, Amounts>();
  /** Since the last list of what lives: one that was made before an end may be told of after it. */
  readonly #ended = new Set<string>();
  readonly #sums = new Map<string, Sum>();

  /** `connections`: all there are. */
  live(ways: Ways, connections: readonly Tracked[]): void {
    for (const one of connections) if (!this.#ended.has(nameOf(one))) this.#add(ways, one);
    this.#ended.clear();
    const keys = new Set(connections.map(nameOf));
    for (const key of this.#seen.keys()) if (!keys.has(key)) this.#seen.delete(key);
  }

  ended(ways: Ways, connection: Tracked): void {
    if (ways.of(connection) === null) return;
    this.#add(ways, connection);
    this.#seen.delete(nameOf(connection));
    this.#ended.add(nameOf(connection));
  }

  /** A record for each way something went over since the last time. */
  report(freshId: () => string, now: number, duration: number, siteVersion: number): RecordDraft[] {
    const drafts = [...this.#sums.values()].map((sum): RecordDraft => {
      const { way, connections, bytesOut, bytesIn, packetsOut, packetsIn } = sum;
      return {
        time: now,
        kind: "flow",
        id: freshId(),
        machine: way.machine,
        rule: way.destination,
        decision: "permit",
        reason: `${way.machine} to ${way.destination}: ${bytesOut} bytes out, ${bytesIn} bytes in, ${connections === 1 ? "1 connection" : `${connections} connections`} opened`,
        counts: { connections, bytesOut, bytesIn, packetsOut, packetsIn },
        duration,
        siteVersion,
        detail: { destination: way.to, transport: way.transport },
      };
    });
    this.#sums.clear();
    return drafts;
  }

  #add(ways: Ways, one: Tracked): void {
    const way = ways.of(one);
    if (way === null) return;
    const key = nameOf(one);
    const seen = this.#seen.get(key);
    // A connection that bears the ports of one that ended unseen begins anew.
    const before = seen && seen.bytesOut <= one.bytesOut && seen.bytesIn <= one.bytesIn ? seen : NOTHING;
    this.#seen.set(key, one);
    if (seen === before && one.packetsOut + one.packetsIn === seen.packetsOut + seen.packetsIn) return;
    const name = `${way.machine} ${way.destination}`;
    const sum = this.#sums.get(name) ?? { way, connections: 0, ...NOTHING };
    if (seen !== before) sum.connections++;
    sum.bytesOut += one.bytesOut - before.bytesOut;
    sum.bytesIn += one.bytesIn - before.bytesIn;
    sum.packetsOut += one.packetsOut - before.packetsOut;
    sum.packetsIn += one.packetsIn - before.packetsIn;
    this.#sums.set(name, sum);
  }
}

function nameOf({ transport, from, fromPort, to, toPort }: Tracked): string {
  return `${transport} ${from}:${fromPort} ${to}:${toPort}`;
}
