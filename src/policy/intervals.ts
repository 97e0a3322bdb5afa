import type { CompiledRule, Run } from "./rule.ts";

/**
 * Runs of many rules, sorted by start, ready to be asked which of them reach over a range. `skip[i]` is the nearest run
 * to the left that ends later than run i: where run i ends too early, so do all between, and the walk jumps over them.
 */
export interface Intervals<R extends CompiledRule> {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly skip: Int32Array;
  readonly parts: readonly Run["parts"][];
  readonly rules: readonly R[];
}

export function buildIntervals<R extends CompiledRule>(
  entries: readonly { readonly rule: R; readonly run: Run }[],
): Intervals<R> {
  // The walk goes from right to left: among equals, the document's first comes last here.
  const sorted = entries.toSorted(
    (a, b) => a.run.start - b.run.start || a.run.end - b.run.end || b.rule.order - a.rule.order,
  );
  const ends = Int32Array.from(sorted, ({ run }) => run.end);
  const skip = new Int32Array(sorted.length);
  for (let i = 0; i < sorted.length; i++) {
    let j = i - 1;
    while (j >= 0 && ends[j]! <= ends[i]!) j = skip[j]!;
    skip[i] = j;
  }
  return {
    starts: Int32Array.from(sorted, ({ run }) => run.start),
    ends,
    skip,
    parts: sorted.map(({ run }) => run.parts),
    rules: sorted.map(({ rule }) => rule),
  };
}

/** The last run that starts at or before `at`, -1 where there is none: where a walk begins. */
export function lastFrom(starts: Int32Array, at: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The nearest run at or left of `i` that ends at `end` or later, -1 where there is none. */
export function reaching(intervals: Intervals<CompiledRule>, i: number, end: number): number {
  const { ends, skip } = intervals;
  while (i >= 0 && ends[i]! < end) i = skip[i]!;
  return i;
}
