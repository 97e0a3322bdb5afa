/** Modbus functions as a site document names them (MODBUS Application Protocol V1.1b3, section 6). */
import { mistake, shown, type Reading } from "./scalar.ts";
import type { FunctionScope } from "./snapshot.ts";
import { closest } from "./suggest.ts";

const READ_ONLY = [1, 2, 3, 4, 7, 11, 12, 17, 20, 24];
const READ_WRITE = [...READ_ONLY, 5, 6, 15, 16, 21, 22, 23];

/**
 * The named sets, by function code. `readOnly` changes nothing in the machine; `readWrite` adds writing to its data;
 * `programming` adds diagnostics, device identification and the codes makers use to load programs.
 */
export const MODBUS_SETS: Readonly<Record<"readOnly" | "readWrite" | "programming", readonly number[]>> = {
  readOnly: READ_ONLY,
  readWrite: READ_WRITE.toSorted((a, b) => a - b),
  programming: [...READ_WRITE, 8, 40, 42, 43, 90, 125, 126].toSorted((a, b) => a - b),
};

export type FunctionSet = keyof typeof MODBUS_SETS;

/** Codes by the table they touch, for what contradicts itself; 23 reads and writes. */
export const READ_CODES = {
  coils: [1],
  discreteInputs: [2],
  holdingRegisters: [3, 23, 24],
  inputRegisters: [4],
} as const;
export const WRITE_CODES = { coils: [5, 15], holdingRegisters: [6, 16, 22, 23] } as const;

/** Functions with sub-functions: 8 Diagnostics (section 6.8), 43 Encapsulated Interface Transport (6.19, MEI types). */
export const SUB_FUNCTION_LIMITS: Readonly<Record<number, number>> = { 8: 65_535, 43: 255 };

/** Write File Record writes, but names no address of the four tables: no list of addresses limits it. */
const WRITE_FILE = 21;

/** One entry of `functions` as it is written: a set's name, or a code. */
export type FunctionItem = { readonly set: FunctionSet } | FunctionScope;

function scopesOf(codes: readonly number[]): readonly FunctionScope[] {
  return codes.map((code) => ({ code, subFunctions: null }));
}

/**
 * `limited`: of a grant that lists addresses. A set then leaves out function 21, or a grant of one register would open every
 * file; who wants it names 21.
 */
function expand(item: FunctionItem, limited: boolean): readonly FunctionScope[] {
  if (!("set" in item)) return [item];
  const codes = MODBUS_SETS[item.set];
  return scopesOf(limited ? codes.filter((code) => code !== WRITE_FILE) : codes);
}

function isSet(input: unknown): input is FunctionSet {
  return typeof input === "string" && Object.hasOwn(MODBUS_SETS, input);
}

function meant(input: unknown): string | undefined {
  return typeof input === "string" ? closest(input, Object.keys(MODBUS_SETS)) : undefined;
}

export function readFunctionSet(input: unknown): Reading<FunctionItem> {
  if (isSet(input)) return { value: { set: input } };
  const expected = "readOnly, readWrite, programming, or a list of these and of function codes";
  return mistake(
    `${shown(input)} is no set of functions`,
    expected,
    typeof input === "number" ? `[${input}]` : meant(input),
  );
}

/** A set's name or a function code, 1..127 (codes from 128 on are exception replies). */
export function readFunction(input: unknown): Reading<FunctionItem> {
  if (isSet(input)) return { value: { set: input } };
  const expected =
    "readOnly, readWrite, programming, a function code from 1 to 127, or { code: 8, subFunctions: [0] }";
  if (typeof input === "number" && Number.isInteger(input)) {
    if (input >= 1 && input <= 127) return { value: { code: input, subFunctions: null } };
    return mistake(`function code ${input} is outside 1..127`, expected);
  }
  return mistake(`${shown(input)} is no function`, expected, meant(input));
}

/** One list sorted by code; where a code is named with and without sub-functions, it is there with all. */
export function mergeFunctions(items: readonly FunctionItem[], limited: boolean): readonly FunctionScope[] {
  const scopes = items.flatMap((item) => expand(item, limited));
  const byCode = new Map<number, readonly number[] | null>();
  for (const { code, subFunctions } of scopes) {
    const known = byCode.get(code);
    if (known === null || subFunctions === null) byCode.set(code, null);
    else
      byCode.set(
        code,
        [...new Set([...(known ?? []), ...subFunctions])].toSorted((a, b) => a - b),
      );
  }
  return [...byCode]
    .map(([code, subFunctions]) => ({ code, subFunctions }))
    .toSorted((a, b) => a.code - b.code);
}

/** A set's name, with or without 21, where the functions are exactly it; else null. */
export function setName(functions: readonly FunctionScope[]): string | null {
  const same = (scopes: readonly FunctionScope[]) => JSON.stringify(scopes) === JSON.stringify(functions);
  for (const set of ["readOnly", "readWrite", "programming"] as const) {
    if (same(expand({ set }, false))) return set;
    if (same(expand({ set }, true))) return `${set} without ${WRITE_FILE}`;
  }
  return null;
}

export function hasAny(functions: readonly FunctionScope[] | null, codes: readonly number[]): boolean {
  return functions === null || functions.some(({ code }) => codes.includes(code));
}
