import test from "ava";
import * as fc from "fast-check";
import { closest, editDistance, listed } from "../../../src/site/suggest.ts";

test("distances between words", (t) => {
  t.is(editDistance("", "abc"), 3);
  t.is(editDistance("kitten", "sitting"), 3);
  t.is(editDistance("machines", "machnies"), 1);
  t.is(editDistance("press-4", "press-4"), 0);
});

test("the distance is symmetric, at most the longer length, and 0 for equal texts alone", (t) => {
  const word = fc.string({ maxLength: 8, unit: fc.constantFrom("a", "b", "c") });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      t.is(distance, editDistance(b, a));
      t.true(distance <= Math.max(a.length, b.length));
      t.is(distance === 0, a === b);
    }),
  );
});

test("what was probably meant, and nothing where nothing is near", (t) => {
  const known = ["holdingRegisters", "inputRegisters", "coils", "readOnly"];
  t.is(closest("holdingRegister", known), "holdingRegisters");
  t.is(closest("readonly", known), "readOnly");
  t.is(closest("coil", known), "coils");
  t.is(closest("xyz", known), undefined);
  t.is(closest("", known), undefined);
  t.is(closest("c".repeat(1000), ["c".repeat(999)]), undefined);
});

test("long lists are cut", (t) => {
  t.is(listed(["a", "b"]), "a, b");
  t.is(listed(Array.from({ length: 10 }, (_, index) => `${index}`)), "0, 1, 2, 3, 4, 5, 6, 7 and 2 more");
});
