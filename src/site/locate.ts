/** From a path in the document to the line and column it stands at. */
import { isMap, isScalar, isSeq } from "yaml";
import type { Node } from "yaml";
import type { Locate, Path, Position, Spot } from "./findings.ts";

/** Offsets at which lines begin. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

export function positionAt(starts: readonly number[], offset: number): Position {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - starts[low]! + 1 };
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value);
}

/** As far down the path as the document goes: what is missing is located at the thing it is missing from. */
export function offsetOf(root: unknown, path: Path, spot: Spot): number {
  let node: unknown = root;
  let key = isNode(root) ? (root.range?.[0] ?? 0) : 0;
  let value = key;
  let complete = true;
  for (const step of path) {
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (pair !== undefined && isScalar(pair.key)) {
        key = pair.key.range?.[0] ?? key;
        next = pair.value;
      }
    } else if (isSeq(node) && typeof step === "number") {
      next = node.items[step];
      if (isNode(next)) key = next.range?.[0] ?? key;
    }
    if (!isNode(next)) {
      // A key without a value (`from:`) is there all the same: the key is the place.
      complete = false;
      break;
    }
    value = next.range?.[0] ?? key;
    node = next;
  }
  return spot === "key" || !complete ? key : value;
}

export function locator(root: unknown, starts: readonly number[]): Locate {
  return (path, spot) => positionAt(starts, offsetOf(root, path, spot));
}
