import test from "ava";
import { mayInstall, type BundleFacts, type InstallWish } from "../../../src/appliance/update-bundle.ts";
import type { ImageBox } from "../../../src/appliance/update-box.ts";
import { UsageError } from "../../../src/base/index.ts";

const BOX: ImageBox = {
  slot: "A",
  tryboot: false,
  version: "1.2.0",
  board: "rpi4",
  bootId: "",
  damaged: null,
};
const BUNDLE: BundleFacts = {
  version: "1.3.0",
  compatible: "niac-rpi4",
  hash: "ab".repeat(32),
  description: "",
  slots: ["root", "boot"],
};
const FLOOR = "1.1.0";

function refusal(bundle: Partial<BundleFacts>, wish: Partial<InstallWish> = {}): string {
  try {
    mayInstall({ ...BUNDLE, ...bundle }, BOX, FLOOR, { allowDowngrade: false, again: false, ...wish });
    return "";
  } catch (error) {
    return error instanceof UsageError ? error.code : String(error);
  }
}

test("a newer version for this board, root and boot slot together", (t) => {
  t.is(refusal({}), "");
  t.is(refusal({ version: "1.2.1-rc.1" }), "");
});

test("another board's is refused, whatever its version", (t) => {
  t.is(refusal({ compatible: "niac-rpi5" }), "update-board");
  t.is(refusal({ compatible: "niac-rpi" }, { allowDowngrade: true, again: true }), "update-board");
});

test("the version that runs only by name", (t) => {
  t.is(refusal({ version: "1.2.0" }), "update-same");
  t.is(refusal({ version: "1.2.0" }, { allowDowngrade: true }), "update-same");
  t.is(refusal({ version: "1.2.0" }, { again: true }), "");
});

test("an older one only by name, and the floor itself is one of those", (t) => {
  t.is(refusal({ version: "1.1.0" }), "update-downgrade");
  t.is(refusal({ version: "1.2.0-rc.9" }, { again: true }), "update-downgrade");
  t.is(refusal({ version: "1.1.0" }, { allowDowngrade: true }), "");
});

test("below the floor never", (t) => {
  for (const version of ["1.0.9", "1.1.0-rc.1", "0.9.0"])
    t.is(refusal({ version }, { allowDowngrade: true, again: true }), "update-floor", version);
});

test("a half update or a version that is none is refused", (t) => {
  t.is(refusal({ slots: ["root"] }), "update-parts");
  t.is(refusal({ slots: [] }), "update-parts");
  t.is(refusal({ version: "latest" }), "update-version");
});
