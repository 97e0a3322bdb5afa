import { PeerError } from "./errors.ts";

/**
 * Big-endian reads and writes in which every bound is checked and a miss throws: nothing is ever clamped.
 * `what` names the field for the error message.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    if (start < 0 || end > bytes.length || start > end) {
      throw new PeerError("reader-bounds", `reader bounds ${start}..${end} outside 0..${bytes.length}`);
    }
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  #take(length: number, what: string): number {
    if (length < 0 || length > this.#end - this.#at) {
      throw new PeerError("truncated", `${what} needs ${length} bytes, ${this.#end - this.#at} are left`);
    }
    const at = this.#at;
    this.#at += length;
    return at;
  }

  u8(what: string): number {
    return this.#bytes[this.#take(1, what)]!;
  }

  u16(what: string): number {
    const at = this.#take(2, what);
    return (this.#bytes[at]! << 8) | this.#bytes[at + 1]!;
  }

  /** A view, not a copy: valid as long as the bytes underneath are. */
  view(length: number, what: string): Uint8Array {
    const at = this.#take(length, what);
    return this.#bytes.subarray(at, at + length);
  }

  /** Refuses trailing bytes: what is not canonical is not passed on. */
  finish(what: string): void {
    if (this.#at !== this.#end) {
      throw new PeerError("trailing-bytes", `${what} has ${this.#end - this.#at} bytes too many`);
    }
  }
}
