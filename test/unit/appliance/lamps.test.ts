import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { LAMPS, Lamps, lampsOf, type BoxLight } from "../../../src/appliance/lamps.ts";

const QUIET: BoxLight = {
  phase: "running",
  protection: "whole",
  sessions: "none",
  refused: false,
  fault: "none",
};

test("a box that protects and has nothing to say shows power and protected", (t) => {
  t.deepEqual(lampsOf(QUIET), {
    power: "on",
    protected: "on",
    session: "off",
    refused: "off",
    fault: "off",
  });
});

test("each lamp follows its own state and no other's", (t) => {
  const cases: ReadonlyArray<[Partial<BoxLight>, Partial<ReturnType<typeof lampsOf>>]> = [
    [{ phase: "starting" }, { power: "blink" }],
    [{ phase: "stopping" }, { power: "blink" }],
    [{ protection: "part" }, { protected: "blink" }],
    [{ protection: "none" }, { protected: "off" }],
    [{ sessions: "open" }, { session: "on" }],
    [{ sessions: "writing" }, { session: "blink" }],
    [{ refused: true }, { refused: "on" }],
    [{ fault: "some" }, { fault: "blink" }],
    [{ fault: "tampered" }, { fault: "on" }],
  ];
  for (const [state, shown] of cases)
    t.deepEqual(lampsOf({ ...QUIET, ...state }), { ...lampsOf(QUIET), ...shown }, JSON.stringify(state));
});

test("all five are set on a box that has them, by the kernel's files", (t) => {
  const root = mkdtempSync(join(tmpdir(), "niac-lamps-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  for (const lamp of LAMPS) {
    mkdirSync(join(root, `niac:white:${lamp}`));
    for (const [name, text] of Object.entries({ trigger: "", brightness: "", max_brightness: "1" }))
      writeFileSync(join(root, `niac:white:${lamp}`, name), text);
  }
  const said: string[] = [];
  const lamps = new Lamps("niac", (problem) => said.push(problem), root);
  lamps.show({ ...QUIET, sessions: "writing", fault: "some" });
  const shown = LAMPS.map((lamp) =>
    ["trigger", "brightness"]
      .map((name) => readFileSync(join(root, `niac:white:${lamp}`, name), "utf8"))
      .join(" "),
  );
  t.deepEqual(shown, ["none 1", "none 1", "timer ", "none 0", "timer "]);
  t.deepEqual(said, []);
});
