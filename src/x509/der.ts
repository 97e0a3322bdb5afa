/**
 * A strict reader of DER (ITU-T X.690, sections 8 and 10): definite lengths in their shortest form, tags of one byte, every
 * bound checked. What X.509 allows to be said in one way only is read in that way only.
 *
 *     tag (1) | length: 00..7f, or 81 xx, 82 xx xx, 83 xx xx xx, 84 xx xx xx xx (shortest that fits) | content
 */
import { ByteReader, PeerError } from "../base/index.ts";

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag and length too. */
  readonly whole: Uint8Array;
}

/** Of one element's content: what a revocation list of a million entries takes. */
export const MAX_DER_LENGTH = 67_108_864;
/** Bytes of an object identifier; the longest in use are under 30. */
const MAX_OID_LENGTH = 64;

/** Walks the elements that lie one after the other in `bytes`. Every miss throws a PeerError. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  any(what: string): Element {
    const reader = new ByteReader(this.#bytes, this.#at);
    const tag = reader.u8(what);
    if ((tag & 0x1f) === 0x1f) throw new PeerError("der-tag", `${what} has a tag of several bytes`);
    const length = readLength(reader, what);
    const content = reader.view(length, what);
    const start = this.#at;
    this.#at = this.#bytes.length - reader.remaining;
    return { tag, content, whole: this.#bytes.subarray(start, this.#at) };
  }

  /** The content of the next element, which must have this tag. */
  take(tag: number, what: string): Uint8Array {
    const element = this.any(what);
    if (element.tag !== tag) {
      throw new PeerError("der-tag", `${what} has tag ${hex(element.tag)} instead of ${hex(tag)}`);
    }
    return element.content;
  }

  /** The content of the next element if it has this tag, else null and nothing is consumed. */
  optional(tag: number, what: string): Uint8Array | null {
    return this.#bytes[this.#at] === tag ? this.take(tag, what) : null;
  }

  finish(what: string): void {
    if (!this.done)
      throw new PeerError("trailing-bytes", `${what} is followed by bytes that belong to nothing`);
  }
}

/** The one element that `bytes` is, without trailing bytes. */
export function only(bytes: Uint8Array, tag: number, what: string): Uint8Array {
  const reader = new DerReader(bytes);
  const content = reader.take(tag, what);
  reader.finish(what);
  return content;
}

function readLength(reader: ByteReader, what: string): number {
  const first = reader.u8(what);
  if (first < 0x80) return first;
  const count = first - 0x80;
  // 0x80 is the indefinite length of BER.
  if (count === 0 || count > 4) {
    throw new PeerError("der-length", `${what} has a length that starts with ${hex(first)}`);
  }
  let length = 0;
  for (let read = 0; read < count; read++) length = length * 256 + reader.u8(what);
  const shortest = count === 1 ? length >= 0x80 : length >= 256 ** (count - 1);
  if (!shortest) throw new PeerError("der-length", `${what} has a length that is not in its shortest form`);
  if (length > MAX_DER_LENGTH) {
    throw new PeerError("der-length", `${what} has ${length} bytes, ${MAX_DER_LENGTH} are taken at most`);
  }
  return length;
}

/** Dotted decimal (X.690, section 8.19). */
export function oidText(content: Uint8Array): string {
  const last = content.at(-1);
  if (last === undefined || last >= 0x80 || content.length > MAX_OID_LENGTH) {
    throw new PeerError("der-oid", `an object identifier of ${content.length} bytes does not end`);
  }
  const arcs: bigint[] = [];
  let arc = 0n;
  let started = false;
  for (const byte of content) {
    if (!started && byte === 0x80) throw new PeerError("der-oid", "an object identifier is padded");
    started = byte >= 0x80;
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (started) continue;
    if (arcs.length > 0) arcs.push(arc);
    else if (arc < 80n) arcs.push(arc / 40n, arc % 40n);
    else arcs.push(2n, arc - 80n);
    arc = 0n;
  }
  return arcs.join(".");
}

/** Only 00 and ff are values (X.690, section 11.1). */
export function booleanOf(content: Uint8Array, what: string): boolean {
  if (content.length === 1 && content[0] === 0x00) return false;
  if (content.length === 1 && content[0] === 0xff) return true;
  throw new PeerError("der-boolean", `${what} is neither true nor false`);
}

/** The bytes of an integer that is not negative, without a sign byte; zero is one byte 00 (X.690, section 8.3). */
export function unsignedOf(content: Uint8Array, what: string): Uint8Array {
  const first = content[0];
  const second = content[1];
  if (first === undefined) throw new PeerError("der-integer", `${what} is empty`);
  if (first >= 0x80) throw new PeerError("der-integer", `${what} is negative`);
  if (first !== 0 || second === undefined) return content;
  if (second < 0x80) throw new PeerError("der-integer", `${what} is padded`);
  return content.subarray(1);
}

/** A bit string's bytes and how many bits of the last are unused, which must be zero (X.690, sections 8.6 and 11.2). */
export function bitsOf(content: Uint8Array, what: string): { bytes: Uint8Array; unused: number } {
  const unused = content[0];
  const last = content.at(-1);
  if (unused === undefined || last === undefined || unused > 7 || (content.length === 1 && unused > 0)) {
    throw new PeerError("der-bits", `${what} is no bit string`);
  }
  if (content.length > 1 && (last & ((1 << unused) - 1)) !== 0) {
    throw new PeerError("der-bits", `${what} has unused bits that are set`);
  }
  return { bytes: content.subarray(1), unused };
}

/** Characters of YYMMDDHHMMSSZ and YYYYMMDDHHMMSSZ, and the two of them that are not any digit. */
const UTC_TIME = 13;
const GENERALIZED_TIME = 15;
const DIGIT_0 = 0x30;
const ZULU = 0x5a;

/** Milliseconds since the epoch. Seconds and Z are always there (RFC 5280, section 4.1.2.5); 50..99 are the years 19xx. */
export function timeOf(element: Omit<Element, "whole">, what: string): number {
  const { tag, content } = element;
  const short = tag === TAG.utcTime;
  const length = short ? UTC_TIME : GENERALIZED_TIME;
  if ((!short && tag !== TAG.generalizedTime) || content.length !== length || content[length - 1] !== ZULU) {
    throw new PeerError("der-time", `${what} is no time in UTC`);
  }
  const pair = (at: number): number => {
    const tens = content[at]! - DIGIT_0;
    const ones = content[at + 1]! - DIGIT_0;
    if (tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9) return tens * 10 + ones;
    throw new PeerError("der-time", `${what} is no time in UTC`);
  };
  const first = pair(0);
  const year = short ? first + (first < 50 ? 2000 : 1900) : first * 100 + pair(2);
  const at = short ? 2 : 4;
  const [month, day, hour, minute, second] = [
    pair(at),
    pair(at + 2),
    pair(at + 4),
    pair(at + 6),
    pair(at + 8),
  ];
  const time = new Date(0);
  time.setUTCFullYear(year, month - 1, day);
  time.setUTCHours(hour, minute, second);
  // Date carries 24:00 and 30 February over into the day after.
  const kept = time.getUTCMonth() === month - 1 && time.getUTCDate() === day && time.getUTCHours() === hour;
  if (!kept || minute > 59 || second > 59) {
    throw new PeerError("der-time", `${what} is no date of the calendar`);
  }
  return time.getTime();
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
