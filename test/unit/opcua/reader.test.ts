import test from "ava";
import * as fc from "fast-check";
import { PeerError } from "../../../src/base/index.ts";
import { MAX_ARRAY, MAX_DEPTH, MAX_STRING, UaReader } from "../../../src/opcua/reader.ts";
import { text, u32 } from "./messages.ts";

const read = (...parts: readonly Uint8Array[]): UaReader => new UaReader(Buffer.concat(parts));

function count(reader: UaReader): number {
  return reader.array("it", () => reader.u8("an element")).length;
}

function nodeIdOf(hex: string): number | null {
  const reader = new UaReader(Buffer.from(hex, "hex"));
  const id = reader.nodeId("it");
  reader.finish("it");
  return id;
}

function nested(depth: number): Buffer {
  return Buffer.concat([Buffer.alloc(depth - 1, 0x40), Buffer.of(0)]);
}

test("numbers are little-endian, within whatever memory they lie in", (t) => {
  const reader = new UaReader(
    Buffer.concat([Buffer.of(9), Buffer.from("0102030405060708ffffffff", "hex")]).subarray(1),
  );
  t.deepEqual(
    [reader.u8("a"), reader.u16("b"), reader.u8("c"), reader.u32("d"), reader.i32("e")],
    [1, 0x0302, 4, 0x08070605, -1],
  );
  reader.finish("it");
  t.throws(() => reader.u8("more"), { instanceOf: PeerError, code: "truncated" });
});

test("strings: null, empty, UTF-8, the longest; one more, below null and broken ones are refused", (t) => {
  t.is(read(u32(-1)).string("it"), null);
  t.is(read(u32(0)).string("it"), "");
  t.is(read(text("Präge\u{feff}")).string("it"), "Präge\u{feff}");
  t.is(read(text("a".repeat(MAX_STRING))).string("it")?.length, MAX_STRING);
  t.throws(() => read(text("a".repeat(MAX_STRING + 1))).string("it"), { code: "opcua-length" });
  for (const length of [-2, -2_147_483_648, 2_147_483_647])
    t.throws(() => read(u32(length), Buffer.alloc(99)).string("it"), { code: "opcua-length" });
  t.throws(() => read(u32(5), Buffer.alloc(4)).string("it"), { code: "truncated" });
  t.throws(() => read(u32(2), Buffer.of(0xc3, 0x28)).string("it"), { code: "opcua-utf8" });
});

test("arrays: null, empty, the longest; one more and more than there is are refused", (t) => {
  t.is(count(read(u32(-1))), 0);
  t.is(count(read(u32(0))), 0);
  t.is(count(read(u32(MAX_ARRAY), Buffer.alloc(MAX_ARRAY))), MAX_ARRAY);
  t.throws(() => count(read(u32(MAX_ARRAY + 1), Buffer.alloc(MAX_ARRAY + 1))), { code: "opcua-array" });
  t.throws(() => count(read(u32(-2))), { code: "opcua-array" });
  t.throws(() => count(read(u32(3), Buffer.alloc(2))), { code: "truncated" });
});

test("a NodeId's number is the same in every encoding that may hold it", (t) => {
  t.is(nodeIdOf("00c8"), 200);
  t.is(nodeIdOf("0100af01"), 431);
  t.is(nodeIdOf("020000af010000"), 431);
  t.is(nodeIdOf("0105af01"), null, "of another namespace");
  t.is(nodeIdOf("020100af010000"), null);
  t.is(nodeIdOf("0300000100000061"), null, "a string");
  t.is(nodeIdOf("050000ffffffff"), null);
  t.is(nodeIdOf(`04${"00".repeat(18)}`), null);
  for (const encoding of ["06", "40", "81", "ff"])
    t.throws(() => nodeIdOf(encoding + "00".repeat(30)), { code: "opcua-node-id" });
});

test("texts, extension objects and diagnostics: what is there is read over, what is not known refused", (t) => {
  t.is(read(Buffer.of(0)).localizedText("it"), null);
  t.is(read(Buffer.of(1), text("en")).localizedText("it"), null);
  t.is(read(Buffer.of(2), text("Press")).localizedText("it"), "Press");
  t.is(read(Buffer.of(3), text("en"), text("Press")).localizedText("it"), "Press");
  t.throws(() => read(Buffer.of(4)).localizedText("it"), { code: "opcua-mask" });

  const extension = read(Buffer.of(0, 0, 1), text("body"), Buffer.of(7));
  extension.skipExtensionObject("it");
  t.is(extension.remaining, 1);
  t.throws(() => read(Buffer.of(0, 0, 3)).skipExtensionObject("it"), { code: "opcua-extension" });

  const full = read(
    Buffer.of(0x7f),
    u32(1, 2, 3, 4),
    text("more"),
    u32(0x80000000),
    Buffer.of(0),
    Buffer.of(7),
  );
  full.skipDiagnosticInfo();
  t.is(full.remaining, 1);
  t.throws(() => read(Buffer.of(0x80)).skipDiagnosticInfo(), { code: "opcua-mask" });
});

test("diagnostics within diagnostics end at the limit", (t) => {
  t.notThrows(() => read(nested(MAX_DEPTH)).skipDiagnosticInfo());
  t.throws(() => read(nested(MAX_DEPTH + 1)).skipDiagnosticInfo(), { code: "opcua-depth" });
  t.throws(() => read(Buffer.alloc(1_000_000, 0x40)).skipDiagnosticInfo(), { code: "opcua-depth" });
});

test("any bytes are read or a PeerError, by every reader", (t) => {
  const readers: ReadonlyArray<(reader: UaReader) => void> = [
    (reader) => reader.string("it"),
    (reader) => reader.nodeId("it"),
    (reader) => reader.localizedText("it"),
    (reader) => reader.skipDiagnosticInfo(),
    (reader) => reader.skipExtensionObject("it"),
    (reader) => reader.array("it", () => reader.byteString("an element")),
  ];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      for (const each of readers) {
        try {
          each(new UaReader(bytes));
        } catch (error) {
          if (!(error instanceof PeerError)) throw error;
        }
      }
    }),
    { numRuns: 2_000 },
  );
  t.pass();
});
