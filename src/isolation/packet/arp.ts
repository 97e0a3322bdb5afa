/**
 * ARP for IPv4 over Ethernet (RFC 826), and the messages by which a host keeps its address (RFC 5227).
 *
 *     hardware 1 (2) | protocol 0x0800 (2) | 6 | 4 | operation (2)
 *     sender MAC (6) | sender IPv4 (4) | target MAC (6) | target IPv4 (4)
 */
import { BROADCAST_MAC, dotted, ipv4Bytes, macBytes, macText, NO_ADDRESS, NO_MAC } from "./address.ts";
import { ETHERNET_HEADER, type Frame } from "./ethernet.ts";
import { ETHER_TYPE } from "./frame-words.ts";

const ARP_BYTES = 28;
/** IEEE 802.3, 4A.4.2, without the check sequence; drivers need not pad. */
const SHORTEST_FRAME = 60;
const REQUEST = 1;
const REPLY = 2;

export interface Arp {
  readonly operation: "request" | "reply";
  readonly senderMac: string;
  readonly senderAddress: string;
  readonly targetMac: string;
  readonly targetAddress: string;
}

/** Null where the frame is no ARP, or none of IPv4 over Ethernet, or neither asks nor answers. Never throws. */
export function parseArp(frame: Frame, bytes: Uint8Array): Arp | null {
  const at = frame.payloadAt;
  if (frame.etherType !== ETHER_TYPE.arp || bytes.length < at + ARP_BYTES) return null;
  if (PREFIX.some((byte, i) => bytes[at + i] !== byte) || bytes[at + 6] !== 0) return null;
  const code = bytes[at + 7];
  if (code !== REQUEST && code !== REPLY) return null;
  return {
    operation: code === REQUEST ? "request" : "reply",
    senderMac: macText(bytes, at + 8),
    senderAddress: dotted(bytes, at + 14),
    targetMac: macText(bytes, at + 18),
    targetAddress: dotted(bytes, at + 24),
  };
}

/** Ethernet, IPv4, and the lengths of their addresses. */
const PREFIX = [0, 1, 8, 0, 6, 4];

/** RFC 5227, 1.1: somebody asks, without using the address himself, whether it is taken. */
export function isProbe(arp: Arp): boolean {
  return arp.operation === "request" && arp.senderAddress === NO_ADDRESS;
}

/** A frame of 60 bytes to `to`, from the sender's MAC. */
export function buildArp(arp: Arp, to: string): Buffer {
  const out = Buffer.alloc(SHORTEST_FRAME);
  out.set(macBytes(to), 0);
  out.set(macBytes(arp.senderMac), 6);
  out.writeUInt16BE(ETHER_TYPE.arp, 12);
  const at = ETHERNET_HEADER;
  out.set(PREFIX, at);
  out[at + 7] = arp.operation === "request" ? REQUEST : REPLY;
  out.set(macBytes(arp.senderMac), at + 8);
  out.set(ipv4Bytes(arp.senderAddress), at + 14);
  out.set(macBytes(arp.targetMac), at + 18);
  out.set(ipv4Bytes(arp.targetAddress), at + 24);
  return out;
}

/** Asks everybody who has `address`. With `from` 0.0.0.0 it is a probe. */
export function arpRequest(mac: string, from: string, address: string): Buffer {
  const arp: Arp = {
    operation: "request",
    senderMac: mac,
    senderAddress: from,
    targetMac: NO_MAC,
    targetAddress: address,
  };
  return buildArp(arp, BROADCAST_MAC);
}

/** RFC 5227, 2.3: tells everybody that `address` is at `mac`, and puts right what caches hold. */
export function arpAnnouncement(mac: string, address: string): Buffer {
  return arpRequest(mac, address, address);
}

/** Answers `request` with: its target address is at `mac`. */
export function arpReply(mac: string, request: Arp): Buffer {
  const arp: Arp = {
    operation: "reply",
    senderMac: mac,
    senderAddress: request.targetAddress,
    targetMac: request.senderMac,
    targetAddress: request.senderAddress,
  };
  return buildArp(arp, request.senderMac);
}
