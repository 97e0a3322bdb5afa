import test from "ava";
import { BugError } from "../../../src/base/index.ts";
import {
  decodeReply,
  decodeRequest,
  encodeException,
  encodeReply,
  type Operation,
  readCoils,
  readRegisters,
} from "../../../src/modbus/index.ts";
import { readReplies } from "./vectors.ts";

function request(hex: string): Operation {
  const pdu = Buffer.from(hex, "hex");
  return decodeRequest(1, pdu, 0, pdu.length);
}

test("encodes at an offset, into a buffer that just holds it, and touches nothing else", (t) => {
  for (const vector of readReplies()) {
    if ("error" in vector) continue;
    const operation = decodeRequest(1, vector.request, 0, vector.request.length);
    const reply = decodeReply(operation, vector.reply, 0, vector.reply.length);
    const expected = vector.encoded ?? vector.reply;
    const out = Buffer.alloc(7 + expected.length, 0xee);
    t.is(encodeReply(operation, reply, out, 7), out.length, vector.name);
    t.deepEqual(out, Buffer.concat([Buffer.alloc(7, 0xee), expected]), vector.name);
    const short = out.subarray(0, out.length - 1);
    t.throws(() => encodeReply(operation, reply, short, 7), { instanceOf: BugError }, vector.name);
  }
});

test("padding is set to 0 in what is sent on, not in what came", (t) => {
  const operation = request("0100000003");
  const bytes = Buffer.from("0101ff", "hex");
  const reply = decodeReply(operation, bytes, 0, 3);
  const out = Buffer.alloc(3);
  encodeReply(operation, reply, out, 0);
  t.is(out.toString("hex"), "010107");
  t.is(bytes.toString("hex"), "0101ff");
});

test("a reply longer than a PDU cannot be encoded", (t) => {
  const operation = request("5a");
  const out = new Uint8Array(300);
  t.is(encodeReply(operation, { exception: 0, data: new Uint8Array(252) }, out, 0), 253);
  t.throws(() => encodeReply(operation, { exception: 0, data: new Uint8Array(253) }, out, 0), {
    instanceOf: BugError,
  });
});

test("exceptions: every function code and code that can be, and none other", (t) => {
  const out = new Uint8Array(2);
  for (let functionCode = 1; functionCode <= 127; functionCode++) {
    t.is(encodeException(functionCode, 11, out, 0), 2);
    t.deepEqual([...out], [functionCode + 128, 11]);
  }
  t.is(encodeException(0, 1, out, 0), 2);
  t.deepEqual([...out], [0x80, 1], "to a function code that is none");
  t.is(encodeException(0x83, 1, out, 0), 2);
  t.deepEqual([...out], [0x83, 1], "to an exception that was sent as a request");
  for (const [functionCode, code] of [
    [256, 1],
    [-1, 1],
    [3, 0],
    [3, 256],
    [3, -1],
    [3, 1.5],
    [3.5, 1],
    [Number.NaN, 1],
  ] as const) {
    t.throws(
      () => encodeException(functionCode, code, out, 0),
      { instanceOf: BugError },
      `${functionCode}, ${code}`,
    );
  }
  t.throws(() => encodeException(3, 1, out, 1), { instanceOf: BugError });
});

test("an exception has no values", (t) => {
  const registers = request("0300000001");
  const exception = decodeReply(registers, Uint8Array.of(0x83, 2), 0, 2);
  t.throws(() => readRegisters(exception), { instanceOf: BugError, code: "no-values" });
  t.throws(() => readCoils(registers, exception), { instanceOf: BugError, code: "no-values" });
});
