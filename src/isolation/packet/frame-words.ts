/** What people call a frame, by the numbers that IEEE and IANA gave out. Known names only, or the number: no text of the sender's. */
import { dotted, isGroupMac } from "./address.ts";

export const ETHER_TYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;
const PROFINET = 0x8892;

/** IEEE Registration Authority, EtherType public listing; IANA, IEEE 802 numbers. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [0x0806, "ARP"],
  [0x0842, "wake-on-LAN"],
  [0x22ea, "stream reservation"],
  [0x22f0, "audio video transport"],
  [0x8035, "reverse ARP"],
  [0x8137, "IPX"],
  [0x8809, "slow protocols (LACP)"],
  [0x8847, "MPLS"],
  [0x8863, "PPPoE discovery"],
  [0x8864, "PPPoE"],
  [0x888e, "802.1X"],
  [0x88a4, "EtherCAT"],
  [0x88ab, "POWERLINK"],
  [0x88b8, "GOOSE"],
  [0x88b9, "GSE management"],
  [0x88ba, "IEC 61850 sampled values"],
  [0x88cc, "LLDP"],
  [0x88cd, "SERCOS III"],
  [0x88e1, "HomePlug"],
  [0x88e3, "MRP"],
  [0x88e5, "MACsec"],
  [0x88f5, "MVRP"],
  [0x88f6, "MMRP"],
  [0x88f7, "PTP"],
  [0x88fb, "PRP supervision"],
  [0x890f, "CC-Link IE"],
  [0x892f, "HSR"],
  [0x893a, "IEEE 1905"],
  [0x9000, "loopback test"],
]);

/** IEEE 802.2 service access points, as assigned in the LLC address listing. */
const SERVICE_POINTS: ReadonlyMap<number, string> = new Map([
  [0x42, "STP"],
  [0x82, "BACnet"],
  [0xe0, "IPX"],
  [0xf0, "NetBIOS"],
  [0xfe, "IS-IS"],
]);

/** SNAP protocol numbers (IEEE 802, 10.5) of Cisco's 00-00-0C and Extreme's 00-E0-2B, as OUI and number. */
const SNAP: ReadonlyMap<string, string> = new Map([
  ["00000c:010b", "PVST+"],
  ["00000c:0111", "UDLD"],
  ["00000c:2000", "CDP"],
  ["00000c:2003", "VTP"],
  ["00000c:2004", "DTP"],
  ["00e02b:00bb", "EDP"],
]);

/** IANA, ICMPv6 type numbers. */
const ICMPV6: ReadonlyMap<number, string> = new Map([
  [128, "IPv6 echo request"],
  [130, "IPv6 multicast listener query"],
  [131, "IPv6 multicast listener report"],
  [133, "IPv6 router solicitation"],
  [134, "IPv6 router advertisement"],
  [135, "IPv6 neighbour solicitation"],
  [136, "IPv6 neighbour advertisement"],
  [137, "IPv6 redirect"],
  [143, "IPv6 multicast listener report"],
]);

/** `payload`: behind the type or length. `etherType` -1: LLC. */
export function frameWords(etherType: number, destination: string, payload: Uint8Array): string {
  if (etherType === -1) return llcWords(payload);
  if (etherType === ETHER_TYPE.ipv4) return ipv4Words(destination, payload);
  if (etherType === ETHER_TYPE.ipv6) return ipv6Words(payload);
  if (etherType === PROFINET) return profinetWords(payload);
  return TYPES.get(etherType) ?? `EtherType 0x${hex(etherType, 4)}`;
}

function llcWords(payload: Uint8Array): string {
  const [point, , , ...snap] = payload.subarray(0, 8);
  if (point === undefined) return "empty frame";
  if (point === 0xaa && snap.length === 5) {
    const text = snap.map((byte) => hex(byte, 2)).join("");
    const key = `${text.slice(0, 6)}:${text.slice(6)}`;
    return SNAP.get(key) ?? `SNAP ${key}`;
  }
  return SERVICE_POINTS.get(point) ?? `LLC 0x${hex(point, 2)}`;
}

function ipv4Words(destination: string, payload: Uint8Array): string {
  if (payload.length < 20 || payload[0]! >> 4 !== 4) return "IPv4, malformed";
  const target = dotted(payload, 16);
  const first = payload[16]!;
  if (first >= 224 && first < 240) return `IPv4 multicast ${target}`;
  if (!isGroupMac(destination) && target !== "255.255.255.255") return "IPv4";
  return isDhcp(payload) ? "DHCP" : "IPv4 broadcast";
}

/** UDP to port 67 (RFC 2131, 4.1), not a later fragment. */
function isDhcp(payload: Uint8Array): boolean {
  const at = (payload[0]! & 0x0f) * 4;
  const offset = ((payload[6]! & 0x1f) << 8) | payload[7]!;
  return payload[9] === 17 && offset === 0 && payload[at + 2] === 0 && payload[at + 3] === 67;
}

/** RFC 8200, 3 and 4.3: a listener report comes behind a hop-by-hop header. */
function ipv6Words(payload: Uint8Array): string {
  if (payload.length < 40 || payload[0]! >> 4 !== 6) return "IPv6, malformed";
  let next = payload[6]!;
  let at = 40;
  if (next === 0 && payload.length >= at + 2) {
    next = payload[at]!;
    at += (payload[at + 1]! + 1) * 8;
  }
  const type = payload[at];
  if (next === 58 && type !== undefined) return ICMPV6.get(type) ?? "IPv6 ICMP";
  if (next === 17 && at + 4 <= payload.length) {
    const port = (payload[at + 2]! << 8) | payload[at + 3]!;
    if (port === 546 || port === 547) return "IPv6 DHCP";
  }
  return "IPv6";
}

/** IEC 61158-6-10: frame identifiers 0xFEFC to 0xFEFF are the discovery and configuration protocol. */
function profinetWords(payload: Uint8Array): string {
  const [high, low] = payload;
  return high === 0xfe && low !== undefined && low >= 0xfc ? "PROFINET DCP" : "PROFINET";
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
