import test from "ava";
import { BugError } from "../../../src/base/index.ts";
import { decodeRequest, encodeRequest, type Operation } from "../../../src/modbus/index.ts";
import { validRequests } from "./vectors.ts";

const ROOM = 253;

function decoded(hex: string): Operation {
  const pdu = Buffer.from(hex.replaceAll(" ", ""), "hex");
  return decodeRequest(1, pdu, 0, pdu.length);
}

function refuses(name: string, operation: Operation): void {
  test(`cannot be encoded: ${name}`, (t) => {
    t.throws(() => encodeRequest(operation, new Uint8Array(ROOM), 0), { instanceOf: BugError });
  });
}

const read = decoded("03 006B 0003");
const coil = decoded("05 00AC FF00");
const register = decoded("06 0001 0003");
const coils = decoded("0F 0013 000A 02 CD01");
const registers = decoded("10 0001 0002 04 000A 0102");
const mask = decoded("16 0004 00F2 0025");
const files = decoded("14 07 06 0004 0001 0002");
const filesWritten = decoded("15 09 06 0004 0007 0001 06AF");
const fifo = decoded("18 04DE");
const range = { table: "holdingRegisters", address: 0, quantity: 1 } as const;
const file = { file: 1, record: 0, length: 1, values: [] };

refuses("function code 0", { ...decoded("5A"), functionCode: 0 });
refuses("function code 128", { ...decoded("5A"), functionCode: 128 });
refuses("function code 90.5", { ...decoded("5A"), functionCode: 90.5 });
refuses("a read without range", { ...read, reads: null });
refuses("a read of another table", { ...read, reads: { ...range, table: "inputRegisters" } });
refuses("a read that also writes", { ...read, writes: { ...range, values: [1] } });
refuses("a read with data", { ...read, data: Uint8Array.of(1) });
refuses("a read with a sub-function", { ...read, subFunction: 0 });
refuses("a read with files", { ...read, files: [file] });
refuses("a read of 0", { ...read, reads: { ...range, quantity: 0 } });
refuses("a read of 126", { ...read, reads: { ...range, quantity: 126 } });
refuses("a read of 1.5", { ...read, reads: { ...range, quantity: 1.5 } });
refuses("a read of no number", { ...read, reads: { ...range, quantity: Number.NaN } });
refuses("a read from address -1", { ...read, reads: { ...range, address: -1 } });
refuses("a read from address 0.5", { ...read, reads: { ...range, address: 0.5 } });
refuses("a read beyond the last address", { ...read, reads: { ...range, address: 65_535, quantity: 2 } });
refuses("a write without values", { ...register, writes: null });
refuses("a single write with a mask", { ...register, writes: mask.writes });
refuses("a multiple write with a mask", { ...registers, writes: mask.writes });
refuses("a single write of two values", { ...register, writes: registers.writes });
refuses("a single write of no value", { ...register, writes: { ...range, quantity: 0, values: [] } });
refuses("a coil of value 2", { ...coil, writes: { ...range, table: "coils", values: [2] } });
refuses("a coil written to a register", { ...coil, writes: { ...range, values: [1] } });
refuses("coils of value 2", { ...coils, writes: { ...range, table: "coils", values: [2] } });
refuses("a register of 65536", { ...register, writes: { ...range, values: [65_536] } });
refuses("a register of -1", { ...register, writes: { ...range, values: [-1] } });
refuses("registers of 1.5", { ...registers, writes: { ...range, values: [1.5] } });
refuses("fewer values than quantity", { ...registers, writes: { ...range, quantity: 3, values: [1, 2] } });
refuses("more values than quantity", { ...registers, writes: { ...range, quantity: 1, values: [1, 2] } });
refuses("a mask write with values", { ...mask, writes: { ...range, values: [1] } });
refuses("a mask of 65536", { ...mask, writes: { ...range, and: 65_536, or: 0 } });
refuses("a mask write of two registers", { ...mask, writes: { ...range, quantity: 2, and: 0, or: 0 } });
refuses("a FIFO queue of two pointers", { ...fifo, reads: { ...range, quantity: 2 } });
refuses("a FIFO queue of coils", { ...fifo, reads: { ...range, table: "coils" } });
refuses("exception status with data", { ...decoded("07"), data: Uint8Array.of(1) });
refuses("no file", { ...files, files: [] });
refuses("36 files", { ...files, files: Array.from({ length: 36 }, () => file) });
refuses("files whose reply is too long", { ...files, files: [{ ...file, length: 125 }] });
refuses("file 0", { ...files, files: [{ ...file, file: 0 }] });
refuses("file 65536", { ...files, files: [{ ...file, file: 65_536 }] });
refuses("a file record of length 0", { ...files, files: [{ ...file, length: 0 }] });
refuses("a file record beyond 9999", { ...files, files: [{ ...file, record: 9999, length: 2 }] });
refuses("a file read with values", { ...files, files: [{ ...file, values: [1] }] });
refuses("a file write without values", { ...filesWritten, files: [file] });
refuses("a file write over its maximum", {
  ...filesWritten,
  files: [{ ...file, length: 123, values: Array.from({ length: 123 }, () => 0) }],
});
refuses("diagnostics without sub-function", { ...decoded("08 0000"), subFunction: -1 });
refuses("diagnostics 65536", { ...decoded("08 0000"), subFunction: 65_536 });
refuses("query data of one byte", { ...decoded("08 0000"), data: Uint8Array.of(1) });
refuses("query data of 126 words", { ...decoded("08 0000"), data: new Uint8Array(252) });
refuses("a diagnostic counter without data", { ...decoded("08 000B 0000"), data: new Uint8Array(0) });
refuses("a diagnostic counter with data", { ...decoded("08 000B 0000"), data: Uint8Array.of(0, 1) });
refuses("MEI type 256", { ...decoded("2B 0D"), subFunction: 256 });
refuses("MEI type -1", { ...decoded("2B 0D"), subFunction: -1 });
refuses("MEI data over its maximum", { ...decoded("2B 0D"), data: new Uint8Array(252) });
refuses("ReadDeviceId code 5", { ...decoded("2B 0E 01 00"), data: Uint8Array.of(5, 0) });
refuses("device identification without object id", { ...decoded("2B 0E 01 00"), data: Uint8Array.of(1) });
refuses("unknown data over its maximum", { ...decoded("5A"), data: new Uint8Array(253) });

test("encodes at an offset and touches nothing before and after", (t) => {
  for (const { name, pdu, operation } of validRequests(1)) {
    const out = Buffer.alloc(300, 0xee);
    const end = encodeRequest(operation, out, 7);
    t.is(end, 7 + pdu.length, name);
    t.deepEqual(out, Buffer.concat([Buffer.alloc(7, 0xee), pdu, Buffer.alloc(293 - pdu.length, 0xee)]), name);
  }
});

test("a buffer one byte too short is niac's own bug", (t) => {
  for (const { name, pdu, operation } of validRequests(1)) {
    t.throws(
      () => encodeRequest(operation, new Uint8Array(pdu.length - 1), 0),
      { instanceOf: BugError },
      name,
    );
    t.notThrows(() => encodeRequest(operation, new Uint8Array(pdu.length), 0), name);
  }
});
