import test from "ava";
import { deskText, UsageError } from "../../../src/base/index.ts";

const utf8 = (text: string): Buffer => Buffer.from(text, "utf8");

test("a text is the same with the line ends of any computer, with a byte order mark and without", (t) => {
  for (const written of ["a: ä\nb\n", "a: ä\r\nb\r\n", "a: ä\rb\r", "\uFEFFa: ä\r\nb\n"])
    t.is(deskText(utf8(written), "site.yaml"), "a: ä\nb\n");
  t.is(deskText(Buffer.alloc(0), "site.yaml"), "");
  t.is(deskText(utf8("a\uFEFFb"), "site.yaml"), "a\uFEFFb", "elsewhere it is a character like others");
});

test("other encodings are refused by name, with what to do", (t) => {
  const wrong: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from("site", "utf16le")]), /site\.yaml .*UTF-16/],
    [Buffer.concat([Buffer.of(0xfe, 0xff), Buffer.from("site", "utf16le").swap16()]), /UTF-16/],
    [Buffer.from("site", "utf16le"), /UTF-16/],
    [Buffer.from("gr\u00fcn", "latin1"), /not written in UTF-8/],
  ];
  for (const [bytes, message] of wrong) {
    const error = t.throws(() => deskText(bytes, "site.yaml"), { instanceOf: UsageError, message });
    t.regex(error.advice ?? "", /UTF-8/);
  }
});
