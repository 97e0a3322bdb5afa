/** Every Operation that can be, for property tests. */
import * as fc from "fast-check";
import type { Table } from "../../../src/base/index.ts";
import {
  type AddressRange,
  FILE_RECORDS,
  MAX_READ_COILS,
  MAX_READ_REGISTERS,
  MAX_READ_WRITE_REGISTERS,
  MAX_WRITE_COILS,
  MAX_WRITE_REGISTERS,
  type Operation,
  PUBLIC_FUNCTIONS,
  type WriteRange,
} from "../../../src/modbus/index.ts";

const byte = fc.integer({ min: 0, max: 0xff });
const word = fc.integer({ min: 0, max: 0xffff });
const wordBytes = (count: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: count * 2, maxLength: count * 2 });

function range(table: Table, most: number): fc.Arbitrary<AddressRange> {
  return fc
    .tuple(word, fc.integer({ min: 1, max: most }))
    .map(([address, quantity]) => ({ table, address: Math.min(address, 65_536 - quantity), quantity }));
}

function writes(table: Table, most: number): fc.Arbitrary<WriteRange> {
  const value = table === "coils" ? fc.integer({ min: 0, max: 1 }) : word;
  return range(table, most).chain((written) =>
    fc
      .array(value, { minLength: written.quantity, maxLength: written.quantity, size: "max" })
      .map((values) => ({ ...written, values })),
  );
}

function operation(
  functionCode: number | fc.Arbitrary<number>,
  parts: { readonly [Part in keyof Operation]?: fc.Arbitrary<Operation[Part]> },
): fc.Arbitrary<Operation> {
  return fc.record({
    unit: byte,
    functionCode: typeof functionCode === "number" ? fc.constant(functionCode) : functionCode,
    subFunction: parts.subFunction ?? fc.constant(-1),
    reads: parts.reads ?? fc.constant(null),
    writes: parts.writes ?? fc.constant(null),
    files: parts.files ?? fc.constant([]),
    data: parts.data ?? fc.constant(new Uint8Array(0)),
  });
}

const fileReference = fc
  .tuple(
    fc.integer({ min: 1, max: 0xffff }),
    fc.integer({ min: 0, max: FILE_RECORDS - 1 }),
    fc.integer({ min: 1, max: 5 }),
  )
  .map(([file, record, length]) => ({
    file,
    record: Math.min(record, FILE_RECORDS - length),
    length,
    values: [],
  }));

const fileWritten = fileReference.chain((reference) =>
  fc
    .array(word, { minLength: reference.length, maxLength: reference.length })
    .map((values) => ({ ...reference, values })),
);

const mask = fc
  .tuple(range("holdingRegisters", 1), word, word)
  .map(([written, and, or]) => ({ ...written, and, or }));

const zeroWord = fc.constant(new Uint8Array(2));

/** Any Operation of any function; what decodeRequest can give, and nothing else. */
export const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  operation(1, { reads: range("coils", MAX_READ_COILS) }),
  operation(2, { reads: range("discreteInputs", MAX_READ_COILS) }),
  operation(3, { reads: range("holdingRegisters", MAX_READ_REGISTERS) }),
  operation(4, { reads: range("inputRegisters", MAX_READ_REGISTERS) }),
  operation(5, { writes: writes("coils", 1) }),
  operation(6, { writes: writes("holdingRegisters", 1) }),
  operation(fc.constantFrom(7, 11, 12, 17), {}),
  operation(8, { subFunction: fc.constant(0), data: fc.integer({ min: 0, max: 125 }).chain(wordBytes) }),
  operation(8, { subFunction: fc.constantFrom(1, 2, 3, 4, 10, 11, 18, 20), data: zeroWord }),
  operation(8, { subFunction: fc.integer({ min: 21, max: 0xffff }), data: wordBytes(1) }),
  operation(15, { writes: writes("coils", MAX_WRITE_COILS) }),
  operation(16, { writes: writes("holdingRegisters", MAX_WRITE_REGISTERS) }),
  operation(20, { files: fc.array(fileReference, { minLength: 1, maxLength: 20 }) }),
  operation(21, { files: fc.array(fileWritten, { minLength: 1, maxLength: 14 }) }),
  operation(22, { writes: mask }),
  operation(23, {
    reads: range("holdingRegisters", MAX_READ_REGISTERS),
    writes: writes("holdingRegisters", MAX_READ_WRITE_REGISTERS),
  }),
  operation(24, { reads: range("holdingRegisters", 1) }),
  operation(43, { subFunction: byte.filter((mei) => mei !== 14), data: fc.uint8Array({ maxLength: 251 }) }),
  operation(43, {
    subFunction: fc.constant(14),
    data: fc.tuple(fc.integer({ min: 1, max: 4 }), byte).map((bytes) => Uint8Array.from(bytes)),
  }),
  operation(
    fc.integer({ min: 1, max: 127 }).filter((code) => !PUBLIC_FUNCTIONS.has(code)),
    { data: fc.uint8Array({ maxLength: 252 }) },
  ),
);
