import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { Led } from "../../../src/appliance/index.ts";

const ATTRIBUTES = {
  brightness: "0\n",
  max_brightness: "255\n",
  trigger: "none\n",
  delay_on: "",
  delay_off: "",
};

/** Files as the kernel's LED class has them. */
function lamp(t: ExecutionContext, attributes: Readonly<Record<string, string>> = ATTRIBUTES) {
  const root = mkdtempSync(join(tmpdir(), "niac-led-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const directory = join(root, "red:fault");
  mkdirSync(directory);
  for (const [name, content] of Object.entries(attributes)) writeFileSync(join(directory, name), content);
  const said: string[] = [];
  const led = new Led("red:fault", (problem) => said.push(problem), root);
  /** The first line: a file keeps the rest of what was longer, an attribute would not. */
  const shows = (name: string): string => readFileSync(join(directory, name), "utf8");
  return { led, said, directory, shows };
}

test("on is full, off is dark, blinking is the kernel's", (t) => {
  const { led, said, shows } = lamp(t, { ...ATTRIBUTES, brightness: "", trigger: "" });
  led.set("on");
  t.deepEqual([shows("trigger"), shows("brightness")], ["none", "255"]);
  led.set("blink");
  t.deepEqual([shows("trigger").slice(0, 5), shows("delay_on"), shows("delay_off")], ["timer", "500", "500"]);
  led.set("off");
  t.deepEqual([shows("trigger").slice(0, 4), shows("brightness").slice(0, 1)], ["none", "0"]);
  t.deepEqual(said, []);
});

test("set again to what it is, it is left alone", (t) => {
  const { led, shows, directory } = lamp(t);
  led.set("blink");
  writeFileSync(join(directory, "delay_on"), "untouched");
  led.set("blink");
  t.is(shows("delay_on"), "untouched");
});

test("a box without the lamp is told once, and it is no error", (t) => {
  const { said, directory } = lamp(t);
  const told: string[] = [];
  const led = new Led("fault", (problem) => told.push(problem), join(directory, ".."));
  led.set("on");
  led.set("blink");
  led.set("off");
  t.deepEqual(told, [`this box has no LED fault (${join(directory, "..", "fault")} is missing)`]);
  t.deepEqual(readdirSync(join(directory, "..")), ["red:fault"], "and none is made");
  t.deepEqual(said, []);
});

test("a lamp that cannot be set is told once, and tried again the next time", (t) => {
  const { led, said, shows, directory } = lamp(t);
  rmSync(join(directory, "trigger"));
  mkdirSync(join(directory, "trigger"));
  led.set("on");
  led.set("on");
  t.deepEqual(said, ["the LED red:fault cannot be set on (EISDIR)"]);
  rmSync(join(directory, "trigger"), { recursive: true });
  writeFileSync(join(directory, "trigger"), "");
  chmodSync(join(directory, "trigger"), 0o600);
  led.set("on");
  t.is(shows("brightness").slice(0, 3), "255");
});

test("a name is no path", (t) => {
  for (const name of ["", "..", "a/b", "../../x", "a b"]) {
    t.throws(() => new Led(name, () => undefined), { code: "led-name" }, name);
  }
});
