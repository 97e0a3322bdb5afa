import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import {
  readFloor,
  readImageBox,
  readLastFailure,
  type ImageBox,
  type ImagePlaces,
} from "../../../src/appliance/update-box.ts";

const FILES: Readonly<Record<keyof ImagePlaces, string>> = {
  boot: "NIAC_SLOT=B\nNIAC_TRYBOOT=1\nNIAC_DISK=/dev/vda\n",
  release: 'NAME="niac"\nIMAGE_ID=niac\nIMAGE_VERSION=0.2.0\nVARIANT_ID=rpi4\n',
  bootId: "2c5a0e5e-0000-4000-8000-000000000000\n",
  ownFloor: "0.1.0\n",
  floor: "0.1.5\n",
  lastFailure: "not healthy after 120 s: the gateway is away\n",
};

const BOX: ImageBox = {
  slot: "B",
  tryboot: true,
  version: "0.2.0",
  board: "rpi4",
  bootId: "2c5a0e5e-0000-4000-8000-000000000000",
  damaged: null,
};

/** Null: there is no such file. */
function places(
  t: ExecutionContext,
  changes: Partial<Record<keyof ImagePlaces, string | null>> = {},
): ImagePlaces {
  const directory = mkdtempSync(join(tmpdir(), "niac-image-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const files: Record<string, string | null> = { ...FILES, ...changes };
  const at = (name: keyof ImagePlaces): string => join(directory, name);
  for (const [name, text] of Object.entries(files))
    if (text !== null) writeFileSync(join(directory, name), text);
  return {
    boot: at("boot"),
    release: at("release"),
    bootId: at("bootId"),
    ownFloor: at("ownFloor"),
    floor: at("floor"),
    lastFailure: at("lastFailure"),
  };
}

test("slot, trial, version and board are read from the image and its initramfs", (t) => {
  t.deepEqual(readImageBox(places(t)), BOX);
  const settled = readImageBox(places(t, { boot: "NIAC_SLOT=A\nNIAC_TRYBOOT=0\n" }));
  t.like(settled, { slot: "A", tryboot: false });
});

test("a slot that could not be started is named by its letter alone", (t) => {
  const boot = "NIAC_SLOT=B\nNIAC_TRYBOOT=1\nNIAC_DAMAGED=";
  for (const slot of ["A", "B"] as const)
    t.is(readImageBox(places(t, { boot: `${boot}${slot}\n` }))?.damaged, slot);
  for (const word of ["-", "C", ""])
    t.is(readImageBox(places(t, { boot: `${boot}${word}\n` }))?.damaged, null, word);
});

test("a trial is one that the initramfs says so of, and nothing else", (t) => {
  for (const boot of ["NIAC_SLOT=A\n", "NIAC_SLOT=A\nNIAC_TRYBOOT=\n", "NIAC_SLOT=A\nNIAC_TRYBOOT=10\n"])
    t.like(readImageBox(places(t, { boot })), { tryboot: false }, boot);
});

for (const [what, changes] of Object.entries<Partial<Record<keyof ImagePlaces, string | null>>>({
  "another system": { release: "ID=debian\nIMAGE_VERSION=0.2.0\nVARIANT_ID=rpi4\n" },
  "no word of the initramfs": { boot: null },
  "a slot that there is not": { boot: "NIAC_SLOT=C\n" },
  "a version that is none": { release: "IMAGE_ID=niac\nIMAGE_VERSION=new\nVARIANT_ID=rpi4\n" },
  "no board": { release: "IMAGE_ID=niac\nIMAGE_VERSION=0.2.0\n" },
})) {
  test(`no image of niac's: ${what}`, (t) => {
    t.is(readImageBox(places(t, changes)), null);
  });
}

test("what cannot be read is said, and not taken for absent", (t) => {
  const at = places(t, { boot: null });
  mkdirSync(at.boot);
  t.throws(() => readImageBox(at), { code: "EISDIR" });
});

test("the floor is the higher one of the image's and the box's", (t) => {
  t.is(readFloor(BOX, places(t)), "0.1.5");
  t.is(readFloor(BOX, places(t, { ownFloor: "0.1.9\n" })), "0.1.9");
  t.is(readFloor(BOX, places(t, { floor: null })), "0.1.0");
});

test("a damaged floor is what runs: damage opens no way back", (t) => {
  for (const floor of ["", "\0\0\0\0", "0.1", "0.1.0-rc.1", "none"])
    t.is(readFloor(BOX, places(t, { floor })), "0.2.0", JSON.stringify(floor));
  t.is(readFloor({ ...BOX, version: "0.2.0-rc.3" }, places(t, { floor: "?" })), "0.2.0");
});

test("why the last trial was given up is one line, or nothing", (t) => {
  t.is(readLastFailure(places(t)), "not healthy after 120 s: the gateway is away");
  t.is(readLastFailure(places(t, { lastFailure: "one\ntwo\n" })), "one");
  t.is(readLastFailure(places(t, { lastFailure: "\n" })), null);
  t.is(readLastFailure(places(t, { lastFailure: null })), null);
  t.is(readLastFailure(places(t, { lastFailure: "x".repeat(9_000) }))?.length, 500);
});
