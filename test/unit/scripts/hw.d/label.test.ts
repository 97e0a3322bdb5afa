import { fileURLToPath } from "node:url";
import test from "ava";
import { UsageError } from "../../../../src/base/index.ts";
import { modelOf, readBoard } from "../../../../scripts/hw.d/board.ts";
import { labelPicture, parseClaim, parseSerial } from "../../../../scripts/hw.d/label.ts";

const HW = fileURLToPath(new URL("../../../../hw/", import.meta.url));
/** As a box prints it. */
const CLAIM = {
  origin: "niac-3f9a27c1",
  claimCode: "K7QX-M2RD-9TWA-4HEZ",
  fingerprint: "3f9a27c1d04be5586a1c9f7742d8b03e5cc1a90f6be24d7713ea58f0296db4c7",
  words: "lusab-babad-gutih-tugad-mudof",
};
const label = (claim = CLAIM, serial: string | null = "NB-1"): string =>
  labelPicture({ claim, serial, model: "Compute Module 4" });

interface Printed {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly atEnd: boolean;
  readonly text: string;
}

/** Texts with their place from the top left, and the size of their letters, in millimetres. */
function textsOf(svg: string): Printed[] {
  return [...svg.matchAll(/<text ([^>]*)>([^<]*)<\/text>/g)].map(([, attributes = "", text = ""]) => {
    const number = (name: string): number =>
      Number(new RegExp(`\\b${name}="([\\d.]+)"`).exec(attributes)?.[1] ?? Number.NaN);
    return {
      x: number("x"),
      y: number("y"),
      size: number("font-size"),
      atEnd: attributes.includes('text-anchor="end"'),
      text,
    };
  });
}

/** Left and right end, where letters are 0.6 of their size wide. */
function ends({ x, size, text, atEnd }: Printed): readonly [number, number] {
  const width = text.length * 0.6 * size;
  return atEnd ? [x - width, x] : [x, x + width];
}

test("the code stands on the card below the cut, and nowhere on the plate", (t) => {
  const svg = label();
  const [, cut = ""] = /points="0,([\d.]+) /.exec(svg) ?? [];
  const [plate, card] = [true, false].map((above) =>
    textsOf(svg)
      .filter(({ y }) => y < Number(cut) === above)
      .map(({ text }) => text),
  );
  for (const printed of [CLAIM.origin, "Compute Module 4", "S/N NB-1", `Identity: ${CLAIM.words}`])
    t.true(plate?.includes(printed), printed);
  t.deepEqual(
    plate?.filter((text) => text.includes("K7QX")),
    [],
  );
  t.true(card?.includes(CLAIM.claimCode) && card.includes(CLAIM.origin));
  for (const port of ["UPLINK", "DEVICE"]) t.true(plate?.includes(port));
});

test("without a serial number none is printed", (t) => {
  t.false(label(CLAIM, null).includes("S/N"));
});

test("what a claim says cannot become part of the picture", (t) => {
  const svg = label({ ...CLAIM, origin: '<script x="y">&' });
  t.false(svg.includes("<script"));
  t.true(svg.includes("&#60;script x=&#34;y&#34;&#62;&#38;"));
});

test("the identity is large and in the words of the box's console, the fingerprint below it in two lines of fours", (t) => {
  const printed = textsOf(label());
  const at = printed.findIndex(({ text }) => text === `Identity: ${CLAIM.words}`);
  const [identity, ...digits] = printed.slice(at, at + 3);
  t.true(identity !== undefined && identity.size > 3.8);
  t.deepEqual(
    digits.map(({ text }) => text),
    ["3f9a 27c1 d04b e558 6a1c 9f77 42d8 b03e", "5cc1 a90f 6be2 4d77 13ea 58f0 296d b4c7"],
  );
  for (const { size } of digits) t.is(size, 2.4);
});

for (const [what, claim, serial] of [
  ["of a usual claim", CLAIM, "NB-000123"],
  ["as long as they may be", { ...CLAIM, origin: "W".repeat(64), claimCode: "W".repeat(64) }, "X".repeat(24)],
] as const) {
  test(`texts ${what} keep to the plate, and out of each other's way, whatever the program that prints them knows of SVG`, (t) => {
    const svg = label(claim, serial);
    t.false(svg.includes("textLength"));
    const printed = textsOf(svg);
    t.true(printed.length > 15);
    for (const one of printed) {
      const [left, right] = ends(one);
      t.true(left >= 3.9 && right <= 96.1, `${one.text}: ${left} to ${right} mm`);
      t.true(one.size >= 2.3, `${one.text}: ${one.size} mm can be read`);
      for (const other of printed.filter(({ y }) => y === one.y))
        t.true(other === one || right <= ends(other)[0] || left >= ends(other)[1], one.text);
    }
  });
}

test("one model stands on a plate, and of several it must be said which", (t) => {
  const [four, five] = [readBoard(HW, "rpi4"), readBoard(HW, "rpi5")];
  t.is(modelOf(four, "cm4"), "Compute Module 4");
  t.is(modelOf(five, undefined), "Raspberry Pi 5");
  t.throws(() => modelOf(four, undefined), { instanceOf: UsageError, message: /which rpi4/ });
  t.throws(() => modelOf(five, "cm5"), { instanceOf: UsageError, message: /rpi5 is no cm5/ });
  t.throws(() => modelOf(four, "constructor"), { instanceOf: UsageError });
});

test("what niac claim prints is taken, and what it says besides is left", (t) => {
  t.deepEqual(parseClaim(JSON.stringify({ ...CLAIM, version: 1 })), CLAIM);
});

test("a claim of another form is refused by place, and its code is not repeated", (t) => {
  const refused = (json: string): string => {
    const error = t.throws(() => parseClaim(json), { instanceOf: UsageError });
    t.false(`${error?.message} ${error?.advice}`.includes("K7QX"));
    return error?.message ?? "";
  };
  t.regex(refused(`{"claimCode":"K7QX-M2RD`), /no JSON/);
  t.regex(refused(JSON.stringify({ claimCode: "K7QX" })), /: origin, fingerprint, words is/);
  t.regex(refused(JSON.stringify({ ...CLAIM, claimCode: `K7QX${"X".repeat(61)}` })), /: claimCode is/);
  t.regex(refused(JSON.stringify({ ...CLAIM, origin: "K7QX\n" })), /: origin is/);
  t.regex(refused(JSON.stringify({ ...CLAIM, fingerprint: CLAIM.words })), /: fingerprint is/);
  t.regex(refused(JSON.stringify({ ...CLAIM, words: CLAIM.fingerprint })), /: words is/);
  t.regex(refused('"K7QX"'), /: it is/);
});

test("a serial number is letters, digits, dots and dashes", (t) => {
  t.is(parseSerial(undefined), null);
  t.is(parseSerial("NB-000.1"), "NB-000.1");
  for (const wrong of ["", "a b", "x".repeat(25), "<"])
    t.throws(() => parseSerial(wrong), { instanceOf: UsageError });
});
