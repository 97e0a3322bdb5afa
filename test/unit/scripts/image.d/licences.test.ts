import test from "ava";
import { makeLicences } from "../../../../scripts/image.d/licences.ts";
import { GPL2, deb, npm, parts } from "./parts-made-up.ts";

const OPTIONS = { board: "rpi4", version: "0.1.0" };
const lineOf = (text: string, name: string): string =>
  text.split("\n").find((line) => line.slice(2).startsWith(`${name} `)) ?? "";
const times = (text: string, part: string): number => text.split(part).length - 1;

test("every package is there with its licences, its texts and, where its licence asks for it, the way to its source", (t) => {
  const text = makeLicences(parts(), OPTIONS);
  t.is(lineOf(text, "libc6"), "* libc6 2.41-12+deb13u1 | LGPL-2.1-or-later | [4] | -> glibc=2.41-12+deb13u1");
  t.is(
    lineOf(text, "nftables"),
    "* nftables 1:1.1.3-1 | GPL-2.0-only; MIT | [5] [3] | -> nftables=1:1.1.3-1",
  );
  t.is(lineOf(text, "serialport"), "  serialport 2.0.0 | MIT | [9]");
  t.regex(
    lineOf(text, "niac_tryboot"),
    /^\* niac_tryboot 0\.1\.0 \| GPL-2\.0-only \| \[2\] \[3\] \| -> its whole source/,
  );
});

test("every text stands once, whoever has it and however its lines end", (t) => {
  const shared = [
    npm("node_modules/a", { texts: ["Shared\ntext\n"] }),
    npm("node_modules/b", { texts: ["Shared\r\ntext"] }),
  ];
  const text = makeLicences(parts({ npm: shared }), OPTIONS);
  t.is(times(text, "Shared\ntext"), 1);
  t.is(lineOf(text, "a").split("|").at(-1), lineOf(text, "b").split("|").at(-1));
  t.is(times(text, GPL2.trimEnd()), 1);
});

test("each number that a package names has its text", (t) => {
  const [list = "", texts = ""] = makeLicences(parts(), OPTIONS).split("\nTexts\n");
  const named = new Set([...list.matchAll(/\[(\d+)\]/g)].map(([, number]) => Number(number)));
  const there = [...texts.matchAll(/^\[(\d+)\]$/gm)].map(([, number]) => Number(number));
  t.deepEqual(
    [...named].toSorted((a, b) => a - b),
    there,
  );
});

test("the source of niac's own kernel module comes along whole", (t) => {
  t.true(makeLicences(parts(), OPTIONS).includes("\n// the module\n"));
});

test("a package that brings no text is said to, and one that names no licence is taken for one that asks for its source", (t) => {
  const text = makeLicences(
    parts({ debs: [{ deb: deb("odd"), copyright: "Do what you like.\n" }] }),
    OPTIONS,
  );
  t.regex(lineOf(text, "odd"), /^\* odd 1\.0-1 \| see the text \| \[\d+\] \| -> odd=1\.0-1$/);
  t.regex(lineOf(text, "debug") || lineOf(text, "node_modules/debug"), /no text comes with it/);
});

test("the same parts give the same text", (t) => {
  t.is(makeLicences(parts(), OPTIONS), makeLicences(parts(), OPTIONS));
});
