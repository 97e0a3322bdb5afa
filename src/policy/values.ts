import { BugError } from "../base/index.ts";
import type { Operation } from "../modbus/index.ts";
import type { WriteInterval } from "../site/index.ts";

export type Writes = NonNullable<Operation["writes"]>;
/** `depends`: on what the machine holds, and that was not given. */
export type Fit = "fits" | "depends" | "not";

/**
 * Whether a write that lies within `parts` (sorted, without gaps) keeps the limits of each. `current`: one value for
 * each address written.
 */
export function fits(parts: readonly WriteInterval[], writes: Writes, current?: readonly number[]): Fit {
  if (current !== undefined && current.length !== writes.quantity) {
    throw new BugError("current", `${current.length} current values for ${writes.quantity} addresses`);
  }
  let at = partOf(parts, writes.address);
  let fit: Fit = "fits";
  for (let i = 0; i < writes.quantity; i++) {
    while (at < parts.length && parts[at]!.end < writes.address + i) at++;
    const part = parts[at];
    if (part === undefined || part.start > writes.address + i) return "not";
    const one = fitsPart(part, writes, i, current?.[i]);
    if (one === "not") return "not";
    if (one === "depends") fit = "depends";
  }
  return fit;
}

function fitsPart(part: WriteInterval, writes: Writes, i: number, current: number | undefined): Fit {
  const { min, max, maxChange } = part;
  if ("and" in writes && current === undefined) {
    if (!maskReaches(writes.and, writes.or, min, max)) return "not";
    return maxChange === null && maskStays(writes.and, writes.or, min, max) ? "fits" : "depends";
  }
  const value = "and" in writes ? masked(current ?? 0, writes.and, writes.or) : writes.values[i];
  if (value === undefined || !(value >= min && value <= max)) return "not";
  if (maxChange === null) return "fits";
  if (current === undefined) return "depends";
  return Math.abs(value - current) <= maxChange ? "fits" : "not";
}

/**
 * Whether a forbidden interval that overlaps the write forbids a value of it: any value written at an address both
 * share, and of a mask write any result the machine's register could give. What it holds now is not asked, because it
 * may change between the question and the write.
 */
export function hits(parts: readonly WriteInterval[], writes: Writes): boolean {
  for (const { start, end, min, max } of parts) {
    const first = Math.max(start, writes.address);
    const last = Math.min(end, writes.address + writes.quantity - 1);
    if (first > last) continue;
    if ("and" in writes) {
      if (maskReaches(writes.and, writes.or, min, max)) return true;
      continue;
    }
    for (let address = first; address <= last; address++) {
      const value = writes.values[address - writes.address];
      if (value === undefined || (value >= min && value <= max)) return true;
    }
  }
  return false;
}

/** Function 22, section 6.16 of the MODBUS Application Protocol. */
export function masked(current: number, and: number, or: number): number {
  return (current & and) | (or & ~and & 0xffff);
}

/** Whether every result of a mask write lies in min..max, whatever the register holds. */
export function maskStays(and: number, or: number, min: number, max: number): boolean {
  return masked(0, and, or) >= min && masked(0xffff, and, or) <= max;
}

/** Whether any result of a mask write lies in min..max: whether the smallest result from min on is at most max. */
export function maskReaches(and: number, or: number, min: number, max: number): boolean {
  const fixed = masked(0, and, or);
  const possible = (value: number): boolean => (value & ~and & 0xffff) === fixed;
  const low = Math.max(0, min);
  if (low > max || low > 0xffff) return false;
  if (possible(low)) return true;
  // The smallest possible result above `low` shares its upper bits, has a 1 where `low` has a 0, and is least below.
  for (let bit = 0; bit < 16; bit++) {
    const one = 1 << bit;
    if ((low & one) !== 0) continue;
    const result = (low & ~(2 * one - 1)) | one | (fixed & (one - 1));
    if (possible(result)) return result <= max;
  }
  return false;
}

function partOf(parts: readonly WriteInterval[], address: number): number {
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (parts[middle]!.end < address) low = middle + 1;
    else high = middle;
  }
  return low;
}
