/** Replies, checked value to bytes; the layout stands in reply.ts. */
import { BugError } from "../base/index.ts";
import { EXCEPTION_FLAG, MAX_PDU } from "./limits.ts";
import type { Operation } from "./operation.ts";
import { checkBounds, unpackCoils, unpackRegisters } from "./words.ts";

export interface Reply {
  /** The exception code, 1..255; 0: none. */
  readonly exception: number;
  /** The checked body after the function code, empty for an exception; a view, valid as long as the bytes underneath. */
  readonly data: Uint8Array;
}

/** Writes the PDU of a checked reply at `at` and returns its end; `out` has room for 253 bytes. */
export function encodeReply(operation: Operation, reply: Reply, out: Uint8Array, at: number): number {
  if (reply.exception !== 0) return encodeException(operation.functionCode, reply.exception, out, at);
  const end = at + 1 + reply.data.length;
  checkBounds(out, at, end);
  if (end - at > MAX_PDU) {
    throw new BugError("encode", `a reply has ${end - at} bytes, the limit is ${MAX_PDU}`);
  }
  out[at] = operation.functionCode;
  out.set(reply.data, at + 1);
  if (operation.functionCode <= 2) {
    const used = quantityRead(operation) % 8;
    if (used !== 0) out[end - 1]! &= (1 << used) - 1;
  }
  return end;
}

/**
 * Writes an exception reply (section 7) at `at` and returns its end. `code` is 1..255. Of a function code that is none the lower seven
 * bits are repeated, as servers do that set the highest bit.
 */
export function encodeException(functionCode: number, code: number, out: Uint8Array, at: number): number {
  checkBounds(out, at, at + 2);
  if (!isByte(functionCode) || !isByte(code) || code < 1) {
    throw new BugError("encode", `exception ${code} to function ${functionCode} cannot be encoded`);
  }
  out[at] = functionCode | EXCEPTION_FLAG;
  out[at + 1] = code;
  return at + 2;
}

function isByte(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xff;
}

/** The values of a reply of functions 3, 4 and 23, 0..65535 each. BugError for an exception. */
export function readRegisters(reply: Reply): number[] {
  if (reply.exception !== 0)
    throw new BugError("no-values", `an exception ${reply.exception} has no registers`);
  return unpackRegisters(reply.data.subarray(1));
}

/** The values of a reply of functions 1 and 2, 0 or 1 each. BugError for an exception. */
export function readCoils(operation: Operation, reply: Reply): number[] {
  if (reply.exception !== 0) throw new BugError("no-values", `an exception ${reply.exception} has no coils`);
  return unpackCoils(reply.data.subarray(1), quantityRead(operation));
}

/** How many addresses a request of functions 1 to 4 and 23 reads. */
export function quantityRead(operation: Operation): number {
  if (operation.reads === null)
    throw new BugError("encode", `function ${operation.functionCode} reads nothing`);
  return operation.reads.quantity;
}
