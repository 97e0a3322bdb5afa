import test from "ava";
import * as fc from "fast-check";
import { foldSum, partialSum } from "../../../../src/isolation/packet/checksum.ts";
import { internetChecksum } from "./build.ts";

test("the example of RFC 1071, section 3", (t) => {
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  t.is(foldSum(partialSum(bytes, 0, bytes.length)), 0xffff - 0xddf2);
});

test("any bytes sum up as by other arithmetic, whole and in pieces of even length", (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
        const middle = Math.min(cut - (cut % 2), bytes.length - (bytes.length % 2));
        const pieces = partialSum(bytes, 0, middle) + partialSum(bytes, middle, bytes.length);
        return foldSum(pieces) === internetChecksum(bytes);
      }),
    ),
  );
});
