import test from "ava";
import * as fc from "fast-check";
import { BugError } from "../../../src/base/index.ts";
import {
  booleanOf,
  bitsOf,
  DerReader,
  oidText,
  only,
  TAG,
  timeOf,
  unsignedOf,
} from "../../../src/x509/der.ts";
import { der } from "../../../src/x509/index.ts";
import { codeOf } from "./made.ts";
import * as byHand from "./writer.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("every value has the bytes that X.690 gives it", (t) => {
  t.is(hex(der.integer(0)), "020100");
  t.is(hex(der.integer(127)), "02017f");
  t.is(hex(der.integer(128)), "02020080");
  t.is(hex(der.integer(65_536n)), "0203010000");
  t.is(hex(der.integer(Buffer.of(0, 0, 0x80))), "02020080");
  t.is(hex(der.integer(Buffer.of())), "020100");
  t.is(hex(der.boolean(true)), "0101ff");
  t.is(hex(der.boolean(false)), "010100");
  t.is(hex(der.nullValue()), "0500");
  t.is(hex(der.enumerated(10)), "0a010a");
  t.is(hex(der.bitString(Buffer.of(0x06), 1)), "03020106");
  t.is(hex(der.octetString(Buffer.of(1, 2))), "04020102");
  t.is(hex(der.utf8String("ü")), "0c02c3bc");
  t.is(hex(der.printableString("DE")), "13024445");
  t.is(hex(der.ia5String("a@b")), "1603614062");
  t.is(hex(der.oid("1.2.840.113549")), "06062a864886f70d");
  t.is(hex(der.oid("2.999")), "06028837");
  t.is(hex(der.set(Buffer.of(5, 0), Buffer.of(4, 0))), "310404000500");
  t.is(hex(der.sequence()), "3000");
});

test("lengths are in their shortest form at every border", (t) => {
  const borders: readonly (readonly [length: number, header: string])[] = [
    [0x7f, "047f"],
    [0x80, "048180"],
    [0xff, "0481ff"],
    [0x100, "04820100"],
    [0xffff, "0482ffff"],
    [0x10000, "0483010000"],
    [0xffffff, "0483ffffff"],
    [0x1000000, "048401000000"],
  ];
  for (const [length, header] of borders) {
    const bytes = der.octetString(Buffer.alloc(length));
    t.is(hex(bytes.subarray(0, header.length / 2)), header);
    t.is(only(bytes, TAG.octetString, "x").length, length);
  }
});

test("times: UTCTime until 2049, GeneralizedTime after (RFC 5280, section 4.1.2.5)", (t) => {
  t.is(der.time(Date.UTC(2049, 11, 31, 23, 59, 59, 999)).toString("latin1", 2), "491231235959Z");
  t.is(der.time(Date.UTC(1950, 0, 1)).toString("latin1", 2), "500101000000Z");
  t.is(der.time(Date.UTC(2050, 0, 1)).toString("latin1", 2), "20500101000000Z");
  t.is(der.generalizedTime(Date.UTC(2026, 0, 1)).toString("latin1", 2), "20260101000000Z");
  for (const bad of [Date.UTC(1949, 11, 31), Date.UTC(10_000, 0, 1), Number.NaN, Infinity]) {
    t.is(
      codeOf(() => der.time(bad)),
      "time",
    );
  }
});

test("what has no encoding is refused", (t) => {
  for (const text of ["", "1", "3.1", "1.40", "1.2.", "1.02", "1..2", "a.b", "1.2.-3", "01.2"]) {
    t.is(
      codeOf(() => der.oid(text)),
      "oid",
      text,
    );
  }
  t.is(
    codeOf(() => der.printableString("a@b")),
    "text",
  );
  t.is(
    codeOf(() => der.ia5String("ü")),
    "text",
  );
  t.is(
    codeOf(() => der.utf8String("\ud800")),
    "text",
  );
  for (const bad of [-1, 1.5, Number.NaN, 2 ** 53])
    t.throws(() => der.integer(bad), { instanceOf: BugError });
  t.throws(() => der.integer(-1n), { instanceOf: BugError });
});

const contentOf = (bytes: Uint8Array, tag: number): Uint8Array => only(bytes, tag, "x");

test("what is written is read back the same", (t) => {
  const arc = fc.oneof(fc.bigInt(0n, 200n), fc.bigInt(0n, 2n ** 100n));
  fc.assert(
    fc.property(fc.nat(2), fc.bigInt(0n, 39n), fc.array(arc, { maxLength: 3 }), (root, second, rest) => {
      const text = [root, second, ...rest].join(".");
      return oidText(contentOf(der.oid(text), TAG.oid)) === text && der.oid(text).equals(der.oid(text));
    }),
  );
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 200n), (value) => {
      const bytes = unsignedOf(contentOf(der.integer(value), TAG.integer), "x");
      return BigInt(`0x${hex(bytes)}`) === value;
    }),
  );
  fc.assert(
    fc.property(
      fc.date({
        min: new Date(Date.UTC(1950, 0)),
        max: new Date("9999-12-31T23:59:59Z"),
        noInvalidDate: true,
      }),
      (date) => {
        const second = Math.floor(date.getTime() / 1000) * 1000;
        return timeOf(new DerReader(der.time(date.getTime())).any("x"), "x") === second;
      },
    ),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const bits = bitsOf(contentOf(der.bitString(bytes), TAG.bitString), "x");
      return (
        bits.unused === 0 &&
        hex(bits.bytes) === hex(bytes) &&
        hex(contentOf(der.octetString(bytes), 4)) === hex(bytes)
      );
    }),
  );
  t.true(booleanOf(contentOf(der.boolean(true), TAG.boolean), "x"));
  t.false(booleanOf(contentOf(der.boolean(false), TAG.boolean), "x"));
});

test("a set is in the same order whatever order its parts come in", (t) => {
  const parts = fc.array(
    fc.uint8Array({ maxLength: 4 }).map((bytes) => der.octetString(bytes)),
    { maxLength: 6 },
  );
  fc.assert(fc.property(parts, (list) => der.set(...list).equals(der.set(...list.toReversed()))));
  t.pass();
});

test("the tests' own writer, written apart from it, agrees", (t) => {
  const { seq, oid, utf8, int, time } = byHand;
  const at = Date.UTC(2051, 1, 3, 4, 5, 6);
  t.deepEqual(
    der.sequence(
      der.oid("1.3.6.1.4.1.50316.802.1"),
      der.utf8String("a".repeat(300)),
      der.integer(5),
      der.time(at),
    ),
    seq(oid("1.3.6.1.4.1.50316.802.1"), utf8("a".repeat(300)), int(5), time(at)),
  );
});
