import test from "ava";
import * as limits from "../../../src/modbus/limits.ts";

test("the public functions are those of section 5.1", (t) => {
  t.deepEqual(
    [...limits.PUBLIC_FUNCTIONS],
    [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43],
  );
});

test("the largest requests and replies fill a PDU", (t) => {
  const { MAX_PDU } = limits;
  t.is(MAX_PDU, 253);
  // Bytes before the values: function code, byte count; and of a write, address and quantity too.
  t.is(2 + limits.MAX_READ_REGISTERS * 2, 252);
  t.is(2 + limits.MAX_READ_COILS / 8, 252);
  t.is(6 + limits.MAX_WRITE_REGISTERS * 2, 252);
  t.is(6 + limits.MAX_WRITE_COILS / 8, 252);
  t.is(10 + limits.MAX_READ_WRITE_REGISTERS * 2, 252);
  t.is(2 + limits.MAX_FILE_READ_REPLY, MAX_PDU);
  t.is(2 + limits.MAX_FILE_WRITE, MAX_PDU);
  t.is(limits.MAX_FILE_READ_REQUEST, 0xf5);
});

test("function codes are the integers 1..127", (t) => {
  for (const code of [1, 43, 127]) t.true(limits.isFunctionCode(code));
  for (const code of [0, 128, -1, 1.5, Number.NaN, Infinity]) t.false(limits.isFunctionCode(code));
});
