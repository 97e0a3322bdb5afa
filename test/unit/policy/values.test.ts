import test from "ava";
import { maskReaches, masked, maskStays } from "../../../src/policy/values.ts";
import { possible, result } from "./cedar.ts";
import { Dice } from "./generator.ts";

test("the standard's example of a mask write: 0x12 with and 0xF2, or 0x25 gives 0x17", (t) => {
  t.is(masked(0x12, 0xf2, 0x25), 0x17);
});

test("results of mask writes are those found by trying every value a register can hold", (t) => {
  const dice = new Dice(22);
  const seen = { stays: 0, reaches: 0, misses: 0 };
  for (let i = 0; i < 150; i++) {
    // Masks of many and of few open bits, limits of any width.
    const and = dice.below(0x10000) & (dice.once(2) ? dice.below(0x10000) : 0xffff);
    const or = dice.below(0x10000);
    const results = possible(and, or);
    const held = dice.below(0x10000);
    t.is(masked(held, and, or), result(held, and, or));
    for (let j = 0; j < 20; j++) {
      const near = dice.once(2) ? dice.of(results) : dice.below(0x10000);
      const min = Math.max(0, near - dice.below(dice.once(2) ? 4 : 0x8000));
      const max = Math.min(0xffff, min + dice.below(dice.once(2) ? 8 : 0x10000));
      const label = JSON.stringify({ and, or, min, max });
      const reaches = results.some((value) => value >= min && value <= max);
      const stays = results.every((value) => value >= min && value <= max);
      t.is(maskReaches(and, or, min, max), reaches, label);
      t.is(maskStays(and, or, min, max), stays, label);
      if (stays) seen.stays++;
      else if (reaches) seen.reaches++;
      else seen.misses++;
    }
  }
  t.true(seen.stays > 50 && seen.reaches > 500 && seen.misses > 500, JSON.stringify(seen));
});

test("limits that no value keeps are reached by none", (t) => {
  t.false(maskReaches(0xffff, 0, 5, 4));
  t.false(maskReaches(0xffff, 0, 0x10000, 0x20000));
});
