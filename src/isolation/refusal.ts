/** One refused packet or frame, as far as the record tells it. */
import type { Machine, Snapshot } from "../site/index.ts";
import { isSingleHost } from "./packet/address.ts";
import { queriedName } from "./packet/dns.ts";
import { hasOddFlags, PROTOCOL, type Ipv4Packet } from "./packet/ipv4.ts";

/** The appliance's port at which it came in. */
export type Port = "uplink" | "device";

/**
 * destination: a machine asked for what no destination allows; unknown-port: somebody asked for what a machine does not offer;
 * spoofed: the source address cannot be there; link-layer: a machine sent what does not cross at layer 2; unknown-station: a
 * station on the device port that the site document does not name.
 */
export type RefusalStage = "destination" | "unknown-port" | "spoofed" | "link-layer" | "unknown-station";

export interface Refusal {
  readonly stage: RefusalStage;
  readonly on: Port;
  /** IPv4 address; of link-layer and unknown-station the MAC. */
  readonly source: string;
  /** The machine that asked (destination, link-layer), was asked (unknown-port) or whose address it bears (spoofed); null: none. */
  readonly machine: string | null;
  /** IPv4 address or, without one, MAC. */
  readonly target: string;
  readonly transport: "tcp" | "udp" | null;
  /** -1 where there is none. */
  readonly sourcePort: number;
  readonly targetPort: number;
  /** What it is where no port says so: `ping`, `GRE`, `fragment of tcp`, `LLDP`. */
  readonly what: string;
  readonly bytes: number;
  /** TCP flags that no connection has, or a route of its own through the network. */
  readonly odd: boolean;
  /** The DNS name asked for, printable. */
  readonly name: string | null;
}

/** The snapshot, searched by address and by name for every refused packet. */
export interface Surroundings {
  readonly snapshot: Snapshot | null;
  readonly byAddress: ReadonlyMap<string, Machine>;
  readonly byName: ReadonlyMap<string, Machine>;
  /** The appliance's own addresses. */
  readonly own: ReadonlySet<string>;
}

/** `snapshot` null: none is in force yet, and nobody is known. */
export function surroundings(snapshot: Snapshot | null, own: readonly string[]): Surroundings {
  const machines = snapshot?.machines ?? [];
  return {
    snapshot,
    byAddress: new Map(
      machines.flatMap((machine) => (machine.address === null ? [] : [[machine.address, machine]])),
    ),
    byName: new Map(machines.map((machine) => [machine.name, machine])),
    own: new Set(own),
  };
}

/** `bytes`: what `packet` was read from; `on`: the port it came in at, which its addresses alone do not prove. */
export function packetRefusal(
  packet: Ipv4Packet,
  bytes: Uint8Array,
  on: Port,
  around: Surroundings,
): Refusal {
  const from = around.byAddress.get(packet.source);
  const to = around.byAddress.get(packet.destination);
  const forged = !isSingleHost(packet.source) || (on === "uplink" ? from !== undefined : from === undefined);
  const asked = on === "uplink" ? to : from;
  const { tcp, udp } = PROTOCOL;
  const hasPort = packet.destinationPort >= 0;
  return {
    stage: forged ? "spoofed" : on === "uplink" ? "unknown-port" : "destination",
    on,
    source: packet.source,
    machine: (forged ? from : asked)?.name ?? null,
    target: packet.destination,
    transport: hasPort && packet.protocol === tcp ? "tcp" : hasPort && packet.protocol === udp ? "udp" : null,
    sourcePort: packet.sourcePort,
    targetPort: packet.destinationPort,
    what: protocolWords(packet),
    bytes: packet.length,
    odd: hasOddFlags(packet) || packet.sourceRouted,
    name: queriedName(packet, bytes),
  };
}

/** IANA, assigned Internet protocol numbers. */
const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [1, "icmp"],
  [2, "IGMP"],
  [4, "IPv4 in IPv4"],
  [6, "tcp"],
  [17, "udp"],
  [41, "IPv6 in IPv4"],
  [46, "RSVP"],
  [47, "GRE"],
  [50, "ESP"],
  [51, "AH"],
  [58, "IPv6 ICMP"],
  [88, "EIGRP"],
  [89, "OSPF"],
  [103, "PIM"],
  [112, "VRRP"],
  [115, "L2TP"],
  [132, "sctp"],
  [136, "UDP-Lite"],
]);

/** IANA, ICMP type numbers. */
const ICMP: ReadonlyMap<number, string> = new Map([
  [0, "ping reply"],
  [3, "icmp unreachable"],
  [4, "icmp source quench"],
  [5, "icmp redirect"],
  [8, "ping"],
  [9, "icmp router advertisement"],
  [10, "icmp router solicitation"],
  [11, "icmp time exceeded"],
  [12, "icmp parameter problem"],
  [13, "icmp timestamp request"],
  [17, "icmp mask request"],
]);

function protocolWords({ protocol, icmpType, fragmentOffset, destinationPort }: Ipv4Packet): string {
  const name = PROTOCOLS.get(protocol) ?? `protocol ${protocol}`;
  if (fragmentOffset > 0) return `fragment of ${name}`;
  if (icmpType >= 0) return ICMP.get(icmpType) ?? `icmp type ${icmpType}`;
  const cutOff = destinationPort < 0 && (protocol === PROTOCOL.tcp || protocol === PROTOCOL.udp);
  return cutOff ? `cut-off ${name}` : name;
}
