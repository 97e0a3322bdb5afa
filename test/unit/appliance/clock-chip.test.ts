import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { readClockChip, type ClockChip } from "../../../src/appliance/clock-chip.ts";

/** Of a directory in a file's place every read fails, as of an attribute whose driver answers with an error. */
function chip(t: ExecutionContext, files: Readonly<Record<string, string | null>>): ClockChip | null {
  const root = mkdtempSync(join(tmpdir(), "niac-sys-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, "class/rtc", name);
    mkdirSync(text === null ? path : dirname(path), { recursive: true });
    if (text !== null) writeFileSync(path, text);
  }
  return readClockChip(root);
}

const TIME = "1780000000\n";

test("the chip that the kernel set the clock from counts, whatever its number", (t) => {
  const two = {
    "rtc0/hctosys": "0\n",
    "rtc0/since_epoch": null,
    "rtc1/hctosys": "1\n",
    "rtc1/since_epoch": TIME,
  };
  t.deepEqual(chip(t, two), { name: "rtc1", keepsTime: true, setTheClock: true });
});

test("where the clock was set from none the first counts: a second that keeps time hides nothing", (t) => {
  const two = {
    "rtc0/hctosys": "0\n",
    "rtc0/since_epoch": null,
    "rtc1/hctosys": "0\n",
    "rtc1/since_epoch": TIME,
  };
  t.deepEqual(chip(t, two), { name: "rtc0", keepsTime: false, setTheClock: false });
  const many = { "rtc10/since_epoch": null, "rtc2/since_epoch": TIME };
  t.deepEqual(chip(t, many), { name: "rtc2", keepsTime: true, setTheClock: false });
});

test("a board without a chip has none", (t) => {
  t.is(chip(t, {}), null);
  t.is(chip(t, { "rtc/since_epoch": TIME }), null);
});
