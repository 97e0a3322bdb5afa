import test from "ava";
import {
  decodeRequest,
  describeOperation,
  effect,
  exceptionName,
  functionName,
  type Operation,
} from "../../../src/modbus/index.ts";
import { validRequests } from "./vectors.ts";

function operation(hex: string): Operation {
  const pdu = Buffer.from(hex.replaceAll(" ", ""), "hex");
  return decodeRequest(1, pdu, 0, pdu.length);
}

const lines: readonly (readonly [string, string])[] = [
  ["01 0013 0013", "read coils 19..37 (unit 1)"],
  ["02 FFFF 0001", "read discrete input 65535 (unit 1)"],
  ["03 006B 0003", "read holding registers 107..109 (unit 1)"],
  ["04 0008 0001", "read input register 8 (unit 1)"],
  ["05 00AC FF00", "write coil 172 = 1 (unit 1)"],
  ["06 0001 0003", "write holding register 1 = 3 (unit 1)"],
  ["07", "Read Exception Status (unit 1)"],
  ["08 0000 A537", "Diagnostics: Return Query Data, data A5 37 (unit 1)"],
  ["08 0004 0000", "Diagnostics: Force Listen Only Mode, data 00 00 (unit 1)"],
  ["08 0015 0003", "Diagnostics: 21, data 00 03 (unit 1)"],
  ["0F 0000 0003 01 05", "write coils 0..2 = 1, 0, 1 (unit 1)"],
  ["10 000A 0002 04 00B4 005A", "write holding registers 10..11 = 180, 90 (unit 1)"],
  [
    `10 0000 0009 12 ${"0001 ".repeat(9)}`,
    "write holding registers 0..8 = 1, 1, 1, 1, 1, 1, 1, 1 and 1 more (unit 1)",
  ],
  ["11", "Report Server ID (unit 1)"],
  ["14 0E 06 0004 0001 0002 06 0003 0009 0001", "read file 4 record 1..2; file 3 record 9 (unit 1)"],
  ["15 0B 06 0004 0007 0002 06AF 04BE", "write file 4 record 7..8 = 1711, 1214 (unit 1)"],
  ["16 0004 00F2 0025", "mask holding register 4: and 0x00F2, or 0x0025 (unit 1)"],
  [
    "17 0003 0006 000E 0001 02 00FF",
    "write holding register 14 = 255, then read holding registers 3..8 (unit 1)",
  ],
  ["18 04DE", "read the FIFO queue at holding register 1246 (unit 1)"],
  ["2B 0E 01 00", "Read Device Identification, data 01 00 (unit 1)"],
  ["2B 0D", "CANopen General Reference (unit 1)"],
  ["2B 63", "Encapsulated Interface Transport 99 (unit 1)"],
  ["5A 00 01 02", "Function 90, data 00 01 02 (unit 1)"],
];

for (const [hex, line] of lines) {
  test(line, (t) => {
    t.is(describeOperation(operation(hex)), line);
  });
}

test("every operation is one short line", (t) => {
  for (const { name, operation: any } of validRequests(255)) {
    const line = describeOperation(any);
    t.regex(line, /^[\x20-\x7e]{8,} \(unit 255\)$/, name);
    // Files may have eight values each, and eight of them are shown.
    t.true(line.length < 160 || any.files.length > 1, `${name}: ${line}`);
  }
});

test("names of functions and exceptions", (t) => {
  t.is(functionName(3, -1), "Read Holding Registers");
  t.is(functionName(23, -1), "Read/Write Multiple Registers");
  t.is(functionName(43, 14), "Read Device Identification");
  t.is(functionName(8, -1), "Diagnostics");
  t.is(functionName(8, 10), "Diagnostics: Clear Counters and Diagnostic Register");
  t.is(functionName(65, -1), "Function 65");
  t.is(exceptionName(1), "illegal function");
  t.is(exceptionName(2), "illegal data address");
  t.is(exceptionName(3), "illegal data value");
  t.is(exceptionName(6), "server device busy");
  t.is(exceptionName(10), "gateway path unavailable");
  t.is(exceptionName(11), "gateway target device failed to respond");
  t.is(exceptionName(99), "exception 99");
});

const READS = new Set([1, 2, 3, 4, 7, 11, 12, 17, 20, 24]);
const READ_DIAGNOSTICS = new Set([0, 2, 11, 12, 13, 14, 15, 16, 17, 18]);

test("only what is known to read is a read: all function codes", (t) => {
  const bare = operation("5A");
  for (let functionCode = 1; functionCode <= 127; functionCode++) {
    t.is(effect({ ...bare, functionCode }), READS.has(functionCode) ? "read" : "write", String(functionCode));
  }
});

test("only what is known to read is a read: all sub-functions", (t) => {
  const diagnostics = operation("08 0000");
  for (let subFunction = -1; subFunction <= 0xffff; subFunction++) {
    const expected = READ_DIAGNOSTICS.has(subFunction) ? "read" : "write";
    if (effect({ ...diagnostics, subFunction }) !== expected) t.fail(`sub-function ${subFunction}`);
  }
  const encapsulated = operation("2B 0D");
  for (let subFunction = -1; subFunction <= 0xff; subFunction++) {
    t.is(
      effect({ ...encapsulated, subFunction }),
      subFunction === 14 ? "read" : "write",
      String(subFunction),
    );
  }
});

test("what writes to a table is a write", (t) => {
  for (const { name, operation: any } of validRequests(1)) {
    if (any.writes !== null) t.is(effect(any), "write", name);
  }
});
