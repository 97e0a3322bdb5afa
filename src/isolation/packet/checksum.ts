/** The Internet checksum (RFC 1071), the one's complement sum of 16-bit words; an odd last byte counts as if a zero followed. */

/** Sum over `start..end`, not folded: sums of several pieces add up where every piece but the last has an even length. */
export function partialSum(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0;
  let at = start;
  for (; at + 1 < end; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  return at < end ? sum + (bytes[at]! << 8) : sum;
}

/** What goes into the checksum field. */
export function foldSum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return ~folded & 0xffff;
}
