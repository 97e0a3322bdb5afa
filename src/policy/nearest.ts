import type { Table } from "../base/index.ts";
import type { AddressRange, Operation } from "../modbus/index.ts";
import type { WriteInterval } from "../site/index.ts";
import {
  type CompiledGrant,
  type Kind,
  type Run,
  holds,
  matchesFunction,
  matchesUnit,
  runsOf,
} from "./rule.ts";
import type { SessionState } from "./state.ts";
import { type Writes, fits, masked } from "./values.ts";
import type { DecideContext } from "./verdict.ts";

/** Half of an operation: what it reads, what it writes, or that it is done at all. Both ends included. */
export interface Access {
  readonly kind: Kind;
  readonly table: Table;
  readonly start: number;
  readonly end: number;
  readonly writes: Writes | null;
}

/** An operation that no grant covers, with all that was known when it was refused. */
export interface Case {
  readonly state: SessionState;
  readonly operation: Operation;
  readonly access: Access;
  readonly now: number;
  readonly context: DecideContext;
}

/**
 * In the order in which an operation passes them: the later a grant fails, the nearer it came. `table`: it has no
 * address in that table at all, which a denial calls `address` too.
 */
const STAGES = [
  "function",
  "unit",
  "table",
  "address",
  "value",
  "change",
  "when",
  "posture",
  "connections",
  "rate",
] as const;

export type OperationStage = (typeof STAGES)[number];

export function accessesOf({ reads, writes }: Operation): readonly Access[] {
  const accesses: Access[] = [];
  if (writes !== null) accesses.push({ kind: "write", ...spanOf(writes), writes });
  if (reads !== null) accesses.push({ kind: "read", ...spanOf(reads), writes: null });
  if (accesses.length > 0) return accesses;
  return [{ kind: "call", table: "holdingRegisters", start: 0, end: 0, writes: null }];
}

function spanOf({ table, address, quantity }: AddressRange) {
  return { table, start: address, end: address + quantity - 1 };
}

/** Of the grants that failed at the latest stage the document's first; null: one of them covers the access. */
export function nearestGrant(
  c: Case,
): { readonly grant: CompiledGrant; readonly stage: OperationStage } | null {
  let nearest: { grant: CompiledGrant; stage: OperationStage } | null = null;
  for (const grant of c.state.matched) {
    const stage = failingStage(grant, c);
    if (stage === null) return null;
    if (nearest === null || STAGES.indexOf(stage) > STAGES.indexOf(nearest.stage)) nearest = { grant, stage };
  }
  return nearest;
}

function failingStage(grant: CompiledGrant, c: Case): OperationStage | null {
  const { state, operation, access, now, context } = c;
  if (!matchesFunction(grant, operation.functionCode, operation.subFunction)) return "function";
  if (!matchesUnit(grant, operation.unit, false)) return "unit";
  const run = coveringRun(grant, access);
  if (run === undefined) return runsOf(grant, access.kind, access.table).length === 0 ? "table" : "address";
  const limit = failingLimit(run, c);
  if (limit !== null) return limit.stage;
  if (!holds(grant, now, state.request.panel())) return "when";
  if (state.lacking(grant, now) !== null) return "posture";
  if (!state.usable.has(grant)) return "connections";
  const paced = (grant.rule.rate?.operationsPerSecond ?? null) !== null;
  return paced && context.rates?.has(grant.rule, state.user) !== true ? "rate" : null;
}

export function coveringRun(grant: CompiledGrant, { kind, table, start, end }: Access): Run | undefined {
  return runsOf(grant, kind, table).find((run) => run.start <= start && end <= run.end);
}

/** The first address whose value, or step from what the machine holds, is outside the limits of `part`. */
export interface FailingLimit {
  readonly stage: "value" | "change";
  readonly part: WriteInterval;
  readonly address: number;
  /** Null: a mask write of which no result lies within. */
  readonly value: number | null;
  readonly held: number;
}

/** Null: the write keeps all limits, or may keep them, depending on what the machine holds. */
export function failingLimit(run: Run, { access, context }: Case): FailingLimit | null {
  const { writes } = access;
  const { parts } = run;
  if (writes === null || parts === null || fits(parts, writes, context.current) !== "not") return null;
  for (let address = access.start; address <= access.end; address++) {
    const part = parts.find(({ start, end }) => start <= address && address <= end);
    if (part === undefined) continue;
    const held = context.current?.[address - access.start];
    const value = valueAt(writes, address, held);
    const at = { part, address, value, held: held ?? 0 };
    if (value !== null && (value < part.min || value > part.max)) return { stage: "value", ...at };
    if (part.maxChange === null || value === null || held === undefined) continue;
    if (Math.abs(value - held) > part.maxChange) return { stage: "change", ...at };
  }
  const [part] = parts.filter(({ start, end }) => start <= access.start && access.start <= end);
  return part === undefined ? null : { stage: "value", part, address: access.start, value: null, held: 0 };
}

function valueAt(writes: Writes, address: number, held: number | undefined): number | null {
  if ("values" in writes) return writes.values[address - writes.address] ?? null;
  return held === undefined ? null : masked(held, writes.and, writes.or);
}
