import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { readPassed, whyNotRun, writePassed } from "../../../../scripts/test.d/passed.ts";

const RECORD = {
  inputs: "abc",
  at: "2026-12-01T10:00:00.000Z",
  tests: 30,
  minutes: 50,
  figures: { a: ["3 s"] },
};

test("a tier that passed for these inputs need not run, and it is said since when", (t) => {
  t.is(
    whyNotRun(RECORD, "abc"),
    "nothing it tests has changed since it passed on 2026-12-01 (30 tests in 50 min)",
  );
  t.is(whyNotRun(RECORD, "abd"), null);
  t.is(whyNotRun(null, "abc"), null);
});

test("what is written is read again, and one tier leaves the other's alone", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "niac-passed-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const path = join(dir, "passed.json");
  t.deepEqual(readPassed(path), { image: null, soak: null });
  writePassed(path, "image", RECORD);
  writePassed(path, "soak", { ...RECORD, inputs: "def" });
  t.deepEqual(readPassed(path), { image: RECORD, soak: { ...RECORD, inputs: "def" } });
  for (const wrong of ["", "{}", '{"image":{"inputs":"abc"},"soak":null}']) {
    writeFileSync(path, wrong);
    t.deepEqual(readPassed(path), { image: null, soak: null }, `${wrong}: the tiers run`);
  }
});
