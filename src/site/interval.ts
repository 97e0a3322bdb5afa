/** Sets of whole numbers as sorted lists of intervals, both ends included, none touching the next. */
import type { Interval } from "./snapshot.ts";

/** Sorted, overlapping and neighbouring ones joined. */
export function mergeIntervals(intervals: readonly Interval[]): Interval[] {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of intervals.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last.end + 1) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}

/** As `mergeIntervals`, for intervals whose end does not belong to them (minutes of a day). */
export function mergeSpans(spans: readonly Interval[]): Interval[] {
  const closed = spans.map(({ start, end }) => ({ start, end: end - 1 }));
  return mergeIntervals(closed).map(({ start, end }) => ({ start, end: end + 1 }));
}

/** Whether merged `outer` contains all of merged `inner`. */
export function containsIntervals(outer: readonly Interval[], inner: readonly Interval[]): boolean {
  return inner.every(({ start, end }) => outer.some((wide) => wide.start <= start && end <= wide.end));
}

export function intersects(a: readonly Interval[], b: readonly Interval[]): boolean {
  return a.some((one) => b.some((other) => one.start <= other.end && other.start <= one.end));
}

export function intervalText({ start, end }: Interval): string {
  return start === end ? `${start}` : `${start}-${end}`;
}

export function intervalsText(intervals: readonly Interval[]): string {
  return intervals.map(intervalText).join(", ");
}

/** Single numbers to intervals. */
export function intervalsOf(numbers: readonly number[]): Interval[] {
  return mergeIntervals(numbers.map((number) => ({ start: number, end: number })));
}
