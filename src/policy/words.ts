import { functionName } from "../modbus/index.ts";
import type { Grant, Interval, When } from "../site/index.ts";
import type { Table } from "../base/index.ts";

export const TABLE_WORDS: Readonly<Record<Table, string>> = {
  coils: "coil",
  discreteInputs: "discrete input",
  holdingRegisters: "holding register",
  inputRegisters: "input register",
};

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/** A person reads no longer list than this. */
const MAX_LISTED = 5;

/** How a person finds the rule in the site document: those of sources and machines are no grants there. */
export function grantText({ name, who }: Grant): string {
  if (who.sources !== null) return `unsafeUnauthenticated "${name}"`;
  return who.machines === null ? `grant "${name}"` : `destination "${name}"`;
}

/** `function 6 (Write Single Register)`. */
export function functionText(code: number, subFunction: number): string {
  const name = functionName(code, subFunction);
  return name.startsWith("Function ") ? name.replace("Function", "function") : `function ${code} (${name})`;
}

/** `holding register 10`, `coils 3..7`. */
export function rangeText(table: Table, range: Interval): string {
  return `${TABLE_WORDS[table]}${range.start === range.end ? "" : "s"} ${intervalText(range)}`;
}

export function intervalText({ start, end }: Interval): string {
  return start === end ? `${start}` : `${start}..${end}`;
}

export function listText(items: readonly (string | number)[]): string {
  const shown = items.slice(0, MAX_LISTED).join(", ");
  return items.length > MAX_LISTED ? `${shown} and ${items.length - MAX_LISTED} more` : shown;
}

/** `Mon, Tue 08:00..17:00, from 2026-01-01T00:00:00.000Z (Europe/Berlin)`; empty where any time will do. */
export function timesText(when: When, timeZone: string): string {
  const days = when.days === null ? [] : [when.days.map((day) => DAYS[day] ?? day).join(", ")];
  const hours =
    when.hours === null
      ? []
      : [when.hours.map((span) => `${clock(span.start)}..${clock(span.end)}`).join(", ")];
  const calendar = [...days, ...hours].join(" ");
  return [
    ...(calendar === "" ? [] : [`${calendar} (${timeZone})`]),
    ...(when.from === null ? [] : [`from ${instant(when.from)}`]),
    ...(when.until === null ? [] : [`until ${instant(when.until)}`]),
  ].join(", ");
}

function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** A snapshot may hold any number; a Date only some. */
function instant(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : String(time);
}
