import test from "ava";
import * as fc from "fast-check";
import { columns, cut, fit, printable } from "../../../src/base/index.ts";

const cases: readonly (readonly [what: string, text: string, shown: string])[] = [
  ["plain text stays", "Presse 4: Öl, 20 °C, 油圧, Ελλάς", "Presse 4: Öl, 20 °C, 油圧, Ελλάς"],
  ["an escape sequence", "\u001b[2J\u009b31m", "\\u{1b}[2J\\u{9b}31m"],
  ["line ends and tabs", "a\r\nb\tc\u2028d\u0085", "a\\u{d}\\u{a}b\\u{9}c\\u{2028}d\\u{85}"],
  ["NUL, backspace, delete", "\u0000\b\u007f", "\\u{0}\\u{8}\\u{7f}"],
  ["a change of direction", "user\u202enimda", "user\\u{202e}nimda"],
  ["letters of no width", "a\u200bb\ufeffc\u00add\u2060", "a\\u{200b}b\\u{feff}c\\u{ad}d\\u{2060}"],
  ["blanks that are no space", "a\u00a0b\u3000c\u3164d\u2800", "a\\u{a0}b\\u{3000}c\\u{3164}d\\u{2800}"],
  ["an accent of its own joins its letter", "e\u0301", "é"],
  ["marks piled up", "z\u0335\u0321", "z\\u{335}\\u{321}"],
  ["half a pair", "\ud83d!", "\\u{d83d}!"],
  ["tags and private use", "\u{e0041}\ue000", "\\u{e0041}\\u{e000}"],
  ["a backslash, so that no text can look like an escape", "\\u{1b}", "\\\\u{1b}"],
];

for (const [what, text, shown] of cases) {
  test(what, (t) => {
    t.is(printable(text), shown);
  });
}

test("whatever comes in, only letters, digits, punctuation, symbols and spaces come out", (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => /^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(printable(text))),
    { numRuns: 2_000 },
  );
  t.pass();
});

test("fit gives exactly the width, wide letters counted twice", (t) => {
  t.is(columns("油圧a"), 5);
  t.is(fit("油圧a", 6), "油圧a ");
  t.is(fit("油圧a", 4), "油… ");
  t.is(fit("", 2), "  ");
  t.is(cut("abc", 3), "abc");
  t.is(cut("abcd", 3), "ab…");
  t.is(cut("abcd", 1), "…");
  t.is(cut("abcd", 0), "");
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      fc.nat({ max: 30 }),
      (text, width) => columns(fit(printable(text), width)) === width,
    ),
  );
});
