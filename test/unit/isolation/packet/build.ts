/** Packets and frames for tests, built apart from the code that reads them, their checksums by other arithmetic. */

export interface PacketFields {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly payload: Uint8Array;
  /** Multiple of four bytes, at most 40. */
  readonly options?: Uint8Array;
  readonly ttl?: number;
  /** Bytes, a multiple of eight. */
  readonly fragmentOffset?: number;
  readonly moreFragments?: boolean;
}

export function ipv4(fields: PacketFields): Buffer {
  const {
    options = new Uint8Array(0),
    payload,
    ttl = 63,
    fragmentOffset = 0,
    moreFragments = false,
  } = fields;
  const header = Buffer.alloc(20 + options.length);
  header[0] = 0x40 + header.length / 4;
  header.writeUInt16BE(header.length + payload.length, 2);
  header.writeUInt16BE(0x1234, 4);
  header.writeUInt16BE((moreFragments ? 0x2000 : 0) + fragmentOffset / 8, 6);
  header[8] = ttl;
  header[9] = fields.protocol;
  header.set(octets(fields.source), 12);
  header.set(octets(fields.destination), 16);
  header.set(options, 20);
  header.writeUInt16BE(internetChecksum(header), 10);
  return Buffer.concat([header, payload]);
}

export interface TcpFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly flags: number;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly options?: Uint8Array;
  readonly data?: Uint8Array;
}

export function tcp(fields: TcpFields): Buffer {
  const { options = new Uint8Array(0), data = new Uint8Array(0) } = fields;
  const header = Buffer.alloc(20 + options.length);
  header.writeUInt16BE(fields.sourcePort, 0);
  header.writeUInt16BE(fields.destinationPort, 2);
  header.writeUInt32BE(fields.sequence ?? 0, 4);
  header.writeUInt32BE(fields.acknowledgement ?? 0, 8);
  header[12] = (header.length / 4) << 4;
  header[13] = fields.flags;
  header.set(options, 20);
  return Buffer.concat([header, data]);
}

export function udp(sourcePort: number, destinationPort: number, data: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(sourcePort, 0);
  header.writeUInt16BE(destinationPort, 2);
  header.writeUInt16BE(8 + data.length, 4);
  return Buffer.concat([header, data]);
}

export function icmp(type: number, code: number): Buffer {
  return Buffer.from([type, code, 0, 0, 0, 1, 0, 1]);
}

/** Header and one question of type A, class IN. */
export function dnsQuery(labels: readonly (string | Uint8Array)[]): Buffer {
  const name = labels.map((label) => {
    const bytes = Buffer.from(label);
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  const header = Buffer.from([0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...name, Buffer.from([0, 0, 1, 0, 1])]);
}

/** `type` below 0x600 is a length. */
export function frame(
  destination: string,
  source: string,
  type: number,
  payload: Uint8Array,
  tags: readonly (readonly [type: number, tci: number])[] = [],
): Buffer {
  const words = [...tags.flat(), type].map((word) => Buffer.from([word >> 8, word & 0xff]));
  return Buffer.concat([mac(destination), mac(source), ...words, payload]);
}

export function octets(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

export function mac(text: string): Buffer {
  return Buffer.from(text.replaceAll(":", ""), "hex");
}

/** RFC 1071, in big integers and byte by byte: 0 over bytes that hold their right checksum. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0n;
  for (const [i, byte] of bytes.entries()) sum += BigInt(byte) << (i % 2 === 0 ? 8n : 0n);
  while (sum >> 16n !== 0n) sum = (sum & 0xffffn) + (sum >> 16n);
  return Number(0xffffn - sum);
}
