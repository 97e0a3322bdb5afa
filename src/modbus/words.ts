import { BugError } from "../base/index.ts";

/** Big-endian word; the caller has checked that both bytes are there. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/** Writes a big-endian word. BugError `encode` for what is no word: cutting it off would send another value than was judged. */
export function putWord(out: Uint8Array, at: number, value: number, what: string): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
    throw new BugError("encode", `${what} ${value} is outside 0..65535`);
  }
  out[at] = value >> 8;
  out[at + 1] = value & 0xff;
}

/** Bounds handed to a decoder come from niac's own framing: wrong ones are niac's fault, not the peer's. */
export function checkBounds(bytes: Uint8Array, start: number, end: number): void {
  if (!(start >= 0 && start <= end && end <= bytes.length)) {
    throw new BugError("bounds", `bounds ${start}..${end} lie outside 0..${bytes.length}`);
  }
}

/** `bytes` holds whole words. */
export function unpackRegisters(bytes: Uint8Array): number[] {
  const values: number[] = [];
  for (let at = 0; at < bytes.length; at += 2) values.push(wordAt(bytes, at));
  return values;
}

/** Least significant bit first (section 6.1); `bytes` holds at least `quantity` bits. */
export function unpackCoils(bytes: Uint8Array, quantity: number): number[] {
  const values: number[] = [];
  for (let i = 0; i < quantity; i++) values.push((bytes[i >> 3]! >> (i & 7)) & 1);
  return values;
}
