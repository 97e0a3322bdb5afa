import test from "ava";
import { byteText, durationText, table } from "../../../src/base/index.ts";

test("columns are as wide as their widest cell, and no line ends in blanks", (t) => {
  t.deepEqual(
    table(
      ["A", "LONGER", "C"],
      [
        ["long cell", "x", ""],
        ["y", "zz", "last"],
      ],
    ),
    ["A          LONGER  C", "long cell  x", "y          zz      last"],
  );
});

test("a header alone is a table", (t) => {
  t.deepEqual(table(["A", "B"], []), ["A  B"]);
});

test("what comes from outside cannot move the cursor, colour the screen or break a line", (t) => {
  const lines = table(
    ["WHO"],
    [["\u001b[31mroot\u001b[0m"], ["two\nlines"], ["back\bspace\r"], ["\u202eevil"]],
  );
  t.is(lines.length, 5);
  t.true(lines[1]?.includes("root"));
  for (const line of lines) t.notRegex(line, /\p{Cc}|\p{Bidi_Control}/u);
});

test("times are said in the unit that is right for them", (t) => {
  for (const [milliseconds, text] of [
    [-5, "0 s"],
    [0, "0 s"],
    [1_499, "1 s"],
    [119_499, "119 s"],
    [120_000, "2 min"],
    [7_199_000, "120 min"],
    [7_200_000, "2 h"],
    [172_800_000, "2 d"],
  ] as const) {
    t.is(durationText(milliseconds), text);
  }
});

test("amounts are said in the unit that is right for them", (t) => {
  for (const [count, text] of [
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [1_550, "1.6 kB"],
    [999_940, "999.9 kB"],
    [1_000_000, "1.0 MB"],
    [3_240_000, "3.2 MB"],
  ] as const) {
    t.is(byteText(count), text);
  }
});
