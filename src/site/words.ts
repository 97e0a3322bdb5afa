/** What a rule says, in words for one line: for differences between two documents. */
import { TABLES } from "../base/index.ts";
import { LAST_ADDRESS } from "./address.ts";
import { DAYS, instantText, MINUTES_OF_DAY } from "./calendar.ts";
import { setName } from "./functions.ts";
import { intervalText, intervalsText } from "./interval.ts";
import { postureOf, WHO_FIELDS, type RuleParts } from "./overlap.ts";
import type { FunctionScope, Interval, ModbusScope, Rate, When, Who, WriteInterval } from "./snapshot.ts";

/** Names so that two different lists never read the same. */
export function namesText(names: readonly string[]): string {
  return names.map((name) => (/^[\w./:@-]+$/.test(name) ? name : JSON.stringify(name))).join(", ");
}

export function whoText(who: Who): string {
  const fields = WHO_FIELDS.flatMap((field) => {
    const values = who[field];
    return values === null ? [] : [`${field} ${namesText(values)}`];
  });
  return fields.length === 0 ? "anyone" : fields.join(" and ");
}

function functionText({ code, subFunctions }: FunctionScope): string {
  return subFunctions === null ? `${code}` : `${code} (sub-functions ${subFunctions.join(", ")})`;
}

export function functionsText(functions: readonly FunctionScope[] | null): string {
  if (functions === null) return "every function";
  return setName(functions) ?? functions.map(functionText).join(", ");
}

function rangeText(intervals: readonly Interval[]): string {
  const [first] = intervals;
  const all = intervals.length === 1 && first?.start === 0 && first.end === LAST_ADDRESS;
  return all ? "all" : intervalsText(intervals);
}

function writeText(table: string, { start, end, min, max, maxChange }: WriteInterval): string {
  const top = table === "coils" ? 1 : 65_535;
  const limits = [
    ...(min === 0 && max === top ? [] : [`values ${intervalText({ start: min, end: max })}`]),
    ...(maxChange === null ? [] : [`maxChange ${maxChange}`]),
  ];
  const range = rangeText([{ start, end }]);
  return limits.length === 0 ? range : `${range} (${limits.join(", ")})`;
}

export function readsText({ reads }: ModbusScope): string {
  if (reads === null) return "any address";
  const given = TABLES.flatMap((table) =>
    reads[table] === undefined ? [] : [`${table} ${rangeText(reads[table])}`],
  );
  return given.length === 0 ? "nothing" : given.join(", ");
}

export function writesText({ writes }: ModbusScope): string {
  if (writes === null) return "any address";
  const given = TABLES.flatMap((table) => {
    const intervals = writes[table];
    return intervals === undefined
      ? []
      : [`${table} ${intervals.map((one) => writeText(table, one)).join(", ")}`];
  });
  return given.length === 0 ? "nothing" : given.join(", ");
}

function clock(minute: number): string {
  return `${`${Math.floor(minute / 60)}`.padStart(2, "0")}:${`${minute % 60}`.padStart(2, "0")}`;
}

function whenText({ days, hours, from, until, keySwitch }: When): string {
  const parts = [
    ...(days === null ? [] : [days.map((day) => DAYS[day] ?? "").join(" ")]),
    ...(hours === null
      ? []
      : hours.map(({ start, end }) => `${clock(start)}-${clock(Math.min(end, MINUTES_OF_DAY))}`)),
    ...(from === null ? [] : [`from ${instantText(from)}`]),
    ...(until === null ? [] : [`until ${instantText(until)}`]),
    ...(keySwitch === null ? [] : [`with the key switch ${keySwitch}`]),
  ];
  return parts.length === 0 ? "always" : parts.join(" ");
}

export function timesText(parts: RuleParts): string {
  return parts.map(({ when }) => (when === null ? "always" : whenText(when))).join(" and ");
}

export function rateText(rate: Rate | null): string {
  const { operationsPerSecond = null, connections = null } = rate ?? {};
  const parts = [
    ...(operationsPerSecond === null ? [] : [`${operationsPerSecond} operations a second`]),
    ...(connections === null ? [] : [`${connections} sessions`]),
  ];
  return parts.length === 0 ? "no limit" : parts.join(" and ");
}

export function scopeFields(modbus: ModbusScope | null): Readonly<Record<string, string>> {
  return {
    units: modbus === null ? "-" : modbus.units === null ? "any" : intervalsText(modbus.units),
    functions: modbus === null ? "-" : functionsText(modbus.functions),
    read: modbus === null ? "-" : readsText(modbus),
    write: modbus === null ? "-" : writesText(modbus),
  };
}

/** A rule's fields by name, as text: two rules that say the same have the same. */
export function ruleFields(parts: RuleParts, rate: Rate | null): Readonly<Record<string, string>> {
  const [first] = parts;
  if (first === undefined) return {};
  const { reason, who, services, modbus, from } = first;
  return {
    reason,
    who: whoText(who),
    services: namesText(services),
    ...scopeFields(modbus),
    posture: postureOf(first).length === 0 ? "any" : namesText(postureOf(first)),
    when: timesText(parts),
    from: from === null ? "anywhere" : namesText(from),
    howFast: rateText(rate),
  };
}
