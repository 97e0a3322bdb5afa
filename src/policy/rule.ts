import type { Table } from "../base/index.ts";
import type { Identity } from "../identity/index.ts";
import type { Forbid, Grant, Interval, WriteInterval } from "../site/index.ts";
import { type Address, type Network, inNetwork, parseNetwork } from "./network.ts";
import { keyHolds, type Panel } from "./panel.ts";
import type { TimeCondition } from "./when.ts";

/** What an access does to addresses; `call` is an operation that names none. */
export type Kind = "read" | "write" | "call";

/** Addresses one rule speaks of without a gap, both ends included. `parts`: the limits on values within; null: none. */
export interface Run {
  readonly start: number;
  readonly end: number;
  readonly parts: readonly WriteInterval[] | null;
}

type Runs = Readonly<Record<Table, readonly Run[]>>;

const EVERYWHERE: readonly Run[] = [{ start: 0, end: 0xffff, parts: null }];
const NOWHERE: readonly Run[] = [];

/** A grant or forbid, made ready to be asked. */
export interface CompiledRule<R extends Grant | Forbid = Grant | Forbid> {
  readonly rule: R;
  readonly effect: "grant" | "forbid";
  /** Its place in the document; only breaks ties between names to show. */
  readonly order: number;
  /** Days, hours and dates of the rule's `when`; the key switch is asked afresh each time. */
  readonly when: TimeCondition | null;
  readonly from: readonly Network[] | null;
  readonly reads: Runs;
  readonly writes: Runs;
}

export type CompiledGrant = CompiledRule<Grant>;
export type CompiledForbid = CompiledRule;

/** Throws UsageError where a source network cannot be read. */
export function compileRule<R extends Grant | Forbid>(
  effect: "grant" | "forbid",
  rule: R,
  order: number,
  when: TimeCondition | null,
): CompiledRule<R> {
  return {
    rule,
    effect,
    order,
    when,
    from: rule.from === null ? null : rule.from.map(parseNetwork),
    reads: eachTable((table) => readRuns(rule.modbus?.reads?.[table] ?? [])),
    writes: eachTable((table) => writeRuns(rule.modbus?.writes?.[table] ?? [], effect)),
  };
}

/**
 * Fields that are not null must all match, within one any. What a certificate does not say matches nothing, and a field speaks of
 * its own kind of client only: a certificate whose user is called like a source is not that source. A grant that names
 * nobody is for certificates; a forbid that names nobody is for every client there is.
 */
export function matchesWho(
  { rule: { who }, effect }: CompiledRule,
  identity: Identity,
  groups: ReadonlySet<string>,
): boolean {
  const { kind, user } = identity;
  if (kind === "certificate") {
    return (
      who.sources === null &&
      who.machines === null &&
      (who.users === null || who.users.includes(user)) &&
      (who.groups === null || who.groups.some((group) => groups.has(group))) &&
      among(who.devices, identity.device) &&
      among(who.roles, identity.role) &&
      among(who.tiers, identity.tier) &&
      among(who.tenants, identity.tenant)
    );
  }
  const { sources, machines, ...certified } = who;
  if (Object.values(certified).some((list) => list !== null)) return false;
  const [own, other] = kind === "source" ? [sources, machines] : [machines, sources];
  return other === null && (own === null ? effect === "forbid" : own.includes(user));
}

function among(list: readonly string[] | null, value: string | null): boolean {
  return list === null || (value !== null && list.includes(value));
}

/** A source that cannot be read (null) is in no network a grant names, and in every network a forbid names. */
export function matchesFrom(rule: CompiledRule, source: Address | null): boolean {
  if (rule.from === null) return true;
  if (source === null) return rule.effect === "forbid";
  return rule.from.some((network) => inNetwork(source, network));
}

/** Time and key switch together. */
export function holds({ rule, effect, when }: CompiledRule, now: number, panel: Panel): boolean {
  return keyHolds(rule.when, effect, panel) && (when === null || when.holds(now));
}

/** Only a forbid can speak of every function by listing none. */
export function matchesFunction(rule: CompiledRule, code: number, subFunction: number): boolean {
  const functions = rule.rule.modbus?.functions ?? null;
  if (functions === null) return rule.effect === "forbid";
  return functions.some(
    (one) => one.code === code && (one.subFunctions === null || one.subFunctions.includes(subFunction)),
  );
}

/** `broadcast`: the request reaches every unit of a serial line, so a forbid for any one of them matches. */
export function matchesUnit(rule: CompiledRule, unit: number, broadcast: boolean): boolean {
  const units = rule.rule.modbus?.units ?? null;
  if (units === null || (broadcast && rule.effect === "forbid")) return true;
  return units.some(({ start, end }) => start <= unit && unit <= end);
}

/** Where the rule's addresses lie for such an access; a grant's run covers an access only as a whole. */
export function runsOf(rule: CompiledRule, kind: Kind, table: Table): readonly Run[] {
  const scope = rule.rule.modbus;
  if (scope === null) return rule.effect === "forbid" ? EVERYWHERE : NOWHERE;
  if (scope.reads === null && scope.writes === null) return EVERYWHERE;
  if (kind === "read") return rule.reads[table];
  if (kind === "write") return rule.writes[table];
  return rule.effect === "forbid" ? NOWHERE : EVERYWHERE;
}

function eachTable(runs: (table: Table) => readonly Run[]): Runs {
  return {
    coils: runs("coils"),
    discreteInputs: runs("discreteInputs"),
    holdingRegisters: runs("holdingRegisters"),
    inputRegisters: runs("inputRegisters"),
  };
}

function readRuns(intervals: readonly Interval[]): Run[] {
  const runs: { start: number; end: number; parts: null }[] = [];
  for (const { start, end } of intervals) {
    const last = runs.at(-1);
    if (last !== undefined && start <= last.end + 1) last.end = Math.max(last.end, end);
    else runs.push({ start, end, parts: null });
  }
  return runs;
}

/** Neighbouring intervals of a grant carry one write together; those of a forbid each stand alone. */
function writeRuns(intervals: readonly WriteInterval[], effect: "grant" | "forbid"): Run[] {
  const runs: { start: number; end: number; parts: WriteInterval[] }[] = [];
  for (const part of intervals) {
    const last = runs.at(-1);
    if (effect === "grant" && last !== undefined && part.start === last.end + 1) {
      last.end = part.end;
      last.parts.push(part);
    } else runs.push({ start: part.start, end: part.end, parts: [part] });
  }
  return runs.map((run) => (run.parts.every(unlimited) ? { ...run, parts: null } : run));
}

function unlimited({ min, max, maxChange }: WriteInterval): boolean {
  return min <= 0 && max >= 0xffff && maxChange === null;
}
