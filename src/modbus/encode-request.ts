/** Requests, Operation to bytes; the layout stands in request.ts. */
import { type Table, BugError } from "../base/index.ts";
import { diagnosticsFault } from "./diagnostics.ts";
import { encodeFiles } from "./files.ts";
import {
  ADDRESS_SPACE,
  COIL_OFF,
  COIL_ON,
  isFunctionCode,
  MAX_PDU,
  MAX_READ_COILS,
  MAX_READ_REGISTERS,
  MAX_READ_WRITE_REGISTERS,
  MAX_WRITE_COILS,
  MAX_WRITE_REGISTERS,
  MEI_DEVICE_IDENTIFICATION,
} from "./limits.ts";
import type { AddressRange, Operation, WriteRange } from "./operation.ts";
import { checkBounds, putWord } from "./words.ts";

/** Parts an Operation may have, as bits. */
const READS = 1;
const WRITES = 2;
const FILES = 4;
const DATA = 8;
const SUB_FUNCTION = 16;

/**
 * Writes the PDU of an Operation at `at` and returns its end; `out` has room for 253 bytes. Every value is written anew,
 * and an Operation with a part its function does not have is refused: what was judged must be all that is sent.
 *
 * BugError `encode`: this is no Operation that decodeRequest could have given.
 */
export function encodeRequest(operation: Operation, out: Uint8Array, at: number): number {
  const end = encodeBody(operation, out, at + 1);
  checkBounds(out, at, end);
  if (end - at > MAX_PDU) throw cannot(operation, `it has ${end - at} bytes, the limit is ${MAX_PDU}`);
  out[at] = operation.functionCode;
  return end;
}

function encodeBody(operation: Operation, out: Uint8Array, at: number): number {
  switch (operation.functionCode) {
    case 1:
      return encodeRead(operation, "coils", MAX_READ_COILS, out, at);
    case 2:
      return encodeRead(operation, "discreteInputs", MAX_READ_COILS, out, at);
    case 3:
      return encodeRead(operation, "holdingRegisters", MAX_READ_REGISTERS, out, at);
    case 4:
      return encodeRead(operation, "inputRegisters", MAX_READ_REGISTERS, out, at);
    case 5:
    case 6:
      only(operation, WRITES);
      return encodeSingle(operation, out, at);
    case 7:
    case 11:
    case 12:
    case 17:
      only(operation, 0);
      return at;
    case 8:
      return encodeDiagnostics(operation, out, at);
    case 15:
      only(operation, WRITES);
      return encodeMultiple(operation, "coils", MAX_WRITE_COILS, out, at);
    case 16:
      only(operation, WRITES);
      return encodeMultiple(operation, "holdingRegisters", MAX_WRITE_REGISTERS, out, at);
    case 20:
    case 21:
      only(operation, FILES);
      return encodeFiles(operation.functionCode === 21, operation.files, out, at);
    case 22:
      only(operation, WRITES);
      return encodeMask(operation, out, at);
    case 23:
      only(operation, READS | WRITES);
      putRange(operation.reads, "holdingRegisters", MAX_READ_REGISTERS, out, at);
      return encodeMultiple(operation, "holdingRegisters", MAX_READ_WRITE_REGISTERS, out, at + 4);
    case 24:
      only(operation, READS);
      putWord(
        out,
        at,
        checkRange(operation.reads, "holdingRegisters", 1).address,
        "the FIFO pointer address",
      );
      return at + 2;
    case 43:
      return encodeEncapsulated(operation, out, at);
    default:
      only(operation, DATA);
      if (!isFunctionCode(operation.functionCode)) {
        throw cannot(operation, "function codes are 1..127");
      }
      return putBytes(operation.data, out, at);
  }
}

function encodeRead(operation: Operation, table: Table, limit: number, out: Uint8Array, at: number): number {
  only(operation, READS);
  return putRange(operation.reads, table, limit, out, at);
}

function encodeSingle(operation: Operation, out: Uint8Array, at: number): number {
  const coil = operation.functionCode === 5;
  const [value] = written(operation, coil ? "coils" : "holdingRegisters", 1).values;
  if (value === undefined) throw cannot(operation, "it has no value");
  putRange(operation.writes, coil ? "coils" : "holdingRegisters", 1, out, at);
  putWord(out, at + 2, coil ? coilWord(operation, value) : value, "the value");
  return at + 4;
}

function encodeMultiple(
  operation: Operation,
  table: Table,
  limit: number,
  out: Uint8Array,
  at: number,
): number {
  const { values } = written(operation, table, limit);
  at = putRange(operation.writes, table, limit, out, at);
  const byteCount = table === "coils" ? Math.ceil(values.length / 8) : values.length * 2;
  out[at++] = byteCount;
  if (table === "coils") {
    out.fill(0, at, at + byteCount);
    values.forEach((value, i) => {
      if (coilWord(operation, value) === COIL_ON) out[at + (i >> 3)]! |= 1 << (i & 7);
    });
  } else {
    values.forEach((value, i) => putWord(out, at + i * 2, value, "a register"));
  }
  return at + byteCount;
}

function encodeMask(operation: Operation, out: Uint8Array, at: number): number {
  const { writes } = operation;
  if (writes === null || !("and" in writes)) throw cannot(operation, "it has no masks");
  putRange(writes, "holdingRegisters", 1, out, at);
  putWord(out, at + 2, writes.and, "the and mask");
  putWord(out, at + 4, writes.or, "the or mask");
  return at + 6;
}

function encodeDiagnostics(operation: Operation, out: Uint8Array, at: number): number {
  only(operation, SUB_FUNCTION | DATA);
  const { subFunction, data } = operation;
  putWord(out, at, subFunction, "the sub-function");
  const fault = diagnosticsFault(subFunction, data);
  if (fault !== null) throw cannot(operation, fault.message);
  return putBytes(data, out, at + 2);
}

function encodeEncapsulated(operation: Operation, out: Uint8Array, at: number): number {
  only(operation, SUB_FUNCTION | DATA);
  const { subFunction, data } = operation;
  if (!Number.isInteger(subFunction) || subFunction < 0 || subFunction > 0xff) {
    throw cannot(operation, `its MEI type is ${subFunction}`);
  }
  if (subFunction === MEI_DEVICE_IDENTIFICATION && !(data.length === 2 && data[0]! >= 1 && data[0]! <= 4)) {
    throw cannot(operation, "its data is no ReadDeviceId code and object id");
  }
  out[at] = subFunction;
  return putBytes(data, out, at + 1);
}

/** Refuses an Operation that lacks one of `parts` or has any other; data may be empty where it is allowed. */
function only(operation: Operation, parts: number): void {
  const present =
    (operation.reads === null ? 0 : READS) |
    (operation.writes === null ? 0 : WRITES) |
    (operation.files.length === 0 ? 0 : FILES) |
    (operation.data.length === 0 ? parts & DATA : DATA) |
    (operation.subFunction === -1 ? 0 : SUB_FUNCTION);
  if (present !== parts) throw cannot(operation, "its parts are not those of its function");
}

function written(operation: Operation, table: Table, limit: number): WriteRange {
  const { writes } = operation;
  if (writes === null || !("values" in writes)) throw cannot(operation, "it has no values");
  if (writes.values.length !== writes.quantity) {
    throw cannot(
      operation,
      `${writes.quantity} ${table} have ${writes.values.length} values, the limit is ${limit}`,
    );
  }
  return writes;
}

/** Writes address and quantity, and returns their end. */
function putRange(
  range: AddressRange | null,
  table: Table,
  limit: number,
  out: Uint8Array,
  at: number,
): number {
  const { address, quantity } = checkRange(range, table, limit);
  putWord(out, at, address, "the address");
  putWord(out, at + 2, quantity, "the quantity");
  return at + 4;
}

function checkRange(range: AddressRange | null, table: Table, limit: number): AddressRange {
  if (range === null || range.table !== table)
    throw new BugError("encode", `a request needs a range of ${table}`);
  const { address, quantity } = range;
  if (quantity < 1 || quantity > limit || address + quantity > ADDRESS_SPACE) {
    throw new BugError(
      "encode",
      `${quantity} ${table} from address ${address}: the limits are ${limit} and ${ADDRESS_SPACE - 1}`,
    );
  }
  return range;
}

function putBytes(data: Uint8Array, out: Uint8Array, at: number): number {
  if (at + data.length > out.length) {
    throw new BugError("encode", `${data.length} bytes at ${at} do not fit a buffer of ${out.length}`);
  }
  out.set(data, at);
  return at + data.length;
}

function coilWord(operation: Operation, value: number): number {
  if (value !== 0 && value !== 1) throw cannot(operation, `the value of a coil is ${value}`);
  return value === 1 ? COIL_ON : COIL_OFF;
}

function cannot(operation: Operation, why: string): BugError {
  return new BugError(
    "encode",
    `an operation of function ${operation.functionCode} cannot be encoded: ${why}`,
  );
}
