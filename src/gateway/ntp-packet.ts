/**
 * NTP packets (RFC 5905, 7.3), all words big-endian; what may follow the 48 bytes (extension fields, a MAC) is not used here.
 *
 *   0    1         2      3           4            8                 12          16         24       32        40         48
 *   +----+---------+------+-----------+------------+-----------------+-----------+----------+--------+---------+----------+
 *   |bits| stratum | poll | precision | root delay | root dispersion | reference | ref. time| origin | receive | transmit |
 *   +----+---------+------+-----------+------------+-----------------+-----------+----------+--------+---------+----------+
 *   bits: leap indicator (2), version (3), mode (3)
 *
 * Times are 64 bits, seconds since 1900 and a fraction, and only their differences are used, modulo 2^64: eras (2036) and a server
 * that is decades off make no difference. Root delay and dispersion are seconds in 16.16 bits.
 */
import { PeerError } from "../base/index.ts";

export const NTP_BYTES = 48;
/** RFC 5905, figure 10. */
export const MODE = { symmetricActive: 1, symmetricPassive: 2, client: 3, server: 4 } as const;
/** Leap indicator of a clock that is not synchronised. */
export const LEAP_UNKNOWN = 3;
export const MAX_STRATUM = 15;

export interface NtpPacket {
  readonly leap: number;
  readonly version: number;
  readonly mode: number;
  readonly stratum: number;
  /** Exponents of 2, in seconds; signed. */
  readonly poll: number;
  readonly precision: number;
  /** Seconds in 1/65536. */
  readonly rootDelay: number;
  readonly rootDispersion: number;
  /** An IPv4 address, or four characters of ASCII. */
  readonly reference: number;
  /** 64 bits each. */
  readonly referenceTime: bigint;
  readonly origin: bigint;
  readonly receive: bigint;
  readonly transmit: bigint;
}

/** PeerError `ntp-length`. */
export function decodeNtp(bytes: Uint8Array): NtpPacket {
  if (bytes.length < NTP_BYTES)
    throw new PeerError("ntp-length", `an NTP packet of ${bytes.length} bytes; it has ${NTP_BYTES} at least`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, NTP_BYTES);
  const bits = view.getUint8(0);
  return {
    leap: bits >> 6,
    version: (bits >> 3) & 7,
    mode: bits & 7,
    stratum: view.getUint8(1),
    poll: view.getInt8(2),
    precision: view.getInt8(3),
    rootDelay: view.getUint32(4),
    rootDispersion: view.getUint32(8),
    reference: view.getUint32(12),
    referenceTime: view.getBigUint64(16),
    origin: view.getBigUint64(24),
    receive: view.getBigUint64(32),
    transmit: view.getBigUint64(40),
  };
}

export function encodeNtp(packet: NtpPacket): Buffer {
  const bytes = Buffer.alloc(NTP_BYTES);
  bytes.writeUInt8((packet.leap << 6) | (packet.version << 3) | packet.mode, 0);
  bytes.writeUInt8(packet.stratum, 1);
  bytes.writeInt8(packet.poll, 2);
  bytes.writeInt8(packet.precision, 3);
  bytes.writeUInt32BE(packet.rootDelay, 4);
  bytes.writeUInt32BE(packet.rootDispersion, 8);
  bytes.writeUInt32BE(packet.reference, 12);
  bytes.writeBigUInt64BE(packet.referenceTime, 16);
  bytes.writeBigUInt64BE(packet.origin, 24);
  bytes.writeBigUInt64BE(packet.receive, 32);
  bytes.writeBigUInt64BE(packet.transmit, 40);
  return bytes;
}

/** Milliseconds from `earlier` to `later`, negative where it is the other way round; modulo 2^64, so right within 68 years. */
export function millisecondsBetween(earlier: bigint, later: bigint): number {
  return (Number(BigInt.asIntN(64, later - earlier)) / 2 ** 32) * 1000;
}

export function shifted(time: bigint, milliseconds: number): bigint {
  return BigInt.asUintN(64, time + BigInt(Math.round((milliseconds / 1000) * 2 ** 32)));
}
