import type { AddressRange, Operation } from "../modbus/index.ts";
import type { DecideContext, Denial, NeedsCurrent } from "./verdict.ts";
import { type Intervals, lastFrom, reaching } from "./intervals.ts";
import { type OperationPermit, type SessionPermit, makeOperationPermit, stateOf } from "./permit.ts";
import type { SessionState, Slice } from "./state.ts";
import { type Writes, fits, hits } from "./values.ts";
import type { CompiledForbid, CompiledGrant } from "./rule.ts";
import { explainForbid, explainGrants } from "./explain.ts";

const NO_CONTEXT: DecideContext = {};
/** Addresses do not count for an operation that names none; any range lets its rules be searched the same way. */
const ANY: AddressRange = { table: "holdingRegisters", address: 0, quantity: 1 };

/**
 * May this session do this operation at `now` (milliseconds since the epoch)? An empty policy denies; a forbid beats
 * every grant; the order of rules does not matter. Each access of the operation, reading and writing, must be covered
 * by one grant as a whole. NeedsCurrent comes only where a limit on the step, or on the value of a mask write, is all
 * that stands between the operation and a permit, and never when `context.current` is given.
 */
export function decide(
  session: SessionPermit,
  operation: Operation,
  now: number,
  context: DecideContext = NO_CONTEXT,
): OperationPermit | Denial | NeedsCurrent {
  const state = stateOf(session);
  state.at(now);
  const { unit, functionCode, subFunction, writes } = operation;
  const reads = operation.reads ?? (writes === null ? ANY : null);
  const kind = operation.reads === null ? "call" : "read";
  const onWrite =
    writes === null ? null : state.slice(unit, functionCode, subFunction, "write", writes.table);
  const onRead = reads === null ? null : state.slice(unit, functionCode, subFunction, kind, reads.table);
  const barsWrite = onWrite === null || writes === null ? null : forbidder(onWrite, writes, writes);
  if (barsWrite !== null) return explainForbid(state, operation, "write", barsWrite);
  const barsRead = onRead === null || reads === null ? null : forbidder(onRead, reads, null);
  if (barsRead !== null) return explainForbid(state, operation, kind, barsRead);

  const write = onWrite === null ? null : cover(onWrite, writes, writes, state, context);
  const read = onRead === null ? null : cover(onRead, reads, null, state, context);
  if (write === "not" || write === "rate" || typeof read === "string") {
    return explainGrants(state, operation, now, context);
  }
  if (write === "depends") {
    const { table, address, quantity } = writes ?? ANY;
    return { table, address, quantity };
  }
  const rule = write ?? read;
  // Function 23 has both accesses; with one missing it was not made by the codec, and half of it was not judged.
  if (rule === null || (functionCode === 23 && (write === null || read === null))) {
    return explainGrants(state, operation, now, context);
  }
  charge(rule, state, context);
  if (read !== null && read !== rule) charge(read, state, context);
  return makeOperationPermit(operation, state, rule.rule.name);
}

/** A forbid that overlaps the range and, where it forbids only values, forbids one of those written; null: none. */
function forbidder({ forbids }: Slice, range: AddressRange, writes: Writes | null): CompiledForbid | null {
  const { address, quantity } = range;
  const begin = lastFrom(forbids.starts, address + quantity - 1);
  for (let i = reaching(forbids, begin, address); i >= 0; i = reaching(forbids, i - 1, address)) {
    const parts = forbids.parts[i];
    if (parts == null || writes === null || hits(parts, writes)) return forbids.rules[i]!;
  }
  return null;
}

/** Why no grant covers an access: `rate` where one would but for its pace. */
type Uncovered = "not" | "rate" | "depends";

/** The grant that covers the access: one without a limit on operations a second before one with. */
function cover(
  slice: Slice,
  range: AddressRange | null,
  writes: Writes | null,
  state: SessionState,
  context: DecideContext,
): CompiledGrant | Uncovered {
  if (range === null) return "not";
  const last = range.address + range.quantity - 1;
  let found: Uncovered = "not";
  const { unlimited, limited } = slice;
  let i = reaching(unlimited, lastFrom(unlimited.starts, range.address), last);
  for (; i >= 0; i = reaching(unlimited, i - 1, last)) {
    const fit = fitOf(unlimited, i, writes, context);
    if (fit === "fits") return unlimited.rules[i]!;
    if (fit === "depends") found = "depends";
  }
  i = reaching(limited, lastFrom(limited.starts, range.address), last);
  for (; i >= 0; i = reaching(limited, i - 1, last)) {
    const rule = limited.rules[i]!;
    const fit = fitOf(limited, i, writes, context);
    if (fit === "not") continue;
    if (context.rates?.has(rule.rule, state.user) !== true) {
      if (found === "not") found = "rate";
    } else if (fit === "fits") return rule;
    else found = "depends";
  }
  return found;
}

function fitOf(
  intervals: Intervals<CompiledGrant>,
  i: number,
  writes: Writes | null,
  context: DecideContext,
) {
  const parts = intervals.parts[i];
  return parts == null || writes === null ? "fits" : fits(parts, writes, context.current);
}

function charge(grant: CompiledGrant | Uncovered, state: SessionState, context: DecideContext) {
  if (typeof grant !== "string") context.rates?.take(grant.rule, state.user);
}
