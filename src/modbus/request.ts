/**
 * Requests, bytes to Operation. The PDU (section 4.1), all words big-endian:
 *
 *   1, 2, 3, 4   | fc | address | quantity |
 *   5, 6         | fc | address | value |
 *   7, 11, 12, 17| fc |
 *   8            | fc | sub-function | data ... |
 *   15, 16       | fc | address | quantity | byte count (1) | values ... |
 *   20           | fc | byte count (1) | { 6 (1) | file | record | length } ... |
 *   21           | fc | byte count (1) | { 6 (1) | file | record | length | registers ... } ... |
 *   22           | fc | address | and | or |
 *   23           | fc | read address | quantity | write address | quantity | byte count (1) | values ... |
 *   24           | fc | FIFO pointer address |
 *   43           | fc | MEI type (1) | data ... |
 *   others       | fc | anything ... |
 */
import { type Table, ByteReader, PeerError } from "../base/index.ts";
import { diagnosticsFault } from "./diagnostics.ts";
import { decodeFiles } from "./files.ts";
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
import type { AddressRange, FileRecord, MaskWrite, Operation, WriteRange } from "./operation.ts";
import { checkBounds, unpackCoils, unpackRegisters, wordAt } from "./words.ts";

const NO_FILES: readonly FileRecord[] = Object.freeze([]);
const NO_DATA = Object.freeze(new Uint8Array(0));

/**
 * The PDU from `start` to `end` as an Operation, which keeps nothing of `bytes`. A function code of 1..127 that the standard
 * does not define gives its body as `data`: whether it may pass is policy's to say. Function 24 names its queue by the
 * pointer register, so `reads` is that one register.
 *
 * PeerError: `pdu-length`, `function-code` (0, or 128 and up), `truncated`, `trailing-bytes`, `quantity`, `byte-count`,
 * `address-overflow`, `coil-value`, `padding`, `reserved`, `reference-type`, `file-number`.
 */
export function decodeRequest(unit: number, bytes: Uint8Array, start: number, end: number): Operation {
  checkBounds(bytes, start, end);
  const length = end - start;
  if (length < 1 || length > MAX_PDU) {
    throw new PeerError("pdu-length", `a request of ${length} bytes is outside 1..${MAX_PDU}`);
  }
  const functionCode = bytes[start]!;
  switch (functionCode) {
    case 1:
      return decodeRead(unit, 1, "coils", MAX_READ_COILS, bytes, start, end);
    case 2:
      return decodeRead(unit, 2, "discreteInputs", MAX_READ_COILS, bytes, start, end);
    case 3:
      return decodeRead(unit, 3, "holdingRegisters", MAX_READ_REGISTERS, bytes, start, end);
    case 4:
      return decodeRead(unit, 4, "inputRegisters", MAX_READ_REGISTERS, bytes, start, end);
    default:
      return decodeOther(unit, functionCode, new ByteReader(bytes, start + 1, end));
  }
}

/** The hot path: a PLC is polled with these all day. */
function decodeRead(
  unit: number,
  functionCode: number,
  table: Table,
  limit: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): Operation {
  if (end - start !== 5) {
    throw new PeerError(
      end - start < 5 ? "truncated" : "trailing-bytes",
      `a request of function ${functionCode} has ${end - start} bytes instead of 5`,
    );
  }
  const address = wordAt(bytes, start + 1);
  const quantity = wordAt(bytes, start + 3);
  checkRange(functionCode, address, quantity, limit);
  return operation(unit, functionCode, -1, { table, address, quantity }, null, NO_FILES, NO_DATA);
}

function decodeOther(unit: number, functionCode: number, body: ByteReader): Operation {
  switch (functionCode) {
    case 5:
    case 6:
      return written(unit, functionCode, null, decodeSingle(functionCode, body));
    case 7:
    case 11:
    case 12:
    case 17:
      body.finish(`a request of function ${functionCode}`);
      return operation(unit, functionCode, -1, null, null, NO_FILES, NO_DATA);
    case 8:
      return decodeDiagnostics(unit, body);
    case 15:
    case 16:
      return written(unit, functionCode, null, decodeMultiple(functionCode, body));
    case 20:
    case 21:
      return operation(unit, functionCode, -1, null, null, decodeFiles(functionCode === 21, body), NO_DATA);
    case 22:
      return written(unit, functionCode, null, decodeMask(body));
    case 23: {
      const reads = decodeRange(23, "holdingRegisters", MAX_READ_REGISTERS, body);
      return written(unit, functionCode, reads, decodeMultiple(23, body));
    }
    case 24: {
      const reads: AddressRange = {
        table: "holdingRegisters",
        address: body.u16("the FIFO pointer address"),
        quantity: 1,
      };
      body.finish("a request of function 24");
      return operation(unit, functionCode, -1, reads, null, NO_FILES, NO_DATA);
    }
    case 43:
      return decodeEncapsulated(unit, body);
    default:
      if (!isFunctionCode(functionCode)) {
        throw new PeerError("function-code", `function code ${functionCode} of a request is outside 1..127`);
      }
      return operation(unit, functionCode, -1, null, null, NO_FILES, rest(body));
  }
}

function decodeSingle(functionCode: number, body: ByteReader): WriteRange {
  const address = body.u16("the address");
  const value = body.u16("the value");
  body.finish(`a request of function ${functionCode}`);
  if (functionCode === 6) return { table: "holdingRegisters", address, quantity: 1, values: [value] };
  if (value !== COIL_ON && value !== COIL_OFF) {
    throw new PeerError(
      "coil-value",
      `the value of coil ${address} is ${value}, allowed are ${COIL_OFF} and ${COIL_ON}`,
    );
  }
  return { table: "coils", address, quantity: 1, values: [value === COIL_ON ? 1 : 0] };
}

function decodeMultiple(functionCode: number, body: ByteReader): WriteRange {
  const coils = functionCode === 15;
  const limit = coils
    ? MAX_WRITE_COILS
    : functionCode === 16
      ? MAX_WRITE_REGISTERS
      : MAX_READ_WRITE_REGISTERS;
  const range = decodeRange(functionCode, coils ? "coils" : "holdingRegisters", limit, body);
  const byteCount = body.u8("the byte count");
  const needed = coils ? Math.ceil(range.quantity / 8) : range.quantity * 2;
  if (byteCount !== needed) {
    throw new PeerError(
      "byte-count",
      `the byte count is ${byteCount}, ${range.quantity} values are ${needed} bytes`,
    );
  }
  const bytes = body.view(byteCount, "the values");
  body.finish(`a request of function ${functionCode}`);
  const values = coils ? unpackCoils(bytes, range.quantity) : unpackRegisters(bytes);
  if (coils && range.quantity % 8 !== 0 && bytes[byteCount - 1]! >> (range.quantity % 8) !== 0) {
    throw new PeerError("padding", `the bits after the last of ${range.quantity} coils are not all 0`);
  }
  return { table: range.table, address: range.address, quantity: range.quantity, values };
}

function decodeMask(body: ByteReader): MaskWrite {
  const address = body.u16("the address");
  const and = body.u16("the and mask");
  const or = body.u16("the or mask");
  body.finish("a request of function 22");
  return { table: "holdingRegisters", address, quantity: 1, and, or };
}

function decodeDiagnostics(unit: number, body: ByteReader): Operation {
  const subFunction = body.u16("the sub-function");
  const data = rest(body);
  const fault = diagnosticsFault(subFunction, data);
  if (fault !== null) throw fault;
  return operation(unit, 8, subFunction, null, null, NO_FILES, data);
}

function decodeEncapsulated(unit: number, body: ByteReader): Operation {
  const mei = body.u8("the MEI type");
  if (mei !== MEI_DEVICE_IDENTIFICATION) return operation(unit, 43, mei, null, null, NO_FILES, rest(body));
  const data = new Uint8Array(body.view(2, "the ReadDeviceId code and object id"));
  body.finish("a request of function 43/14");
  if (data[0]! < 1 || data[0]! > 4)
    throw new PeerError("reserved", `the ReadDeviceId code is ${data[0]}, allowed is 1..4`);
  return operation(unit, 43, mei, null, null, NO_FILES, data);
}

function decodeRange(functionCode: number, table: Table, limit: number, body: ByteReader): AddressRange {
  const address = body.u16("the address");
  const quantity = body.u16("the quantity");
  checkRange(functionCode, address, quantity, limit);
  return { table, address, quantity };
}

function checkRange(functionCode: number, address: number, quantity: number, limit: number): void {
  if (quantity < 1 || quantity > limit) {
    throw new PeerError(
      "quantity",
      `function ${functionCode} asks for ${quantity} values, allowed is 1..${limit}`,
    );
  }
  if (address + quantity > ADDRESS_SPACE) {
    throw new PeerError(
      "address-overflow",
      `function ${functionCode}: ${quantity} values from address ${address} go beyond ${ADDRESS_SPACE - 1}`,
    );
  }
}

/** A copy: an Operation outlives the chunk it came in, for it waits for its record. (`slice` of a Buffer would be a view.) */
function rest(body: ByteReader): Uint8Array {
  return body.remaining === 0 ? NO_DATA : new Uint8Array(body.view(body.remaining, "the data"));
}

function written(
  unit: number,
  functionCode: number,
  reads: AddressRange | null,
  writes: WriteRange | MaskWrite,
): Operation {
  return operation(unit, functionCode, -1, reads, writes, NO_FILES, NO_DATA);
}

/** The one place that makes Operations, so that all have one hidden class. */
function operation(
  unit: number,
  functionCode: number,
  subFunction: number,
  reads: AddressRange | null,
  writes: WriteRange | MaskWrite | null,
  files: readonly FileRecord[],
  data: Uint8Array,
): Operation {
  return { unit, functionCode, subFunction, reads, writes, files, data };
}
