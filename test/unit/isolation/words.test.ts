import test from "ava";
import { counted, list, number } from "../../../src/isolation/words.ts";

test("numbers and lists as a sentence has them", (t) => {
  t.is(number(65_535), "65,535");
  t.is(counted(1, "packet"), "1 packet");
  t.is(counted(0, "packet"), "0 packets");
  t.is(counted(1_200, "packet"), "1,200 packets");
  t.deepEqual([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(list), ["", "a", "a and b", "a, b and c"]);
});
