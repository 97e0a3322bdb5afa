/**
 * What a refused packet's sender is told, so that it fails at once and not after a minute of silence: TCP a reset, all else
 * ICMP "communication administratively prohibited". Pure: bytes in, the IPv4 packet to send out, or null for silence.
 */
import { BugError } from "../../base/index.ts";
import { ipv4Bytes, isSingleHost } from "./address.ts";
import { foldSum, partialSum } from "./checksum.ts";
import { IPV4_HEADER, PROTOCOL, TCP_FLAG, type Ipv4Packet } from "./ipv4.ts";

const TTL = 64;
const DONT_FRAGMENT = 0x4000;
const TCP_HEADER = 20;
const ICMP_HEADER = 8;
/** RFC 1812, 5.2.7.1. */
const UNREACHABLE = 3;
const PROHIBITED = 13;
/** RFC 792: the header and the first 64 bits behind it. */
const QUOTED = 8;
/** Precedence 6, internetwork control (RFC 1812, 4.3.2.5). */
const CONTROL = 0xc0;
/**
 * Echo, timestamp, information, address mask, extended echo: ICMP messages that ask. To an error there must be no error (RFC 1122,
 * 3.2.2), and to a reply nobody asked for there is nothing to say either.
 */
const REQUESTS: ReadonlySet<number> = new Set([8, 13, 15, 17, 42]);

/**
 * `packet`: what parseIpv4 read from `bytes`. `from`: the appliance's own IPv4 address on that side, the sender of ICMP
 * errors (RFC 1812, 4.3.2.4); a reset comes from the address that was asked.
 */
export function answerTo(packet: Ipv4Packet, bytes: Uint8Array, from: string): Buffer | null {
  const { source, destination, protocol } = packet;
  if (!isSingleHost(source) || !isSingleHost(destination) || source === destination) return null;
  if (packet.fragmentOffset > 0) return null;
  if (protocol === PROTOCOL.tcp) return answerTcp(packet, bytes, from);
  if (protocol === PROTOCOL.icmp && !REQUESTS.has(packet.icmpType)) return null;
  return prohibited(packet, bytes, from);
}

/** RFC 9293, 3.10.7.1: a segment for a connection that does not exist. */
function answerTcp(packet: Ipv4Packet, bytes: Uint8Array, from: string): Buffer | null {
  const { tcpFlags } = packet;
  if (tcpFlags < 0 || (tcpFlags & TCP_FLAG.rst) !== 0) return null;
  if ((tcpFlags & TCP_FLAG.ack) !== 0) return reset(packet, packet.tcpAcknowledgement, 0, TCP_FLAG.rst);
  // How long the segment is, which its acknowledgement needs, only the last fragment would tell.
  if (packet.moreFragments) return prohibited(packet, bytes, from);
  const counted = (tcpFlags & TCP_FLAG.syn ? 1 : 0) + (tcpFlags & TCP_FLAG.fin ? 1 : 0);
  const end = packet.tcpSequence + packet.length - packet.payloadAt + counted;
  return reset(packet, 0, end, TCP_FLAG.rst | TCP_FLAG.ack);
}

function reset(packet: Ipv4Packet, sequence: number, acknowledgement: number, flags: number): Buffer {
  const out = ipv4(packet.destination, packet.source, PROTOCOL.tcp, 0, TCP_HEADER);
  const at = IPV4_HEADER;
  out.writeUInt16BE(packet.destinationPort, at);
  out.writeUInt16BE(packet.sourcePort, at + 2);
  out.writeUInt32BE(sequence, at + 4);
  out.writeUInt32BE(acknowledgement % 2 ** 32, at + 8);
  out[at + 12] = (TCP_HEADER / 4) << 4;
  out[at + 13] = flags;
  // The pseudo header: both addresses, protocol and length (RFC 9293, 3.1).
  const pseudo = partialSum(out, 12, IPV4_HEADER) + PROTOCOL.tcp + TCP_HEADER;
  out.writeUInt16BE(foldSum(pseudo + partialSum(out, at, out.length)), at + 16);
  return out;
}

function prohibited(packet: Ipv4Packet, bytes: Uint8Array, from: string): Buffer {
  const quoted = Math.min(packet.headerLength + QUOTED, packet.length);
  if (quoted > bytes.length)
    throw new BugError("answer-bytes", "a packet is answered with bytes not its own");
  const out = ipv4(from, packet.source, PROTOCOL.icmp, CONTROL, ICMP_HEADER + quoted);
  const at = IPV4_HEADER;
  out[at] = UNREACHABLE;
  out[at + 1] = PROHIBITED;
  out.set(bytes.subarray(0, quoted), at + ICMP_HEADER);
  out.writeUInt16BE(foldSum(partialSum(out, at, out.length)), at + 2);
  return out;
}

/** A header with its checksum, and room for `payload` bytes. Never fragmented, so its identification says nothing (RFC 6864, 4.1). */
function ipv4(
  source: string,
  destination: string,
  protocol: number,
  service: number,
  payload: number,
): Buffer {
  const out = Buffer.alloc(IPV4_HEADER + payload);
  out[0] = 0x45;
  out[1] = service;
  out.writeUInt16BE(out.length, 2);
  out.writeUInt16BE(DONT_FRAGMENT, 6);
  out[8] = TTL;
  out[9] = protocol;
  out.set(ipv4Bytes(source), 12);
  out.set(ipv4Bytes(destination), 16);
  out.writeUInt16BE(foldSum(partialSum(out, 0, IPV4_HEADER)), 10);
  return out;
}
