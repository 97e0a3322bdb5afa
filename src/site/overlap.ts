/**
 * Whether one rule contains another: everything the narrow one matches, the wide one matches too. Errs on the side of no:
 * used for warnings and for saying whether access widened, never for deciding.
 */
import { TABLES, type Table } from "../base/index.ts";
import { READ_CODES, WRITE_CODES } from "./functions.ts";
import { containsIntervals } from "./interval.ts";
import { containsNetwork, network } from "./network.ts";
import type {
  Forbid,
  FunctionScope,
  Grant,
  Interval,
  ModbusScope,
  When,
  Who,
  WriteInterval,
} from "./snapshot.ts";

/** The rules of one name: one, or two where its hours run over midnight. */
export type RuleParts<R extends Forbid = Forbid> = readonly R[];

export const WHO_FIELDS = [
  "users",
  "groups",
  "devices",
  "roles",
  "tiers",
  "tenants",
  "sources",
  "machines",
] as const satisfies readonly (keyof Who)[];

/** Functions that name an address: those a forbid with addresses can match. */
const ADDRESSED = new Set<number>([...Object.values(READ_CODES), ...Object.values(WRITE_CODES)].flat());

/** Both sorted. */
function containsTexts(outer: readonly string[], inner: readonly string[]): boolean {
  if (inner.length > outer.length) return false;
  let at = 0;
  for (const text of inner) {
    while (at < outer.length && outer[at]! < text) at += 1;
    if (outer[at] !== text) return false;
  }
  return true;
}

function containsValues(wide: readonly string[] | null, narrow: readonly string[] | null): boolean {
  return wide === null || (narrow !== null && containsTexts(wide, narrow));
}

export type RuleKind = "grant" | "forbid";

/** A grant that names no sources and no machines is for certificates alone; such a forbid is for every client there is. */
function containsWho(kind: RuleKind, wide: Who, narrow: Who): boolean {
  const reached =
    kind === "forbid" ||
    ((wide.sources === null) === (narrow.sources === null) &&
      (wide.machines === null) === (narrow.machines === null));
  return (
    reached &&
    containsValues(wide.users, narrow.users) &&
    containsValues(wide.groups, narrow.groups) &&
    containsValues(wide.devices, narrow.devices) &&
    containsValues(wide.roles, narrow.roles) &&
    containsValues(wide.tiers, narrow.tiers) &&
    containsValues(wide.tenants, narrow.tenants) &&
    containsValues(wide.sources, narrow.sources) &&
    containsValues(wide.machines, narrow.machines)
  );
}

function containsFunctions(
  wide: readonly FunctionScope[] | null,
  narrow: readonly FunctionScope[] | null,
): boolean {
  if (wide === null || wide === narrow) return true;
  if (narrow === null) return false;
  return narrow.every(({ code, subFunctions }) => {
    const outer = wide.find((scope) => scope.code === code);
    if (outer === undefined) return false;
    const all = outer.subFunctions;
    return all === null || (subFunctions !== null && subFunctions.every((sub) => all.includes(sub)));
  });
}

function withinLimits(outer: WriteInterval, inner: WriteInterval): boolean {
  const step = outer.maxChange === null || (inner.maxChange !== null && inner.maxChange <= outer.maxChange);
  return outer.min <= inner.min && inner.max <= outer.max && step;
}

/** Every address of `inner` lies in intervals of `outer` whose limits let pass at least what `inner` lets pass. */
function containsWrites(outer: readonly WriteInterval[], inner: readonly WriteInterval[]): boolean {
  return inner.every((write) => {
    const wide = outer.filter((candidate) => withinLimits(candidate, write));
    let next = write.start;
    for (const { start, end } of wide) if (start <= next && next <= end) next = end + 1;
    return next > write.end;
  });
}

type Tables<T> = Readonly<Partial<Record<Table, readonly T[]>>>;

function containsTables<T extends Interval>(
  wide: Tables<T>,
  narrow: Tables<T>,
  contains: (outer: readonly T[], inner: readonly T[]) => boolean,
): boolean {
  return TABLES.every((table) => {
    const inner = narrow[table];
    return inner === undefined || contains(wide[table] ?? [], inner);
  });
}

function containsModbus(wide: ModbusScope | null, narrow: ModbusScope | null): boolean {
  if (wide === null) return true;
  if (narrow === null) return false;
  if (wide.units !== null && (narrow.units === null || !containsIntervals(wide.units, narrow.units)))
    return false;
  return containsAddresses(wide, narrow) && containsFunctions(wide.functions, narrow.functions);
}

function containsAddresses(wide: ModbusScope, narrow: ModbusScope): boolean {
  if (wide.reads === null || wide.writes === null) return true;
  if (narrow.reads === null || narrow.writes === null) return false;
  return (
    containsTables(wide.writes, narrow.writes, containsWrites) &&
    containsTables(wide.reads, narrow.reads, containsIntervals)
  );
}

const ALWAYS: When = { days: null, hours: null, from: null, until: null, keySwitch: null };

function containsWhen(outer: When | null, inner: When | null): boolean {
  const wide = outer ?? ALWAYS;
  const narrow = inner ?? ALWAYS;
  const { days, hours } = wide;
  if (days !== null && (narrow.days === null || !narrow.days.every((day) => days.includes(day))))
    return false;
  if (hours !== null && (narrow.hours === null || !containsIntervals(hours, narrow.hours))) return false;
  if (wide.keySwitch !== null && narrow.keySwitch !== wide.keySwitch) return false;
  if (wide.from !== null && (narrow.from === null || narrow.from < wide.from)) return false;
  return wide.until === null || (narrow.until !== null && narrow.until <= wide.until);
}

function containsSources(wide: readonly string[] | null, narrow: readonly string[] | null): boolean {
  if (wide === null) return true;
  if (narrow === null) return false;
  const outer = wide.flatMap((text) => network(text) ?? []);
  return narrow.every((text) => {
    const inner = network(text);
    return inner !== null && outer.some((candidate) => containsNetwork(candidate, inner));
  });
}

/** What of a laptop a grant asks for; a forbid asks for nothing. */
export function postureOf(rule: Forbid | Grant): readonly string[] {
  return "posture" in rule ? (rule.posture ?? []) : [];
}

function containsPart(kind: RuleKind, wide: Forbid, narrow: Forbid): boolean {
  return (
    narrow.services.length > 0 &&
    containsTexts(wide.services, narrow.services) &&
    containsWho(kind, wide.who, narrow.who) &&
    containsWhen(wide.when, narrow.when) &&
    containsModbus(wide.modbus, narrow.modbus) &&
    containsSources(wide.from, narrow.from) &&
    containsTexts(postureOf(narrow), postureOf(wide))
  );
}

/** Every part of the narrow rule lies in one part of the wide one, which is of this kind. */
export function containsRule(kind: RuleKind, wide: RuleParts, narrow: RuleParts): boolean {
  return narrow.every((part) => wide.some((candidate) => containsPart(kind, candidate, part)));
}

/** Whether a forbid refuses all that a grant permits. One with addresses does not match functions that name none. */
export function forbidsAll(forbid: RuleParts, grant: RuleParts): boolean {
  if (!containsRule("forbid", forbid, grant)) return false;
  const byAddress = forbid.some(({ modbus }) => modbus !== null && modbus.reads !== null);
  return (
    !byAddress ||
    grant.every(({ modbus }) => modbus?.functions?.every(({ code }) => ADDRESSED.has(code)) === true)
  );
}
