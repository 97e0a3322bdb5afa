import type { Table } from "../base/index.ts";

/** `quantity` addresses from `address` on; always at least 1, and address + quantity is at most 65,536. */
export interface AddressRange {
  readonly table: Table;
  readonly address: number;
  readonly quantity: number;
}

/** What is written, one value an address: registers 0..65535, coils 0 or 1. */
export interface WriteRange extends AddressRange {
  readonly values: readonly number[];
}

/** Function 22: result = (current AND and) OR (or AND NOT and); section 6.16. */
export interface MaskWrite extends AddressRange {
  readonly and: number;
  readonly or: number;
}

/** One file reference of functions 20 and 21; `record` and `length` count registers. */
export interface FileRecord {
  readonly file: number;
  readonly record: number;
  readonly length: number;
  /** The registers written (function 21), else empty. */
  readonly values: readonly number[];
}

/**
 * One thing asked of a machine. All operations have one shape, so that the hot path stays fast, and the parts that
 * deciding needs (`functionCode`, `subFunction`, `reads`, `writes`) stand apart from the parts only encoding needs.
 */
export interface Operation {
  /** The unit identifier of the MBAP header or the serial line's address, 0..255. */
  readonly unit: number;
  /** 1..127. */
  readonly functionCode: number;
  /** Diagnostics' sub-function (function 8, 0..65535) or the MEI type (function 43); -1 where there is none. */
  readonly subFunction: number;
  /** What it reads of the four tables, or null. Function 23 has both. */
  readonly reads: AddressRange | null;
  /** What it writes to coils or holding registers, or null. */
  readonly writes: WriteRange | MaskWrite | null;
  /** Functions 20 and 21, else empty. */
  readonly files: readonly FileRecord[];
  /**
   * What remains: the data of function 8 (words as bytes), 43/13 (the CANopen data), 43/14 (ReadDeviceId code, object id),
   * or the whole body of a function this codec does not know; else empty.
   */
  readonly data: Uint8Array;
}
