import test from "ava";
import { BugError, PeerError } from "../../../src/base/index.ts";
import {
  crc16,
  decodeRequest,
  decodeRtu,
  encodeRequest,
  encodeRtu,
  expectedReplyLength,
  MAX_PDU,
  RTU_MAX_FRAME,
  RTU_MIN_FRAME,
} from "../../../src/modbus/index.ts";
import { readReplies, readRtu } from "./vectors.ts";

for (const vector of readRtu()) {
  test(vector.name, (t) => {
    const { frame, unit } = vector;
    const line = Buffer.concat([Buffer.alloc(5, 0xee), frame, Buffer.alloc(5, 0xee)]);
    const decode = () => decodeRtu(unit, line, 5, 5 + frame.length);
    if ("error" in vector) {
      t.throws(decode, { instanceOf: PeerError, code: vector.error });
      return;
    }
    t.deepEqual(line.subarray(6, decode()), vector.pdu);
    const out = Buffer.alloc(frame.length + 2, 0xee);
    t.is(encodeRtu(unit, vector.pdu, 0, vector.pdu.length, out, 1), frame.length + 1);
    t.deepEqual(out, Buffer.concat([Buffer.of(0xee), frame, Buffer.of(0xee)]));
  });
}

test("the limits of a frame", (t) => {
  t.deepEqual([RTU_MIN_FRAME, RTU_MAX_FRAME], [4, 256]);
});

test("CRC: the check value of CRC-16/MODBUS over 123456789 is 4B37", (t) => {
  t.is(crc16(Buffer.from("123456789"), 0, 9), 0x4b37);
  t.is(crc16(Buffer.from("x123456789x"), 1, 10), 0x4b37);
  t.is(crc16(new Uint8Array(0), 0, 0), 0xffff);
});

test("CRC: the table agrees with the standard's bit-by-bit procedure for every byte", (t) => {
  for (let byte = 0; byte <= 0xff; byte++) {
    let crc = 0xffff ^ byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
    t.is(crc16(Uint8Array.of(byte), 0, 1), crc);
  }
});

test("every single flipped bit of a frame is found", (t) => {
  const frame = Buffer.from("110306022b00000064", "hex");
  const line = Buffer.alloc(frame.length + 2);
  encodeRtu(0x11, frame, 1, frame.length, line, 0);
  const end = line.length;
  for (let bit = 0; bit < end * 8; bit++) {
    const flipped = Buffer.from(line);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    t.throws(() => decodeRtu(0x11, flipped, 0, end), { instanceOf: PeerError, code: "rtu-crc" });
  }
});

test("a PDU is framed in the buffer it was encoded into", (t) => {
  const operation = decodeRequest(1, Buffer.from("0300000001", "hex"), 0, 5);
  const out = Buffer.alloc(RTU_MAX_FRAME);
  const end = encodeRequest(operation, out, 1);
  t.is(out.subarray(0, encodeRtu(1, out, 1, end, out, 0)).toString("hex"), "010300000001840a");
});

test("what cannot be framed is niac's own bug", (t) => {
  const pdu = new Uint8Array(300);
  const out = new Uint8Array(RTU_MAX_FRAME);
  t.is(encodeRtu(255, pdu, 0, MAX_PDU, out, 0), 256);
  for (const wrong of [
    () => encodeRtu(1, pdu, 0, 0, out, 0),
    () => encodeRtu(1, pdu, 0, MAX_PDU + 1, new Uint8Array(300), 0),
    () => encodeRtu(256, pdu, 0, 5, out, 0),
    () => encodeRtu(-1, pdu, 0, 5, out, 0),
    () => encodeRtu(1.5, pdu, 0, 5, out, 0),
    () => encodeRtu(1, pdu, 0, 301, out, 0),
    () => encodeRtu(1, pdu, 0, MAX_PDU, out, 1),
    () => decodeRtu(1, out, 0, 257),
    () => crc16(out, 5, 4),
  ]) {
    t.throws(wrong, { instanceOf: BugError });
  }
});

test("the reply's length is known before silence, never wrong, and says so no later than the last byte", (t) => {
  for (const vector of readReplies()) {
    if ("error" in vector) continue;
    const operation = decodeRequest(1, vector.request, 0, vector.request.length);
    const line = Buffer.alloc(vector.reply.length + 3 + 4);
    const end = encodeRtu(1, vector.reply, 0, vector.reply.length, line, 4);
    for (let held = 0; held <= end - 4; held++) {
      const expected = expectedReplyLength(operation, line, 4, 4 + held);
      t.true(
        expected === 0 || expected === end - 4,
        `${vector.name}: ${expected} after ${held} of ${end - 4}`,
      );
    }
    const known = !vector.silent;
    t.is(expectedReplyLength(operation, line, 4, end - 2), known ? end - 4 : 0, vector.name);
  }
});

/** After how many bytes the length is known, and the length. */
function from(request: string, reply: string): [number, number] {
  const pdu = Buffer.from(request, "hex");
  const operation = decodeRequest(1, pdu, 0, pdu.length);
  const line = Buffer.from(reply, "hex");
  for (let held = 0; held <= line.length; held++) {
    const length = expectedReplyLength(operation, line, 0, held);
    if (length !== 0) return [held, length];
  }
  return [-1, 0];
}

test("lengths that are known early, and from which byte on", (t) => {
  t.deepEqual(from("0300000002", "0103041111222200"), [3, 9]);
  t.deepEqual(from("0300000002", "018302"), [2, 5]);
  t.deepEqual(from("0600010003", "010600010003"), [2, 8]);
  t.deepEqual(from("07", "01076d"), [2, 5]);
  t.deepEqual(from("1604de00010002", "0116"), [2, 10]);
  t.deepEqual(from("08000001020304", "0108"), [2, 10]);
  t.deepEqual(from("0800020000", "0108"), [2, 8]);
  t.deepEqual(from("080015a537", "01080015a537"), [-1, 0]);
  t.deepEqual(from("1804de", "0118000600020001"), [4, 12]);
  t.deepEqual(from("2b0e0100", "012b0e01010000020001410101420000"), [13, 16]);
  t.deepEqual(from("2b0d", "012b0d0102"), [-1, 0]);
  t.deepEqual(from("5a00", "015a000102"), [-1, 0]);
});

test("a length no reply can have is left to silence", (t) => {
  const fifo = decodeRequest(1, Buffer.from("1804de", "hex"), 0, 3);
  t.is(expectedReplyLength(fifo, Buffer.from("0118ffff", "hex"), 0, 4), 0);
  const identification = decodeRequest(1, Buffer.from("2b0e0100", "hex"), 0, 4);
  t.is(expectedReplyLength(identification, Buffer.from("012b0e010100000100ff", "hex"), 0, 10), 0);
  const registers = decodeRequest(1, Buffer.from("0300000001", "hex"), 0, 5);
  t.is(expectedReplyLength(registers, Buffer.from("0103ff", "hex"), 0, 3), 0);
  t.is(expectedReplyLength(registers, Buffer.from("0104020000", "hex"), 0, 5), 0);
});
