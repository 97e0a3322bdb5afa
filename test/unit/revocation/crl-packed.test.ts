import test from "ava";
import * as fc from "fast-check";
import { EntryPacker, packedEntries, REMOVED } from "../../../src/revocation/crl-packed.ts";

function packed(entries: readonly (readonly [string, number, number])[]): [string, number, number][] {
  const packer = new EntryPacker();
  for (const [serial, at, reason] of entries) packer.add(Buffer.from(serial, "hex"), at, reason);
  const { bytes, count } = packer.take();
  const read = Array.from(packedEntries(bytes), ({ serial, revokedAt, reason }): [string, number, number] => [
    serial.toString("hex"),
    revokedAt,
    reason,
  ]);
  if (read.length !== count) throw new Error(`${count} were said, ${read.length} are there`);
  return read;
}

test("what is put in comes out, in the order of the serial numbers", (t) => {
  t.deepEqual(packed([]), []);
  t.deepEqual(
    packed([
      ["ff", 3, 0],
      ["0102", 2, 1],
      ["01", 1, 9],
    ]),
    [
      ["01", 1, 9],
      ["0102", 2, 1],
      ["ff", 3, 0],
    ],
  );
});

test("a serial number given twice counts from the earlier time, and as revoked where it is also taken off", (t) => {
  t.deepEqual(
    packed([
      ["01", 5, 1],
      ["01", 4, 2],
      ["02", 1, REMOVED],
      ["02", 9, 3],
    ]),
    [
      ["01", 4, 2],
      ["02", 9, 3],
    ],
  );
});

test("as many as there are, of any length, in any order", (t) => {
  const serial = fc.uint8Array({ minLength: 1, maxLength: 21 });
  const entries = fc.array(
    fc.tuple(serial, fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 0, max: 7 })),
    {
      maxLength: 500,
      size: "max",
    },
  );
  fc.assert(
    fc.property(entries, (given) => {
      const texts = given.map(
        ([bytes, at, reason]) => [Buffer.from(bytes).toString("hex"), at, reason] as const,
      );
      const first = new Map<string, number>();
      for (const [text, at] of texts) first.set(text, Math.min(at, first.get(text) ?? Infinity));
      const read = packed(texts);
      t.deepEqual(
        read.map(([text, at]) => [text, at]),
        [...first].toSorted(([a], [b]) => Buffer.compare(Buffer.from(a, "hex"), Buffer.from(b, "hex"))),
      );
    }),
    { numRuns: 20 },
  );
});

test("a serial number that is too long for its place is refused", (t) => {
  const packer = new EntryPacker();
  packer.add(Buffer.alloc(255, 1), 0, 0);
  t.throws(() => packer.add(Buffer.alloc(256, 1), 0, 0), { code: "crl-serial" });
});
