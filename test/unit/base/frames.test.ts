import test from "ava";
import * as fc from "fast-check";
import { PeerError } from "../../../src/base/index.ts";
import { encodeFrame, FrameReader, MAX_MESSAGE } from "../../../src/base/frames.ts";

function header(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

function framed(text: string): Buffer {
  return Buffer.concat([header(Buffer.byteLength(text)), Buffer.from(text)]);
}

test("a frame is the JSON behind its length", (t) => {
  t.deepEqual(encodeFrame({ a: "ü" }), framed('{"a":"ü"}'));
});

test("messages come out as they went in, however the stream is cut", (t) => {
  const messages = fc.array(fc.oneof(fc.jsonValue(), fc.string({ unit: "binary" })), { maxLength: 8 });
  const property = fc.property(messages, fc.array(fc.nat(40), { maxLength: 60 }), (values, cuts) => {
    const sent = values.map((value): unknown => JSON.parse(JSON.stringify(value)));
    let rest = Buffer.concat(values.map((value) => encodeFrame(value)));
    const reader = new FrameReader();
    const got: unknown[] = [];
    for (const cut of cuts) {
      got.push(...reader.push(rest.subarray(0, cut)));
      rest = rest.subarray(cut);
    }
    got.push(...reader.push(rest));
    t.deepEqual(got, sent);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("byte by byte, each message comes with its last byte", (t) => {
  const reader = new FrameReader();
  const bytes = Buffer.concat([encodeFrame([1]), encodeFrame("two")]);
  const ends: Array<[number, unknown]> = [];
  for (const [at, byte] of bytes.entries()) {
    for (const message of reader.push(Buffer.of(byte))) ends.push([at, message]);
  }
  t.deepEqual(ends, [
    [encodeFrame([1]).length - 1, [1]],
    [bytes.length - 1, "two"],
  ]);
});

test("the smallest length is 1, and 0 is refused as soon as it is there", (t) => {
  t.deepEqual(new FrameReader().push(framed("0")), [0]);
  t.throws(() => new FrameReader().push(header(0)), { instanceOf: PeerError, code: "message-size" });
});

test("the largest length is waited for, and one more is refused before a byte of it came", (t) => {
  t.deepEqual(new FrameReader().push(header(MAX_MESSAGE)), []);
  const error = t.throws(() => new FrameReader().push(header(MAX_MESSAGE + 1)), {
    instanceOf: PeerError,
    code: "message-size",
  });
  t.regex(error?.message ?? "", new RegExp(`${MAX_MESSAGE + 1} bytes.*1 to ${MAX_MESSAGE}`));
});

test("a message of the largest size goes through, and one byte more is not sent", (t) => {
  const largest = "x".repeat(MAX_MESSAGE - 2);
  const frame = encodeFrame(largest);
  t.is(frame.length, 4 + MAX_MESSAGE);
  const reader = new FrameReader();
  const half = frame.length / 2;
  t.deepEqual(reader.push(frame.subarray(0, half)), []);
  t.true(reader.push(frame.subarray(half))[0] === largest);
  t.throws(() => encodeFrame(`${largest}x`), { code: "message-size" });
});

test("what is not JSON is the other side's error", (t) => {
  for (const text of ["{a:1}", "[1,", "nul", "\u0000\u0000", "{} {}"]) {
    t.throws(() => new FrameReader().push(framed(text)), { instanceOf: PeerError, code: "message-json" });
  }
});
