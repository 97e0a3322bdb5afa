/**
 * One IPv4 packet as the sinkhole hands it over: sent by a stranger, of any length and content.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     |Version|  IHL  |Type of service|         total length          |
 *     |        identification         |0 D M|    fragment offset      |
 *     | time to live  |   protocol    |        header checksum        |
 *     |                        source address                         |
 *     |                      destination address                      |
 *     |                 options, to a multiple of 4 bytes             |      RFC 791, 3.1
 *
 * Checksums are not verified: what is refused is refused whatever they say.
 */
import { dotted } from "./address.ts";

export const PROTOCOL = { icmp: 1, igmp: 2, tcp: 6, udp: 17 } as const;
/** RFC 9293, 3.1. */
export const TCP_FLAG = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10, urg: 0x20 } as const;

export const IPV4_HEADER = 20;
const TCP_HEADER = 20;
const UDP_HEADER = 8;
const ICMP_HEADER = 8;

/** RFC 791, 3.1: loose and strict source route. */
const SOURCE_ROUTES: ReadonlySet<number> = new Set([131, 137]);

export interface Ipv4Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  /** Bytes of the whole packet as its header says; the buffer may hold more behind it. */
  readonly length: number;
  readonly headerLength: number;
  readonly ttl: number;
  /** Bytes; 0: the first fragment, or no fragment at all. */
  readonly fragmentOffset: number;
  readonly moreFragments: boolean;
  /** An option asks for a way of its own through the network. */
  readonly sourceRouted: boolean;
  /** Of TCP and UDP; -1 where there is none: another protocol, a later fragment, or cut off. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** The eight bits from CWR down to FIN; -1 where there is no whole TCP header. */
  readonly tcpFlags: number;
  /** Sequence and acknowledgement numbers, unsigned; 0 where tcpFlags is -1. */
  readonly tcpSequence: number;
  readonly tcpAcknowledgement: number;
  /** -1 where there is none. */
  readonly icmpType: number;
  readonly icmpCode: number;
  /** Where what TCP, UDP or ICMP carries begins; for all else, the end of the IPv4 header. */
  readonly payloadAt: number;
}

export interface NoPacket {
  /** Why these bytes are no IPv4 packet. */
  readonly problem: string;
}

/** Never throws. */
export function parseIpv4(bytes: Uint8Array): Ipv4Packet | NoPacket {
  if (bytes.length < IPV4_HEADER) return { problem: `${bytes.length} bytes, fewer than an IPv4 header's 20` };
  const version = bytes[0]! >> 4;
  if (version !== 4) return { problem: `IP version ${version}, not 4` };
  const headerLength = (bytes[0]! & 0x0f) * 4;
  const length = u16(bytes, 2);
  if (headerLength < IPV4_HEADER)
    return { problem: `an IPv4 header of ${headerLength} bytes, fewer than 20` };
  if (length < headerLength) {
    return { problem: `a total length of ${length} bytes, fewer than its header's ${headerLength}` };
  }
  if (length > bytes.length)
    return { problem: `a total length of ${length} bytes, of which ${bytes.length} came` };
  const fragment = u16(bytes, 6);
  const fragmentOffset = (fragment & 0x1fff) * 8;
  const protocol = bytes[9]!;
  return {
    source: dotted(bytes, 12),
    destination: dotted(bytes, 16),
    protocol,
    length,
    headerLength,
    ttl: bytes[8]!,
    fragmentOffset,
    moreFragments: (fragment & 0x2000) !== 0,
    sourceRouted: isSourceRouted(bytes, headerLength),
    // Of a later fragment, these bytes are the middle of something.
    ...(fragmentOffset > 0
      ? { ...NOTHING, payloadAt: headerLength }
      : parseTransport(bytes, headerLength, length, protocol)),
  };
}

type Transport = Pick<
  Ipv4Packet,
  | "sourcePort"
  | "destinationPort"
  | "tcpFlags"
  | "tcpSequence"
  | "tcpAcknowledgement"
  | "icmpType"
  | "icmpCode"
  | "payloadAt"
>;

const NOTHING = {
  sourcePort: -1,
  destinationPort: -1,
  tcpFlags: -1,
  tcpSequence: 0,
  tcpAcknowledgement: 0,
  icmpType: -1,
  icmpCode: -1,
} as const;

function parseTransport(bytes: Uint8Array, at: number, end: number, protocol: number): Transport {
  const none = { ...NOTHING, payloadAt: at };
  if (protocol === PROTOCOL.icmp) {
    if (end - at < ICMP_HEADER) return none;
    return { ...none, icmpType: bytes[at]!, icmpCode: bytes[at + 1]!, payloadAt: at + ICMP_HEADER };
  }
  if ((protocol !== PROTOCOL.tcp && protocol !== PROTOCOL.udp) || end - at < 4) return none;
  const ports = { ...none, sourcePort: u16(bytes, at), destinationPort: u16(bytes, at + 2) };
  if (protocol === PROTOCOL.udp) {
    return end - at < UDP_HEADER ? ports : { ...ports, payloadAt: at + UDP_HEADER };
  }
  if (end - at < TCP_HEADER) return ports;
  const payloadAt = at + (bytes[at + 12]! >> 4) * 4;
  if (payloadAt < at + TCP_HEADER || payloadAt > end) return ports;
  return {
    ...ports,
    tcpFlags: bytes[at + 13]!,
    tcpSequence: u32(bytes, at + 4),
    tcpAcknowledgement: u32(bytes, at + 8),
    payloadAt,
  };
}

function isSourceRouted(bytes: Uint8Array, end: number): boolean {
  let at = IPV4_HEADER;
  while (at < end) {
    const type = bytes[at]!;
    if (type === 0) return false;
    if (SOURCE_ROUTES.has(type)) return true;
    const length = type === 1 ? 1 : at + 1 < end ? bytes[at + 1]! : 0;
    if (length < 1 || (type !== 1 && length < 2)) return false;
    at += length;
  }
  return false;
}

const SENSIBLE = new Set<number>([
  TCP_FLAG.syn,
  TCP_FLAG.syn | TCP_FLAG.urg,
  TCP_FLAG.syn | TCP_FLAG.ack,
  TCP_FLAG.rst,
  TCP_FLAG.rst | TCP_FLAG.ack,
  TCP_FLAG.fin | TCP_FLAG.ack,
  TCP_FLAG.fin | TCP_FLAG.ack | TCP_FLAG.urg,
  TCP_FLAG.ack,
  TCP_FLAG.ack | TCP_FLAG.urg,
]);

/**
 * Flags that no TCP sends and that scanners do: none at all, FIN without ACK, SYN with FIN. PSH, ECE and CWR may go with any
 * of the sensible ones (RFC 9293, 3.10.7; RFC 3168, 6.1).
 */
export function hasOddFlags({ protocol, tcpFlags }: Ipv4Packet): boolean {
  const { fin, syn, rst, ack, urg } = TCP_FLAG;
  return (
    protocol === PROTOCOL.tcp && tcpFlags >= 0 && !SENSIBLE.has(tcpFlags & (fin | syn | rst | ack | urg))
  );
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) * 0x1_0000 + u16(bytes, at + 2);
}
