import test from "ava";
import { UsageError } from "../../../../src/base/index.ts";
import { labelPicture, parseClaim, parseSerial } from "../../../../scripts/hw.d/label.ts";

const CLAIM = {
  origin: "niac-3f9a27c1",
  claimCode: "K7QX-M2RD-9TWA",
  fingerprint: "lusab-babad-gutih-tugad-mudof",
};
const label = (claim = CLAIM, serial: string | null = "NB-1"): string =>
  labelPicture({ claim, serial, board: "Raspberry Pi 4" });

/** Texts with their place from the top, in millimetres. */
function textsOf(svg: string): { readonly y: number; readonly text: string }[] {
  return [...svg.matchAll(/<text [^>]*\by="([\d.]+)"[^>]*>([^<]*)<\/text>/g)].map(([, y, text = ""]) => ({
    y: Number(y),
    text,
  }));
}

test("the code stands on the card below the cut, and nowhere on the plate", (t) => {
  const svg = label();
  const [, cut = ""] = /points="0,([\d.]+) /.exec(svg) ?? [];
  const [plate, card] = [true, false].map((above) =>
    textsOf(svg)
      .filter(({ y }) => y < Number(cut) === above)
      .map(({ text }) => text),
  );
  t.true(plate?.includes(CLAIM.origin) && plate.includes(CLAIM.fingerprint) && plate.includes("S/N NB-1"));
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

test("what is too long for the label is squeezed into it", (t) => {
  const long = "W".repeat(64);
  const svg = label({ origin: long, claimCode: long, fingerprint: long });
  t.is(svg.match(/textLength="92"/g)?.length, 4);
  t.false(label().includes("textLength"));
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
  t.regex(refused(JSON.stringify({ claimCode: "K7QX" })), /: origin, fingerprint is/);
  t.regex(refused(JSON.stringify({ ...CLAIM, claimCode: `K7QX${"X".repeat(61)}` })), /: claimCode is/);
  t.regex(refused(JSON.stringify({ ...CLAIM, origin: "K7QX\n" })), /: origin is/);
  t.regex(refused('"K7QX"'), /: it is/);
});

test("a serial number is letters, digits, dots and dashes", (t) => {
  t.is(parseSerial(undefined), null);
  t.is(parseSerial("NB-000.1"), "NB-000.1");
  for (const wrong of ["", "a b", "x".repeat(25), "<"])
    t.throws(() => parseSerial(wrong), { instanceOf: UsageError });
});
