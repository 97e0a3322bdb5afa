import test from "ava";
import { PeerError } from "../../../src/base/index.ts";
import { decodeRequest } from "../../../src/modbus/index.ts";
import { exceptionTo } from "../../../src/modbus/fault.ts";

/** PDUs in hexadecimal, and what a server answers (sections 6 and 7). */
const REQUESTS: ReadonlyArray<readonly [what: string, pdu: string, exception: number]> = [
  ["quantity 0", "0300000000", 3],
  ["126 registers", "030000007e", 3],
  ["2001 coils", "01000007d1", 3],
  ["124 registers written", "100000007cf8", 3],
  ["an address past the end", "03ffff0002", 2],
  ["a write past the end", "10ffff00020400010002", 2],
  ["a byte too many", "03000a000100", 3],
  ["a byte too few", "03000a00", 3],
  ["a coil value of 1", "0500010001", 3],
  ["bits after the last coil", "0f0000000301ff", 3],
  ["a byte count that is not the quantity's", "10000000020400010002ff", 3],
  ["diagnostics 3 with a word it does not define", "080003000a", 3],
  ["ReadDeviceId 5", "2b0e0500", 3],
  ["a file reference of type 7", "1407070001000000010000".slice(0, 18), 2],
  ["file 0", "140706000000000001", 2],
  ["a file record past the end", "1407060001270f0002", 2],
  ["a byte count that no file request has", "1400", 3],
  ["function 0", "00", 1],
  ["an exception", "8302", 1],
];

for (const [what, pdu, exception] of REQUESTS) {
  test(`${what} is answered with exception ${exception}`, (t) => {
    const bytes = Buffer.from(pdu, "hex");
    const error = t.throws(() => decodeRequest(1, bytes, 0, bytes.length), { instanceOf: PeerError });
    t.is(exceptionTo(error), exception, error.code);
  });
}
