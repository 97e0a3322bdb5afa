import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { readHealth, type Health } from "../../../src/appliance/health.ts";

/** sysfs with these files; of a directory in a file's place every read fails, as of an attribute whose driver answers with an error. */
function health(t: ExecutionContext, files: Readonly<Record<string, string | null>>): Health {
  const root = mkdtempSync(join(tmpdir(), "niac-sys-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(text === null ? join(root, name) : dirname(join(root, name)), { recursive: true });
    if (text !== null) writeFileSync(join(root, name), text);
  }
  return readHealth(root, root, join(root, "sealed"));
}

test("the hottest place counts, and one that cannot be read measures nothing", (t) => {
  const files = {
    "class/thermal/thermal_zone0/temp": "41300\n",
    "class/thermal/thermal_zone1/temp": "52750\n",
    "class/thermal/thermal_zone2/temp": null,
    "class/thermal/thermal_zone3/temp": "hot\n",
    "class/thermal/cooling_device0/temp": "99000\n",
  };
  t.is(health(t, files).temperature, 52.75);
  t.is(health(t, { "class/thermal/thermal_zone0/temp": "-5000\n" }).temperature, -5);
  t.is(health(t, {}).temperature, null);
});

test("a clock chip keeps time, or says itself that it lost it, or is not there", (t) => {
  t.is(health(t, {}).clockChip, "none");
  t.is(health(t, { "class/rtc/rtc0/since_epoch": "1780000000\n" }).clockChip, "keeps time");
  t.is(health(t, { "class/rtc/rtc0/since_epoch": null }).clockChip, "lost");
  const two = { "class/rtc/rtc0/since_epoch": null, "class/rtc/rtc1/since_epoch": "1780000000\n" };
  t.is(health(t, two).clockChip, "lost", "a second chip is not the one that counts");
});

test("room is that of the storage control's state is on", (t) => {
  const { storage } = health(t, {});
  t.true(storage !== null && storage.size > 0 && storage.free > 0 && storage.free <= storage.size);
  t.is(readHealth("/nonexistent", "/nonexistent").storage, null);
});

test("what opens the data is said as the image's script wrote it, and of other words nothing is made", (t) => {
  t.is(health(t, { sealed: "tpm\n" }).sealed, "tpm");
  t.is(health(t, { sealed: "card\n" }).sealed, "card");
  t.is(health(t, { sealed: "well\n" }).sealed, null);
  t.is(health(t, {}).sealed, null);
});
