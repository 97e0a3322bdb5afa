/**
 * The entries of a revocation list as one run of bytes in the order of their serial numbers: what the thread that read the list
 * hands to control without a copy, a million entries in some 30 MB. Written into the database in this order, each page of the
 * table is written once.
 *
 *     length (1) | serial number (length) | revoked at, ms, f64 BE (8) | reason (1)
 */
import { PeerError } from "../base/index.ts";

export interface PackedEntry {
  /** Big-endian, without a sign byte. */
  readonly serial: Buffer;
  /** Milliseconds since the epoch; it may lie ahead. */
  readonly revokedAt: number;
  /** CRLReason (RFC 5280, section 5.3.1). */
  readonly reason: number;
}

/** CRLReason removeFromCRL: in a delta, the certificate is good again. */
export const REMOVED = 8;
const FIXED = 1 + 8 + 1;
const MAX_SERIAL = 255;

/** Collects entries in any order; `take` sorts them. A serial number given twice counts once: as revoked, from the earlier time. */
export class EntryPacker {
  #bytes = Buffer.allocUnsafeSlow(1 << 16);
  #length = 0;
  #starts = new Uint32Array(1 << 12);
  #count = 0;

  add(serial: Uint8Array, revokedAt: number, reason: number): void {
    if (serial.length > MAX_SERIAL) {
      const what = `the list has a serial number of ${serial.length} bytes, over ${MAX_SERIAL}`;
      throw new PeerError("crl-serial", what);
    }
    this.#room(FIXED + serial.length);
    this.#starts[this.#count++] = this.#length;
    let at = this.#bytes.writeUInt8(serial.length, this.#length);
    this.#bytes.set(serial, at);
    at = this.#bytes.writeDoubleBE(revokedAt, at + serial.length);
    this.#length = this.#bytes.writeUInt8(reason, at);
  }

  take(): { readonly bytes: Uint8Array<ArrayBuffer>; readonly count: number } {
    const from = this.#bytes;
    const order = this.#starts.subarray(0, this.#count).toSorted((a, b) => compare(from, a, b));
    const bytes = new Uint8Array(this.#length);
    let [length, count] = [0, 0];
    let before = -1;
    for (const start of order) {
      if (before >= 0 && compareSerials(from, before, start) === 0) continue;
      const end = start + FIXED + from[start]!;
      bytes.set(from.subarray(start, end), length);
      length += end - start;
      count += 1;
      before = start;
    }
    return { bytes: bytes.subarray(0, length), count };
  }

  #room(more: number): void {
    if (this.#length + more > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(this.#bytes.length * 2);
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    if (this.#count === this.#starts.length) {
      const larger = new Uint32Array(this.#starts.length * 2);
      larger.set(this.#starts);
      this.#starts = larger;
    }
  }
}

/** As SQLite orders blobs: by bytes, the shorter of two alike first. */
function compareSerials(bytes: Buffer, a: number, b: number): number {
  return bytes.compare(bytes, b + 1, b + 1 + bytes[b]!, a + 1, a + 1 + bytes[a]!);
}

function compare(bytes: Buffer, a: number, b: number): number {
  const bySerial = compareSerials(bytes, a, b);
  if (bySerial !== 0) return bySerial;
  const [one, other] = [entryAt(bytes, a), entryAt(bytes, b)];
  const removed = Number(one.reason === REMOVED) - Number(other.reason === REMOVED);
  return removed === 0 ? one.revokedAt - other.revokedAt : removed;
}

function entryAt(bytes: Buffer, start: number): PackedEntry {
  const end = start + 1 + bytes[start]!;
  return {
    serial: bytes.subarray(start + 1, end),
    revokedAt: bytes.readDoubleBE(end),
    reason: bytes.readUInt8(end + 8),
  };
}

/** One after the other, of what `take` gave; each is a view. */
export function* packedEntries(packed: Uint8Array): Generator<PackedEntry> {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = 0; at < bytes.length; at += FIXED + bytes[at]!) yield entryAt(bytes, at);
}
