/**
 * Modbus TCP framing (MODBUS Messaging on TCP/IP V1.0b, section 3.1.3):
 *
 *   0              2              4              6      7
 *   +------+-------+------+-------+------+-------+------+----------------+
 *   | transaction  | protocol = 0 | length       | unit | PDU, 1..253    |
 *   +------+-------+------+-------+------+-------+------+----------------+
 *                                                |<- counted by length ->|   2..254
 */
import { BugError, PeerError } from "../base/index.ts";
import { MAX_PDU } from "./limits.ts";
import { checkBounds, putWord, wordAt } from "./words.ts";

export const MBAP_HEADER = 7;
export const MBAP_MIN_FRAME = MBAP_HEADER + 1;
export const MBAP_MAX_FRAME = MBAP_HEADER + MAX_PDU;

/** Bytes before those that the length field counts. */
const UNCOUNTED = 6;
const MIN_LENGTH = MBAP_MIN_FRAME - UNCOUNTED;
const MAX_LENGTH = MBAP_MAX_FRAME - UNCOUNTED;

/**
 * Bytes of the whole frame that begins at `at`, or 0 where at..end does not hold all of it yet.
 * PeerError `mbap-protocol` or `mbap-length` as soon as a byte that is there rules a good header out: a peer that does not
 * speak Modbus is found out at its third byte, and is not waited for.
 */
export function frameLength(bytes: Uint8Array, at: number, end: number): number {
  checkBounds(bytes, at, end);
  const held = end - at;
  if (held < UNCOUNTED) {
    if ((held > 2 && bytes[at + 2] !== 0) || (held > 3 && bytes[at + 3] !== 0))
      throw wrongProtocol(bytes, at, held);
    if (held > 4 && bytes[at + 4] !== 0) throw wrongLength(`${bytes[at + 4]! << 8} or more`);
    return 0;
  }
  if (bytes[at + 2] !== 0 || bytes[at + 3] !== 0) throw wrongProtocol(bytes, at, held);
  const length = wordAt(bytes, at + 4);
  if (length < MIN_LENGTH || length > MAX_LENGTH) throw wrongLength(String(length));
  return held < UNCOUNTED + length ? 0 : UNCOUNTED + length;
}

/** `at` is the start of a frame. */
export function transactionId(bytes: Uint8Array, at: number): number {
  checkBounds(bytes, at, at + MBAP_HEADER);
  return wordAt(bytes, at);
}

/** `at` is the start of a frame. */
export function unitId(bytes: Uint8Array, at: number): number {
  checkBounds(bytes, at, at + MBAP_HEADER);
  return bytes[at + UNCOUNTED]!;
}

/** Writes the 7 bytes before a PDU of `pduLength` bytes. BugError where a value does not fit its field. */
export function writeHeader(
  out: Uint8Array,
  at: number,
  transaction: number,
  unit: number,
  pduLength: number,
): void {
  checkBounds(out, at, at + MBAP_HEADER);
  if (!Number.isInteger(unit) || unit < 0 || unit > 0xff)
    throw new BugError("encode", `unit ${unit} is outside 0..255`);
  if (!Number.isInteger(pduLength) || pduLength < 1 || pduLength > MAX_PDU) {
    throw new BugError("encode", `a PDU of ${pduLength} bytes is outside 1..${MAX_PDU}`);
  }
  putWord(out, at, transaction, "transaction id");
  putWord(out, at + 2, 0, "protocol id");
  putWord(out, at + 4, pduLength + 1, "length");
  out[at + UNCOUNTED] = unit;
}

/**
 * Cuts a stream into frames:
 *
 *   frames.push(chunk);
 *   while (frames.next()) use(frames.bytes, frames.start, frames.end);
 *
 * A frame that lies whole in a chunk is given where it lies; only one that is spread over chunks is put together, in a
 * buffer of this object. `bytes` from `start` to `end` stay valid until the next push. After a PeerError the stream is
 * out of step for good: what is pushed is dropped, and every `next` throws the same error.
 */
export class FrameBuffer {
  bytes: Uint8Array;
  start = 0;
  end = 0;

  #chunk: Uint8Array;
  #at = 0;
  /** Beginning of a frame of which the rest is still to come. */
  #tail: Uint8Array = new Uint8Array(MBAP_MAX_FRAME);
  #held = 0;
  /** Holds the frame put together last, which must outlive the tail of the same chunk. */
  #previous: Uint8Array = new Uint8Array(MBAP_MAX_FRAME);
  #failure: PeerError | null = null;

  constructor() {
    this.bytes = this.#tail;
    this.#chunk = this.#tail.subarray(0, 0);
  }

  /** Bytes of an unfinished frame, 0..259: where a stream ends, anything but 0 is a truncated frame. */
  get held(): number {
    return this.#held;
  }

  /** The chunk must stay as it is until `next` has returned false. BugError where it has not yet for the chunk before. */
  push(chunk: Uint8Array): void {
    if (this.#failure !== null) return;
    if (this.#at < this.#chunk.length)
      throw new BugError("frames-unread", "a chunk came before the last one was read out");
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Sets `bytes`, `start`, `end` to the next whole frame; false: more bytes are needed. */
  next(): boolean {
    if (this.#failure !== null) throw this.#failure;
    try {
      return this.#held > 0 ? this.#finishTail() : this.#readInPlace();
    } catch (error) {
      if (error instanceof PeerError) this.#failure = error;
      throw error;
    }
  }

  #readInPlace(): boolean {
    const chunk = this.#chunk;
    const length = frameLength(chunk, this.#at, chunk.length);
    if (length === 0) {
      this.#keep(chunk.length - this.#at);
      return false;
    }
    this.bytes = chunk;
    this.start = this.#at;
    this.end = this.#at += length;
    return true;
  }

  #finishTail(): boolean {
    // First the header, which says how much more belongs to the frame; then exactly that.
    this.#keep(Math.min(MBAP_HEADER - this.#held, this.#chunk.length - this.#at));
    let length = frameLength(this.#tail, 0, this.#held);
    if (length === 0 && this.#held >= MBAP_HEADER) {
      const missing = UNCOUNTED + wordAt(this.#tail, 4) - this.#held;
      this.#keep(Math.min(missing, this.#chunk.length - this.#at));
      length = frameLength(this.#tail, 0, this.#held);
    }
    if (length === 0) return false;
    this.bytes = this.#tail;
    this.start = 0;
    this.end = length;
    this.#tail = this.#previous;
    this.#previous = this.bytes;
    this.#held = 0;
    return true;
  }

  #keep(count: number): void {
    if (count <= 0) return;
    this.#tail.set(this.#chunk.subarray(this.#at, this.#at + count), this.#held);
    this.#held += count;
    this.#at += count;
  }
}

function wrongProtocol(bytes: Uint8Array, at: number, held: number): PeerError {
  const protocol = held > 3 ? String(wordAt(bytes, at + 2)) : `${bytes[at + 2]! << 8} or more`;
  return new PeerError(
    "mbap-protocol",
    `a frame's protocol id is ${protocol}, Modbus is 0`,
    "Check that the client speaks Modbus TCP on this port, inside TLS and not around it.",
  );
}

function wrongLength(length: string): PeerError {
  return new PeerError(
    "mbap-length",
    `a frame's length field is ${length}, allowed is ${MIN_LENGTH}..${MAX_LENGTH}`,
  );
}
