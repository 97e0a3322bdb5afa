import type { Interval, When } from "../site/snapshot.ts";
import type { Table } from "../base/index.ts";

/** Names of the functions (MODBUS Application Protocol V1.1b3, section 6). */
const FUNCTIONS: ReadonlyMap<number, string> = new Map([
  [1, "read coils"],
  [2, "read discrete inputs"],
  [3, "read holding registers"],
  [4, "read input registers"],
  [5, "write single coil"],
  [6, "write single register"],
  [7, "read exception status"],
  [8, "diagnostics"],
  [11, "get comm event counter"],
  [12, "get comm event log"],
  [15, "write multiple coils"],
  [16, "write multiple registers"],
  [17, "report server id"],
  [20, "read file record"],
  [21, "write file record"],
  [22, "mask write register"],
  [23, "read/write multiple registers"],
  [24, "read FIFO queue"],
  [43, "encapsulated interface"],
]);

const TABLE_WORDS: Readonly<Record<Table, string>> = {
  coils: "coil",
  discreteInputs: "discrete input",
  holdingRegisters: "holding register",
  inputRegisters: "input register",
};

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/** A person reads no longer list than this. */
const MAX_LISTED = 5;

/** `function 8 (diagnostics), sub-function 1`. */
export function functionText(code: number, subFunction: number): string {
  const name = FUNCTIONS.get(code);
  const sub =
    subFunction === -1 ? "" : code === 43 ? `, MEI type ${subFunction}` : `, sub-function ${subFunction}`;
  return `function ${code}${name === undefined ? "" : ` (${name})`}${sub}`;
}

/** `holding register 10`, `coils 3..7`. */
export function rangeText(table: Table, ranges: readonly Interval[]): string {
  const one = ranges.length === 1 && ranges[0]?.start === ranges[0]?.end;
  return `${TABLE_WORDS[table]}${one ? "" : "s"} ${listText(ranges.map(intervalText))}`;
}

export function intervalText({ start, end }: Interval): string {
  return start === end ? `${start}` : `${start}..${end}`;
}

export function listText(items: readonly (string | number)[]): string {
  const shown = items.slice(0, MAX_LISTED).join(", ");
  return items.length > MAX_LISTED ? `${shown} and ${items.length - MAX_LISTED} more` : shown;
}

/** `Mon, Tue 08:00..17:00, from 2026-01-01T00:00:00.000Z (Europe/Berlin)`. */
export function whenText(when: When, timeZone: string): string {
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
