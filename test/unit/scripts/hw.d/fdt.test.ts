import test from "ava";
import { cells, everyNode, isEnabled, nodeAt, readTree, texts } from "../../../../scripts/hw.d/fdt.ts";
import { flatTree, strings, words } from "./flat-tree.ts";

const TREE = flatTree({
  compatible: strings("one,board", "one,soc"),
  soc: {
    "gpio@7e200000": { phandle: words(7), "#gpio-cells": words(2) },
    off: { status: strings("disabled"), below: { reg: words(1, 2, 3) } },
  },
  flag: Buffer.alloc(0),
});

/** The tree with a word of it changed. */
function changed(at: number, value: number): Buffer {
  const bytes = Buffer.from(TREE);
  bytes.writeUInt32BE(value, at);
  return bytes;
}

test("nodes, numbers and texts are read with their paths", (t) => {
  const root = readTree(TREE);
  t.deepEqual(
    [...everyNode(root)].map((node) => node.path),
    ["", "/soc", "/soc/gpio@7e200000", "/soc/off", "/soc/off/below"],
  );
  t.deepEqual(texts(root, "compatible"), ["one,board", "one,soc"]);
  const below = nodeAt(root, "/soc/off/below");
  t.true(below !== undefined && below.parent === nodeAt(root, "/soc/off"));
  t.deepEqual(below && cells(below, "reg"), [1, 2, 3]);
  t.deepEqual(root.properties.get("flag"), Buffer.alloc(0));
  t.is(nodeAt(root, "/soc/none"), undefined);
});

test("what stands in something that is switched off is off", (t) => {
  const on = [...everyNode(readTree(TREE))].filter(isEnabled).map((node) => node.path);
  t.deepEqual(on, ["", "/soc", "/soc/gpio@7e200000"]);
});

test("a tree that is cut short anywhere is refused", (t) => {
  for (let length = 0; length < TREE.length; length++) {
    const cut = Buffer.from(TREE.subarray(0, length));
    t.throws(() => readTree(cut), undefined, `${length} bytes`);
    // Though its head says that it is whole.
    if (length < 40) continue;
    cut.writeUInt32BE(length, 4);
    t.throws(() => readTree(cut), undefined, `${length} bytes, said to be whole`);
  }
});

test("what is no tree, or of another version, or has an unknown token is refused", (t) => {
  t.throws(() => readTree(changed(0, 0xd00dfeec)), { message: /no flattened device tree/ });
  t.throws(() => readTree(changed(20, 16)), { message: /version 16/ });
  t.throws(() => readTree(changed(56, 5)), { message: /no root/ });
  t.throws(() => readTree(changed(64, 5)), { message: /token 5/ });
  t.throws(() => readTree(Buffer.concat([TREE, Buffer.alloc(4)])), { message: /in \d+ bytes/ });
});

test("a property of another form than asked for is refused", (t) => {
  const root = readTree(flatTree({ odd: Buffer.from([1, 2, 3]) }));
  t.throws(() => cells(root, "odd"), { message: /no list of numbers/ });
  t.throws(() => texts(root, "odd"), { message: /no text/ });
});
