/** Modbus in words for people: screens, records, messages. */
import type { Table } from "../base/index.ts";
import { DIAGNOSTICS } from "./diagnostics.ts";
import { MEI_CANOPEN, MEI_DEVICE_IDENTIFICATION } from "./limits.ts";
import type { AddressRange, FileRecord, Operation } from "./operation.ts";

/** Section 6's names. */
const FUNCTIONS: ReadonlyMap<number, string> = new Map([
  [1, "Read Coils"],
  [2, "Read Discrete Inputs"],
  [3, "Read Holding Registers"],
  [4, "Read Input Registers"],
  [5, "Write Single Coil"],
  [6, "Write Single Register"],
  [7, "Read Exception Status"],
  [8, "Diagnostics"],
  [11, "Get Comm Event Counter"],
  [12, "Get Comm Event Log"],
  [15, "Write Multiple Coils"],
  [16, "Write Multiple Registers"],
  [17, "Report Server ID"],
  [20, "Read File Record"],
  [21, "Write File Record"],
  [22, "Mask Write Register"],
  [23, "Read/Write Multiple Registers"],
  [24, "Read FIFO Queue"],
  [43, "Encapsulated Interface Transport"],
]);

/** Section 6.19. */
const MEI_TYPES: ReadonlyMap<number, string> = new Map([
  [MEI_CANOPEN, "CANopen General Reference"],
  [MEI_DEVICE_IDENTIFICATION, "Read Device Identification"],
]);

/** Section 7. */
const EXCEPTIONS: ReadonlyMap<number, string> = new Map([
  [1, "illegal function"],
  [2, "illegal data address"],
  [3, "illegal data value"],
  [4, "server device failure"],
  [5, "acknowledge"],
  [6, "server device busy"],
  [8, "memory parity error"],
  [10, "gateway path unavailable"],
  [11, "gateway target device failed to respond"],
]);

const ONE: Readonly<Record<Table, string>> = {
  coils: "coil",
  discreteInputs: "discrete input",
  holdingRegisters: "holding register",
  inputRegisters: "input register",
};

/** Functions that only read, whatever their addresses and data. */
const READS: ReadonlySet<number> = new Set([1, 2, 3, 4, 7, 11, 12, 17, 20, 24]);

/** Values and bytes shown before "and N more": a line stays a line. */
const SHOWN = 8;

/** The standard's name, e.g. `Read Holding Registers`; `subFunction` is -1 where there is none. */
export function functionName(functionCode: number, subFunction: number): string {
  const name = FUNCTIONS.get(functionCode) ?? `Function ${functionCode}`;
  if (subFunction === -1) return name;
  if (functionCode === 43) return MEI_TYPES.get(subFunction) ?? `${name} ${subFunction}`;
  const diagnostics = functionCode === 8 ? DIAGNOSTICS.get(subFunction)?.name : undefined;
  return `${name}: ${diagnostics ?? subFunction}`;
}

/** Section 7's name, e.g. `illegal function`; one it does not have is given as a number. */
export function exceptionName(code: number): string {
  return EXCEPTIONS.get(code) ?? `exception ${code}`;
}

/** What an operation does to the machine. "write" unless it is known only to read: so is what niac does not know. */
export function effect(operation: Operation): "read" | "write" {
  const { functionCode, subFunction } = operation;
  if (functionCode === 8) return DIAGNOSTICS.get(subFunction)?.reads === true ? "read" : "write";
  if (functionCode === 43) return subFunction === MEI_DEVICE_IDENTIFICATION ? "read" : "write";
  return READS.has(functionCode) ? "read" : "write";
}

/** One short line, e.g. `write holding registers 10..11 = 180, 90 (unit 1)`. Addresses count from 0, as on the wire. */
export function describeOperation(operation: Operation): string {
  return `${describe(operation)} (unit ${operation.unit})`;
}

function describe(operation: Operation): string {
  const { functionCode, subFunction, reads, writes, files, data } = operation;
  if (functionCode === 24 && reads !== null)
    return `read the FIFO queue at ${ONE[reads.table]} ${reads.address}`;
  if (files.length > 0) return `${effect(operation)} ${some(files.map(describeFile), "; ")}`;
  const parts: string[] = [];
  if (writes !== null) {
    parts.push(
      "values" in writes
        ? `write ${describeRange(writes)} = ${some(writes.values, ", ")}`
        : `mask ${describeRange(writes)}: and ${hexWord(writes.and)}, or ${hexWord(writes.or)}`,
    );
  }
  if (reads !== null) parts.push(`read ${describeRange(reads)}`);
  if (parts.length > 0) return parts.join(", then ");
  const name = functionName(functionCode, subFunction);
  return data.length === 0 ? name : `${name}, data ${some(Array.from(data, hexByte), " ")}`;
}

function describeRange(range: AddressRange): string {
  const one = ONE[range.table];
  if (range.quantity === 1) return `${one} ${range.address}`;
  return `${one}s ${range.address}..${range.address + range.quantity - 1}`;
}

function describeFile(file: FileRecord): string {
  const last = file.length === 1 ? "" : `..${file.record + file.length - 1}`;
  const values = file.values.length === 0 ? "" : ` = ${some(file.values, ", ")}`;
  return `file ${file.file} record ${file.record}${last}${values}`;
}

function some(items: readonly (string | number)[], separator: string): string {
  const shown = items.slice(0, SHOWN).join(separator);
  return items.length > SHOWN ? `${shown} and ${items.length - SHOWN} more` : shown;
}

function hexByte(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, "0");
}

function hexWord(word: number): string {
  return `0x${word.toString(16).toUpperCase().padStart(4, "0")}`;
}
