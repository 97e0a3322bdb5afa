import test from "ava";
import { ByteReader, PeerError } from "../../../src/base/index.ts";

const BYTES = Uint8Array.of(0x01, 0x02, 0xfe, 0xff, 0x05);

test("reads are big-endian, one after the other", (t) => {
  const reader = new ByteReader(BYTES);
  t.is(reader.remaining, 5);
  t.is(reader.u8("a byte"), 0x01);
  t.is(reader.u16("a word"), 0x02fe);
  t.deepEqual(reader.view(2, "the rest"), Uint8Array.of(0xff, 0x05));
  t.is(reader.remaining, 0);
  t.notThrows(() => reader.finish("the message"));
});

test("the largest values come whole", (t) => {
  const reader = new ByteReader(Uint8Array.of(0xff, 0xff, 0xff));
  t.is(reader.u16("a word"), 65_535);
  t.is(reader.u8("a byte"), 255);
});

for (const [what, length, take] of [
  ["u8", 1, (reader: ByteReader) => reader.u8("the unit")],
  ["u16", 2, (reader: ByteReader) => reader.u16("the unit")],
  ["view", 3, (reader: ByteReader) => reader.view(3, "the unit")],
] as const) {
  test(`${what} reads to the last byte, and throws at one less instead of taking what there is`, (t) => {
    t.notThrows(() => take(new ByteReader(BYTES, 0, length)));
    const short = new ByteReader(BYTES, 0, length - 1);
    const error = t.throws(() => take(short), { instanceOf: PeerError, code: "truncated" });
    t.is(error?.message, `the unit needs ${length} bytes, ${length - 1} are left`);
    t.is(short.remaining, length - 1, "and takes nothing");
  });
}

test("the bound is the reader's own end, not that of the bytes underneath", (t) => {
  const reader = new ByteReader(BYTES, 1, 3);
  t.is(reader.u16("a word"), 0x02fe);
  t.throws(() => reader.u8("a byte"), { code: "truncated" });
});

test("a length below zero is refused", (t) => {
  t.throws(() => new ByteReader(BYTES).view(-1, "the data"), { code: "truncated" });
});

test("a reader outside its bytes is refused", (t) => {
  for (const [start, end] of [
    [-1, 5],
    [0, 6],
    [3, 2],
    [6, 6],
  ] as const) {
    t.throws(() => new ByteReader(BYTES, start, end), { instanceOf: PeerError, code: "reader-bounds" });
  }
  t.is(new ByteReader(BYTES, 5, 5).remaining, 0);
});

test("finish refuses what is left over, and says how much", (t) => {
  const reader = new ByteReader(BYTES);
  reader.u8("a byte");
  const error = t.throws(() => reader.finish("the request"), {
    instanceOf: PeerError,
    code: "trailing-bytes",
  });
  t.is(error?.message, "the request has 4 bytes too many");
});

test("a view shows the bytes underneath and copies nothing", (t) => {
  const bytes = Uint8Array.of(1, 2, 3);
  const view = new ByteReader(bytes).view(3, "all");
  bytes[1] = 9;
  t.is(view[1], 9);
});
