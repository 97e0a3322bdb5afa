/** Addresses, values and units of Modbus as a site document writes them: a number, or a range such as 10-19. */
import type { Table } from "../base/index.ts";
import { mistake, shown, type Reading } from "./scalar.ts";
import type { Interval } from "./snapshot.ts";

export const LAST_ADDRESS = 65_535;

const RANGE = /^(0|[1-9]\d{0,6})\s*-\s*(0|[1-9]\d{0,6})$/;

/** The pattern of a range, for editors. */
export const RANGE_PATTERN = "^(0|[1-9]\\d{0,4}) *- *(0|[1-9]\\d{0,4})$";

/** What people call an entry of a table. */
export const TABLE_WORDS: Readonly<Record<Table, string>> = {
  coils: "coil",
  discreteInputs: "discrete input",
  holdingRegisters: "holding register",
  inputRegisters: "input register",
};

const REFERENCES: Readonly<Record<string, Table>> = {
  "0": "coils",
  "1": "discreteInputs",
  "3": "inputRegisters",
  "4": "holdingRegisters",
};

/**
 * What a number would be in the reference notation of programming tools: 40011 and 400011 are holding register 10.
 * Null where its first digit names no table or what follows is no count from 1.
 */
export function asReference(digits: string): { readonly table: Table; readonly address: number } | null {
  if (!/^\d{5,6}$/.test(digits)) return null;
  const table = REFERENCES[digits.slice(0, 1)];
  const address = Number(digits.slice(1)) - 1;
  return table === undefined || address < 0 || address > LAST_ADDRESS ? null : { table, address };
}

function beyond(digits: string, last: number, what: string, table: Table | null): Reading<Interval> {
  const reference = table === null ? null : asReference(digits);
  if (reference !== null) {
    const word = TABLE_WORDS[reference.table];
    return mistake(
      `addresses count from 0: ${word} ${digits} is ${reference.table}: ${reference.address}`,
      `${what} from 0 to ${last}`,
      reference.table === table ? `${reference.address}` : undefined,
    );
  }
  return mistake(`${digits} is beyond the last ${what}, ${last}`, `${what} from 0 to ${last}`);
}

/** `table` is not null for addresses: numbers in reference notation are then explained. */
function readRange(
  input: unknown,
  last: number,
  what: string,
  table: Table | null = null,
): Reading<Interval> {
  const expected = `${what} from 0 to ${last}: a number, or a range such as 0-${Math.min(last, 9)}`;
  if (typeof input === "number") {
    if (!Number.isInteger(input)) return mistake(`${input} is not a whole number`, expected);
    if (input < 0) return mistake(`${input} is below 0`, expected);
    if (input > last) return beyond(`${input}`, last, what, table);
    return { value: { start: input, end: input } };
  }
  if (typeof input !== "string") return mistake(`${shown(input)} is no ${what}`, expected);
  const match = RANGE.exec(input);
  if (match === null) {
    const suggestion = /^(0|[1-9]\d{0,6})$/.test(input)
      ? input
      : input.replace(/^(\d+)\s*(?:\.\.\.?|:|–|to)\s*(\d+)$/, "$1-$2");
    return mistake(
      `${shown(input)} is no ${what}`,
      expected,
      suggestion === input && !/^\d+$/.test(input) ? undefined : suggestion,
    );
  }
  const [, first = "", second = ""] = match;
  for (const digits of [first, second]) if (Number(digits) > last) return beyond(digits, last, what, table);
  const [start, end] = [Number(first), Number(second)];
  if (start > end) return mistake(`the range ${input} runs backwards`, expected, `${end}-${start}`);
  return { value: { start, end } };
}

export function readAddress(table: Table, input: unknown): Reading<Interval> {
  const leading = typeof input === "string" ? asReference(input) : null;
  if (leading !== null && typeof input === "string") return beyond(input, LAST_ADDRESS, "address", table);
  return readRange(input, LAST_ADDRESS, "address", table);
}

export function readUnit(last: number, input: unknown): Reading<Interval> {
  return readRange(input, last, "unit", null);
}

export const LAST_VALUE = { coils: 1, holdingRegisters: 65_535 } as const;

/** Values as they stand on the wire: coils 0 or 1, registers 0..65535 without sign. */
export function readValues(table: "coils" | "holdingRegisters", input: unknown): Reading<Interval> {
  const last = LAST_VALUE[table];
  const negative = /^-(\d+)(?:\s*-\s*(-?\d+))?$/.exec(
    typeof input === "number" ? `${input}` : typeof input === "string" ? input : "",
  );
  if (negative !== null && table === "holdingRegisters") {
    const value = Number(negative[1]);
    const wire = value >= 1 && value <= 32_768 ? `; -${value} is ${65_536 - value} there` : "";
    return mistake(
      `values are compared as they stand on the wire, 0 to 65535 without sign${wire}`,
      "value from 0 to 65535",
    );
  }
  if (typeof input === "boolean") {
    return mistake(`${input} is no value`, `value from 0 to ${last}`, input ? "1" : "0");
  }
  return readRange(input, last, "value");
}

/** TCP and UDP ports. */
export function readPorts(input: unknown): Reading<Interval> {
  const reading = readRange(input, 65_535, "port");
  if ("value" in reading && reading.value.start === 0)
    return mistake("port 0 is no port", "port from 1 to 65535");
  return reading;
}
