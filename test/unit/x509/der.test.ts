import test from "ava";
import * as fc from "fast-check";
import { PeerError } from "../../../src/base/index.ts";
import {
  bitsOf,
  booleanOf,
  DerReader,
  oidText,
  only,
  TAG,
  timeOf,
  unsignedOf,
} from "../../../src/x509/der.ts";
import { der, oid } from "./writer.ts";

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof PeerError) return error.code;
    throw error;
  }
  return "accepted";
};

const timeAt = (tag: number, text: string): number => {
  const content = Buffer.from(text, "latin1");
  return timeOf({ tag, content }, "x");
};

test("elements are read one after the other, with their lengths in the shortest form", (t) => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535]) {
    const bytes = Buffer.concat([der(0x04, Buffer.alloc(length, 7)), der(0x05)]);
    const reader = new DerReader(bytes);
    const first = reader.any("x");
    t.is(first.content.length, length);
    t.is(first.whole.length, bytes.length - 2);
    t.is(reader.optional(0x04, "x"), null);
    t.is(reader.take(0x05, "x").length, 0);
    t.true(reader.done);
  }
});

test("what is not DER is refused", (t) => {
  const cases: readonly (readonly [hex: string, code: string])[] = [
    ["", "truncated"],
    ["04", "truncated"],
    ["0401", "truncated"],
    ["048100", "der-length"],
    ["04817f", "der-length"],
    ["048200ff", "der-length"],
    ["04830000ff", "der-length"],
    ["0480000000", "der-length"],
    ["04ff", "der-length"],
    ["1f0100", "der-tag"],
    ["3f0100", "der-tag"],
    ["0500", "der-tag"],
    ["040000", "trailing-bytes"],
    ["04820100", "truncated"],
  ];
  for (const [hex, expected] of cases)
    t.is(
      code(() => only(Buffer.from(hex, "hex"), 0x04, "x")),
      expected,
      hex,
    );
});

test("object identifiers of every size are read, padded and unfinished ones refused", (t) => {
  for (const text of ["0.9.2342", "1.3.6.1.4.1.50316.802.1", "2.5.29.37", "2.999.1", "1.39.4294967295"]) {
    t.is(oidText(oid(text).subarray(2)), text);
  }
  // An arc of 115 bits, as the UUIDs under 2.25 are.
  const uuid = Buffer.from("6983f0e1c2a587cb9686eda9d3a7cf9ebd00", "hex");
  t.is(oidText(uuid), "2.25.20151054978793820377390435170492032");
  for (const hex of ["", "80", "2b80", "2b8001", "8001", "2b".repeat(65)]) {
    t.is(
      code(() => oidText(Buffer.from(hex, "hex"))),
      "der-oid",
      hex,
    );
  }
});

test("booleans, integers and bit strings have one encoding", (t) => {
  t.true(booleanOf(Buffer.of(0xff), "x"));
  t.false(booleanOf(Buffer.of(0x00), "x"));
  for (const bytes of [[], [1], [0xfe], [0, 0]])
    t.is(
      code(() => booleanOf(Buffer.from(bytes), "x")),
      "der-boolean",
    );
  t.deepEqual([...unsignedOf(Buffer.of(0, 0x80), "x")], [0x80]);
  t.deepEqual([...unsignedOf(Buffer.of(0), "x")], [0]);
  t.deepEqual([...unsignedOf(Buffer.of(0x7f, 0), "x")], [0x7f, 0]);
  for (const bytes of [[], [0x80], [0, 0x7f], [0xff]])
    t.is(
      code(() => unsignedOf(Buffer.from(bytes), "x")),
      "der-integer",
    );
  t.deepEqual(bitsOf(Buffer.of(7, 0x80), "x"), { bytes: Buffer.of(0x80), unused: 7 });
  t.deepEqual(bitsOf(Buffer.of(0), "x"), { bytes: Buffer.of(), unused: 0 });
  for (const bytes of [[], [8, 0], [1], [1, 1], [7, 0xc0]]) {
    t.is(
      code(() => bitsOf(Buffer.from(bytes), "x")),
      "der-bits",
      bytes.join(),
    );
  }
});

test("times are UTC to the second and days of the calendar", (t) => {
  t.is(timeAt(TAG.utcTime, "260301120000Z"), Date.UTC(2026, 2, 1, 12));
  t.is(timeAt(TAG.utcTime, "491231235959Z"), Date.UTC(2049, 11, 31, 23, 59, 59));
  t.is(timeAt(TAG.utcTime, "500101000000Z"), Date.UTC(1950, 0, 1));
  t.is(timeAt(TAG.generalizedTime, "20500101000000Z"), Date.UTC(2050, 0, 1));
  t.is(timeAt(TAG.generalizedTime, "99991231235959Z"), Date.UTC(9999, 11, 31, 23, 59, 59));
  t.is(timeAt(TAG.generalizedTime, "20280229000000Z"), Date.UTC(2028, 1, 29));
  const bad: readonly (readonly [number, string])[] = [
    [TAG.utcTime, "2603011200Z"],
    [TAG.utcTime, "260301120000+0100"],
    [TAG.utcTime, "20260301120000Z"],
    [TAG.utcTime, "260230120000Z"],
    [TAG.utcTime, "261301120000Z"],
    [TAG.utcTime, "260301240000Z"],
    [TAG.utcTime, "260301120060Z"],
    [TAG.utcTime, "26030112000\u00b2Z"],
    [TAG.generalizedTime, "260301120000Z"],
    [TAG.generalizedTime, "20260301120000.5Z"],
    [TAG.generalizedTime, "20270229000000Z"],
    [TAG.utf8String, "260301120000Z"],
    [TAG.utcTime, "260301120000Z\n"],
  ];
  for (const [tag, text] of bad)
    t.is(
      code(() => timeAt(tag, text)),
      "der-time",
      text,
    );
});

test("arbitrary bytes are read within their bounds or refused with a PeerError", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const reader = new DerReader(bytes);
      let total = 0;
      try {
        while (!reader.done) total += reader.any("x").whole.length;
        return total === bytes.length;
      } catch (error) {
        return error instanceof PeerError && total <= bytes.length;
      }
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

const withHeader = (hex: string, length: number): Buffer =>
  Buffer.concat([Buffer.from(`04${hex}`, "hex"), Buffer.alloc(length)]);

test("lengths of three and four bytes are read in their shortest form, up to 64 MiB", (t) => {
  t.is(only(withHeader("83010000", 0x10000), 0x04, "x").length, 0x10000);
  t.is(only(withHeader("83ffffff", 0xffffff), 0x04, "x").length, 0xffffff);
  t.is(only(withHeader("8401000000", 0x1000000), 0x04, "x").length, 0x1000000);
  t.is(only(withHeader("8404000000", 0x4000000), 0x04, "x").length, 0x4000000);
  const cases: readonly (readonly [hex: string, code: string])[] = [
    ["8300ffff", "der-length"],
    ["8400ffffff", "der-length"],
    ["8404000001", "der-length"],
    ["84ffffffff", "der-length"],
    ["850100000000", "der-length"],
    ["83010000", "truncated"],
    ["830100", "truncated"],
    ["8404000000", "truncated"],
  ];
  for (const [hex, expected] of cases) {
    t.is(
      code(() => only(withHeader(hex, 0), 0x04, "x")),
      expected,
      hex,
    );
  }
});
