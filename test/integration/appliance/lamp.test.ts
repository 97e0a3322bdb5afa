import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { LAMPS } from "../../../src/appliance/lamps.ts";

const SCRIPT = fileURLToPath(new URL("../../../image/rootfs/usr/lib/niac/lamp", import.meta.url));

/** The lamps of a box, as files; `run` calls the script that units call. */
function bed(t: ExecutionContext, names = LAMPS.map((lamp) => `niac:green:${lamp}`)) {
  const root = mkdtempSync(join(tmpdir(), "niac-lamp-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  for (const name of names) {
    mkdirSync(join(root, name));
    for (const [file, text] of Object.entries({ trigger: "", brightness: "", max_brightness: "7\n" }))
      writeFileSync(join(root, name, file), text);
  }
  const run = (...words: string[]): number | null =>
    spawnSync(SCRIPT, words, { env: { NIAC_LED_CLASS: root } }).status;
  const shown = (name: string): string =>
    ["trigger", "brightness"].map((file) => readFileSync(join(root, name, file), "utf8").trim()).join(" ");
  return { run, shown };
}

test("a unit sets lamps where niac does not run, several at once", (t) => {
  const { run, shown } = bed(t);
  t.is(run("power", "off", "fault", "blink", "session", "on"), 0);
  t.is(shown("niac:green:power"), "none 0");
  t.is(shown("niac:green:fault"), "timer ");
  t.is(shown("niac:green:session"), "none 7");
  t.is(shown("niac:green:refused"), " ", "the others are left alone");
});

test("a box without the lamp is no error, and other boxes' lamps are left alone", (t) => {
  const { run, shown } = bed(t, ["other:red:fault", "niac:red:faulty"]);
  t.is(run("fault", "on"), 0);
  t.is(shown("other:red:fault"), " ");
  t.is(shown("niac:red:faulty"), " ");
});

test("wrong words set nothing", (t) => {
  const { run, shown } = bed(t);
  for (const words of [[], ["fault"], ["fault", "dim"], ["../x", "on"], ["power", "on", "fault"]])
    t.is(run(...words), 2, words.join(" "));
  t.is(shown("niac:green:power"), " ");
});
