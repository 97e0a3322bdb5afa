/** Inputs for the fuzzer: from a seed, the same ones on every machine. */
import { crc16, MAX_PDU, writeHeader } from "../../../src/modbus/index.ts";
import { readReplies, readRequests, readRtu, readStreams } from "./vectors.ts";

/** Values at which parsers go wrong. */
const BYTES = [
  0x00, 0x01, 0x02, 0x06, 0x07, 0x08, 0x0e, 0x7f, 0x80, 0x81, 0xf5, 0xfa, 0xfb, 0xfe, 0xff,
] as const;
const WORDS = [
  0, 1, 2, 31, 32, 121, 122, 123, 124, 125, 126, 253, 254, 255, 256, 260, 1968, 1969, 2000, 2001, 9999,
  10_000, 0x7fff, 0x8000, 0xff00, 0xfffe, 0xffff,
] as const;
const PUBLIC = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43] as const;

export class Generator {
  #state: number;
  readonly #requests = readRequests().map((vector) => vector.pdu);
  readonly #pairs = readReplies().map((vector): [Buffer, Buffer] => [vector.request, vector.reply]);
  readonly #serial = readRtu().map((vector) => vector.frame);
  readonly #streams = readStreams().map((vector) => vector.stream);

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0..limit-1; the generator is "mulberry32". */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  request(): Uint8Array {
    const kind = this.below(4);
    if (kind === 0) return this.#random(this.below(MAX_PDU + 8));
    if (kind === 1) return this.#structured();
    return this.#mutated(this.pick(this.#requests));
  }

  /** A request and what may be its reply. */
  exchange(): [Uint8Array, Uint8Array] {
    const [request, reply] = this.pick(this.#pairs);
    const kind = this.below(4);
    if (kind === 0) return [this.request(), this.#mutated(reply)];
    if (kind === 1) return [request, this.request()];
    return [request, this.#mutated(reply)];
  }

  /** A frame of a serial line; half of them with the CRC put right. */
  serial(): Uint8Array {
    const bytes = this.#mutated(this.pick(this.#serial));
    if (this.below(2) === 0 || bytes.length < 2) return bytes;
    const crc = crc16(bytes, 0, bytes.length - 2);
    bytes[bytes.length - 2] = crc & 0xff;
    bytes[bytes.length - 1] = crc >> 8;
    return bytes;
  }

  stream(): Uint8Array {
    const kind = this.below(8);
    if (kind === 0) return this.#random(this.below(600));
    if (kind === 1) return this.#mutated(this.pick(this.#streams));
    const parts: Uint8Array[] = [];
    for (let count = 1 + this.below(6); count > 0; count--) {
      const pdu = this.request().subarray(0, MAX_PDU);
      if (pdu.length === 0) continue;
      const header = new Uint8Array(7);
      writeHeader(header, 0, this.below(0x10000), this.below(0x100), pdu.length);
      parts.push(header, pdu);
    }
    const bytes = new Uint8Array(Buffer.concat(parts));
    return kind === 2 ? this.#mutated(bytes) : bytes;
  }

  /** A public function's request with each field near a limit. */
  #structured(): Uint8Array {
    const bytes: number[] = [this.pick(PUBLIC)];
    for (let words = this.below(5); words > 0; words--) {
      const word = this.below(3) === 0 ? this.below(0x10000) : this.pick(WORDS);
      bytes.push(word >> 8, word & 0xff);
    }
    // A byte count that is right, more often than chance would have it.
    const data = this.#random(this.pick([0, 1, 2, 4, 6, 7, 9, 14, 242, 244, 245, 246, 248, 250, 251]));
    if (this.below(4) !== 0) bytes.push(this.below(8) === 0 ? this.pick(BYTES) : data.length);
    return Uint8Array.from([...bytes, ...data]);
  }

  #mutated(original: Uint8Array): Uint8Array {
    let bytes = new Uint8Array(original);
    for (let changes = this.below(4); changes > 0; changes--) bytes = this.#change(bytes);
    return bytes;
  }

  #change(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const at = this.below(bytes.length + 1);
    switch (this.below(7)) {
      case 0:
        return bytes.slice(0, at);
      case 1:
        return joined(bytes, this.#random(1 + this.below(4)));
      case 2:
        return joined(bytes.slice(0, at), this.#random(1), bytes.slice(at));
      case 3:
        return joined(bytes.slice(0, at), bytes.slice(at + 1));
      case 4:
        if (at < bytes.length) bytes[at]! ^= 1 << this.below(8);
        return bytes;
      case 5:
        if (at < bytes.length) bytes[at] = this.pick(BYTES);
        return bytes;
      default:
        if (at + 1 < bytes.length) bytes.set([this.pick(WORDS) >> 8, this.pick(WORDS) & 0xff], at);
        return bytes;
    }
  }

  #random(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.below(256);
    return bytes;
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
