import test from "ava";
import { nameMaker } from "../../../src/base/index.ts";

test("names of one maker are counted, those of two have nothing in common", (t) => {
  const [one, other] = [nameMaker(), nameMaker("n")];
  const names = [one(), one(), other(), other()];
  t.is(new Set(names).size, 4);
  const [first, second, third] = names.map((name) => name.split("-"));
  t.is(first?.[0], second?.[0]);
  t.not(first?.[0], third?.[0]);
  t.deepEqual([first?.[1], second?.[1], third?.[1]], ["0", "1", "n0"]);
});

test("a command takes no name for an option", (t) => {
  // Of base64's letters one in 64 is a hyphen.
  for (let i = 0; i < 2_000; i++) t.regex(nameMaker()(), /^[0-9a-f]+-0$/);
});
