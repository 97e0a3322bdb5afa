import test from "ava";
import * as fc from "fast-check";
import { BugError, PeerError } from "../../../src/base/index.ts";
import {
  FrameBuffer,
  frameLength,
  MAX_PDU,
  MBAP_HEADER,
  MBAP_MAX_FRAME,
  MBAP_MIN_FRAME,
  transactionId,
  unitId,
  writeHeader,
} from "../../../src/modbus/index.ts";
import { readStreams } from "./vectors.ts";

interface Read {
  frames: string[];
  held: number;
  /** The PeerError's code, or "". */
  error: string;
}

/** Reads a stream cut into chunks; each chunk is overwritten before the next comes, as a socket's own buffer is. */
function readStream(chunks: readonly Uint8Array[]): Read {
  const buffer = new FrameBuffer();
  const frames: string[] = [];
  let error = "";
  for (const chunk of chunks) {
    const own = Buffer.from(chunk);
    buffer.push(own);
    const views: Uint8Array[] = [];
    try {
      while (buffer.next()) views.push(buffer.bytes.subarray(buffer.start, buffer.end));
    } catch (thrown) {
      if (!(thrown instanceof PeerError)) throw thrown;
      error = thrown.code;
    }
    // Only now: frames are valid until the next push.
    frames.push(...views.map((view) => Buffer.from(view).toString("hex")));
    own.fill(0xee);
  }
  return { frames, held: buffer.held, error };
}

function cut(stream: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(stream.length / size) }, (_, i) =>
    stream.subarray(i * size, (i + 1) * size),
  );
}

for (const vector of readStreams()) {
  const error = "error" in vector ? vector.error : "";
  const frames = vector.frames.map((frame) => frame.toString("hex"));
  for (const size of [1, 2, 3, 5, 7, 11, 12, 13, 259, 260, 261, 65_536]) {
    test(`${vector.name}; chunks of ${size}`, (t) => {
      const read = readStream(cut(vector.stream, size));
      t.deepEqual(read.frames, frames);
      t.is(read.error, error);
      if ("held" in vector) t.is(read.held, vector.held);
    });
  }
}

test("streams cut anywhere give the same frames", (t) => {
  const frame = fc
    .record({
      transaction: fc.integer({ min: 0, max: 0xffff }),
      unit: fc.integer({ min: 0, max: 0xff }),
      pdu: fc.uint8Array({ minLength: 1, maxLength: MAX_PDU, size: "max" }),
    })
    .map(({ transaction, unit, pdu }) => {
      const bytes = Buffer.alloc(MBAP_HEADER + pdu.length);
      writeHeader(bytes, 0, transaction, unit, pdu.length);
      bytes.set(pdu, MBAP_HEADER);
      return bytes;
    });
  const frames = fc.array(frame, { minLength: 1, maxLength: 8 });
  const sizes = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(frames, sizes, (sent, cuts) => {
      const stream = Buffer.concat(sent);
      const chunks: Buffer[] = [];
      let at = 0;
      for (const size of cuts) {
        chunks.push(stream.subarray(at, at + size));
        at += size;
      }
      chunks.push(stream.subarray(at));
      t.deepEqual(readStream(chunks), {
        frames: sent.map((bytes) => bytes.toString("hex")),
        held: 0,
        error: "",
      });
    }),
    { numRuns: 500 },
  );
});

test("a frame that lies whole in a chunk is not copied", (t) => {
  const chunk = Buffer.from("00010000000601030000000100020000000211070003", "hex");
  const buffer = new FrameBuffer();
  buffer.push(chunk);
  t.true(buffer.next());
  t.is(buffer.bytes, chunk);
  t.deepEqual([buffer.start, buffer.end], [0, 12]);
  t.true(buffer.next());
  t.is(buffer.bytes, chunk);
  t.deepEqual([buffer.start, buffer.end], [12, 20]);
  t.false(buffer.next());
  t.is(buffer.held, 2);
});

test("what is held of an unfinished frame never reaches a frame's size", (t) => {
  const longest = Buffer.alloc(MBAP_MAX_FRAME);
  writeHeader(longest, 0, 1, 1, MAX_PDU);
  const buffer = new FrameBuffer();
  for (let round = 0; round < 3; round++) {
    for (const [i, byte] of longest.entries()) {
      buffer.push(Uint8Array.of(byte));
      t.is(buffer.next(), i === MBAP_MAX_FRAME - 1);
      t.true(buffer.held < MBAP_MAX_FRAME);
    }
    t.false(buffer.next());
  }
});

test("after a bad frame the stream stays bad", (t) => {
  const buffer = new FrameBuffer();
  buffer.push(Buffer.from("000100010006010300000001", "hex"));
  const first = t.throws(() => buffer.next(), { instanceOf: PeerError, code: "mbap-protocol" });
  buffer.push(Buffer.from("000100000006010300000001", "hex"));
  t.is(
    t.throws(() => buffer.next(), { instanceOf: PeerError }),
    first,
  );
});

test("a chunk pushed before the last was read out is niac's own bug", (t) => {
  const buffer = new FrameBuffer();
  buffer.push(Buffer.from("00010000000211070001000000021107", "hex"));
  t.true(buffer.next());
  t.throws(() => buffer.push(Buffer.alloc(1)), { instanceOf: BugError, code: "frames-unread" });
  t.true(buffer.next());
  t.false(buffer.next());
  t.notThrows(() => buffer.push(Buffer.alloc(1)));
});

test("an empty buffer has no frame", (t) => {
  const buffer = new FrameBuffer();
  t.false(buffer.next());
  buffer.push(new Uint8Array(0));
  t.false(buffer.next());
  t.is(buffer.held, 0);
});

test("frameLength: every length field, with all its bytes and with one missing", (t) => {
  const bytes = Buffer.alloc(7 + 65_535);
  for (let length = 0; length <= 0xffff; length++) {
    bytes.writeUInt16BE(length, 4);
    if (length < 2 || length > 254) {
      t.throws(() => frameLength(bytes, 0, 6 + length), { instanceOf: PeerError, code: "mbap-length" });
    } else {
      t.is(frameLength(bytes, 0, 6 + length), 6 + length);
      t.is(frameLength(bytes, 0, 5 + length), 0);
    }
  }
  t.is(MBAP_MIN_FRAME, 8);
  t.is(MBAP_MAX_FRAME, 260);
});

test("frameLength: a wrong protocol id is seen with the byte that is wrong, and not before", (t) => {
  const wrong = Buffer.from("000100010006", "hex");
  t.is(frameLength(wrong, 0, 3), 0);
  for (const end of [4, 5, 6]) {
    t.throws(() => frameLength(wrong, 0, end), { instanceOf: PeerError, code: "mbap-protocol" });
  }
});

test("a refusal gives the value, the limit and what to check", (t) => {
  const length = t.throws(() => frameLength(Buffer.from("0001000000ff", "hex"), 0, 6), {
    instanceOf: PeerError,
  });
  t.is(length.message, "a frame's length field is 255, allowed is 2..254");
  const protocol = t.throws(() => frameLength(Buffer.from("16030102", "hex"), 0, 4), {
    instanceOf: PeerError,
  });
  t.is(protocol.message, "a frame's protocol id is 258, Modbus is 0");
  t.regex(protocol.advice ?? "", /Modbus TCP/);
});

test("a header written is read again, at any place", (t) => {
  const out = Buffer.alloc(300, 0xee);
  writeHeader(out, 13, 0xfffe, 0xfd, MAX_PDU);
  t.is(out.subarray(12, 21).toString("hex"), "eefffe000000fefdee");
  t.is(transactionId(out, 13), 0xfffe);
  t.is(unitId(out, 13), 0xfd);
  t.is(frameLength(out, 13, 13 + 260), 260);
});

test("what does not fit a header is niac's own bug", (t) => {
  const out = new Uint8Array(7);
  const header = (transaction: number, unit: number, length: number) => () =>
    writeHeader(out, 0, transaction, unit, length);
  t.notThrows(header(0xffff, 0xff, 253));
  for (const wrong of [
    header(0x10000, 1, 5),
    header(-1, 1, 5),
    header(1.5, 1, 5),
    header(1, 256, 5),
    header(1, -1, 5),
    header(1, 0.5, 5),
    header(1, 1, 0),
    header(1, 1, 254),
    header(1, 1, 1.5),
    header(Number.NaN, 1, 5),
    () => writeHeader(out, 1, 1, 1, 5),
    () => transactionId(out, 1),
    () => unitId(out, 1),
    () => unitId(out, -1),
    () => frameLength(out, 0, 8),
    () => frameLength(out, 4, 3),
  ]) {
    t.throws(wrong, { instanceOf: BugError });
  }
});
