import test from "ava";
import * as fc from "fast-check";
import { decodeBase64Body } from "../../../src/enrolment/http-base64.ts";

test("base64 in one line, in lines and with an ended last line is read", (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.constantFrom("", "\n", "\r\n"),
      (bytes, end) => {
        const text = Buffer.from(bytes).toString("base64").replaceAll(/.{64}/g, `$&${end}`) + end;
        t.deepEqual(decodeBase64Body(Buffer.from(text)), Buffer.from(bytes));
      },
    ),
  );
});

for (const [what, text, reason] of [
  ["nothing", "", /empty/],
  ["line ends alone", "\r\n\n", /empty/],
  ["PEM", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n", /PEM/],
  ["blanks", "AA AA", /not base64/],
  ["a letter that is none", "AA*A", /not base64/],
  ["the alphabet of URLs", "AA-_", /not base64/],
  ["padding in the middle", "AA==AAAA", /not base64/],
  ["padding that is missing", "AAA", /one form/],
  ["padding that is too much", "AAAA=", /one form/],
  ["unused bits that are set", "AAB=", /one form/],
  ["a carriage return alone", "AAAA\rAAAA", /not base64/],
  ["bytes beyond ASCII", "AAA\u00e9", /not base64/],
] as const) {
  test(`${what} is refused`, (t) => {
    const error = t.throws(() => decodeBase64Body(Buffer.from(text, "latin1")));
    t.regex(error?.message ?? "", reason);
  });
}
