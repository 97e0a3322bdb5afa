import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { Led } from "../../../src/appliance/led.ts";

/** Files as the kernel's LED class has them. */
function lamp(t: ExecutionContext, name = "box:red:fault") {
  const root = mkdtempSync(join(tmpdir(), "niac-led-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const directory = join(root, name);
  mkdirSync(directory);
  writeFileSync(join(directory, "max_brightness"), "255\n");
  for (const attribute of ["brightness", "trigger"]) writeFileSync(join(directory, attribute), "");
  const said: string[] = [];
  const led = new Led("box", "fault", (problem) => said.push(problem), root);
  /** A file keeps the rest of what was longer, an attribute would not. */
  const shows = (attribute: string, length?: number): string =>
    readFileSync(join(directory, attribute), "utf8").slice(0, length);
  return { led, said, root, directory, shows };
}

test("on is full, off is dark, blinking is the kernel's own pace", (t) => {
  const { led, said, shows, directory } = lamp(t);
  led.set("on");
  t.deepEqual([shows("trigger"), shows("brightness")], ["none", "255"]);
  led.set("blink");
  t.is(shows("trigger"), "timer");
  led.set("off");
  t.deepEqual([shows("trigger", 4), shows("brightness", 1)], ["none", "0"]);
  t.deepEqual(said, []);
  t.deepEqual(readdirSync(directory), ["brightness", "max_brightness", "trigger"], "and nothing is made");
});

test("set again to what it is, it is left alone, so that it does not blink out of step", (t) => {
  const { led, shows, directory } = lamp(t);
  led.set("blink");
  writeFileSync(join(directory, "trigger"), "untouched");
  led.set("blink");
  t.is(shows("trigger"), "untouched");
});

test("the colour is the board's, the box and the lamp are not", (t) => {
  for (const name of ["box:amber:fault", "box:red:fault"]) {
    const { led, shows } = lamp(t, name);
    led.set("on");
    t.is(shows("brightness"), "255", name);
  }
  for (const name of ["other:red:fault", "box:red:power", "boxes:red:fault"]) {
    const { led, said, root, shows } = lamp(t, name);
    led.set("on");
    led.set("blink");
    led.set("off");
    t.deepEqual(said, [`this box has no LED box:*:fault in ${root}`], "told once, and no error");
    t.is(shows("brightness"), "", name);
    t.deepEqual(readdirSync(root), [name], "and none is made");
  }
});

test("a lamp that comes later is set then", (t) => {
  const { led, said, root, directory } = lamp(t, "later");
  led.set("on");
  mkdirSync(join(root, "box:red:fault"));
  for (const attribute of ["brightness", "max_brightness", "trigger"])
    writeFileSync(join(root, "box:red:fault", attribute), readFileSync(join(directory, attribute)));
  led.set("on");
  t.is(readFileSync(join(root, "box:red:fault", "brightness"), "utf8"), "255");
  t.is(said.length, 1);
});

test("a lamp that cannot be set is told once, and tried again the next time", (t) => {
  const { led, said, shows, directory } = lamp(t);
  rmSync(join(directory, "trigger"));
  mkdirSync(join(directory, "trigger"));
  led.set("on");
  led.set("on");
  t.deepEqual(said, ["the LED box:*:fault cannot be set on (EISDIR)"]);
  rmSync(join(directory, "trigger"), { recursive: true });
  writeFileSync(join(directory, "trigger"), "");
  chmodSync(join(directory, "trigger"), 0o600);
  led.set("on");
  t.is(shows("brightness"), "255");
});
