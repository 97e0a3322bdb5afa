/**
 * A pcap file as text tools read it: raw IPv4 packets (link type 101), each with a TCP segment that holds one payload.
 *
 *   | file header 24 | { packet header 16 | IPv4 20 | TCP 20 | payload } ... |
 */

export interface Segment {
  /** The client's port: one for each conversation. */
  readonly port: number;
  readonly from: "client" | "server";
  /** Bytes that this side, and the other, have sent before. */
  readonly sent: number;
  readonly received: number;
  readonly payload: Uint8Array;
}

const CLIENT = Buffer.of(10, 0, 0, 1);
const SERVER = Buffer.of(10, 0, 0, 2);
const MODBUS_PORT = 502;
const TCP = 6;
const PSH_ACK = 0x18;

export function capture(segments: readonly Segment[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(101, 20);
  return Buffer.concat([header, ...segments.map(packet)]);
}

function packet(segment: Segment, index: number): Buffer {
  const ip = ipv4(segment);
  const header = Buffer.alloc(16);
  // One packet a second; any time will do, but the same on every run.
  header.writeUInt32LE(1_700_000_000 + index, 0);
  header.writeUInt32LE(ip.length, 8);
  header.writeUInt32LE(ip.length, 12);
  return Buffer.concat([header, ip]);
}

function ipv4(segment: Segment): Buffer {
  const fromClient = segment.from === "client";
  const source = fromClient ? CLIENT : SERVER;
  const target = fromClient ? SERVER : CLIENT;
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(40 + segment.payload.length, 2);
  header[8] = 64;
  header[9] = TCP;
  source.copy(header, 12);
  target.copy(header, 16);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, tcp(segment, source, target)]);
}

function tcp(segment: Segment, source: Buffer, target: Buffer): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(20), segment.payload]);
  const ports = segment.from === "client" ? [segment.port, MODBUS_PORT] : [MODBUS_PORT, segment.port];
  bytes.writeUInt16BE(ports[0]!, 0);
  bytes.writeUInt16BE(ports[1]!, 2);
  bytes.writeUInt32BE(1 + segment.sent, 4);
  bytes.writeUInt32BE(1 + segment.received, 8);
  bytes[12] = 5 << 4;
  bytes[13] = PSH_ACK;
  bytes.writeUInt16BE(65_535, 14);
  const pseudo = Buffer.concat([source, target, Buffer.of(0, TCP, bytes.length >> 8, bytes.length & 0xff)]);
  bytes.writeUInt16BE(checksum(Buffer.concat([pseudo, bytes])), 16);
  return bytes;
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
