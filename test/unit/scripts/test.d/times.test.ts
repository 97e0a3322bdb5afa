import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { childrenOf } from "../../../../scripts/test.d/cpu.ts";
import { collect, merged, readRows, table, writeRows } from "../../../../scripts/test.d/times.ts";

const row = (
  file: string,
  own: number,
  children = 0,
): { file: string; wall: number; own: number; children: number } => ({
  file,
  wall: own + children,
  own,
  children,
});

test("what processes wrote is read once; files of a group have their own rows, and the rest is the group's", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "niac-times-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const folder = join(dir, "times");
  t.deepEqual(collect(folder), []);
  mkdirSync(folder);
  const { file: alone, ...whole } = row("a", 3, 2);
  writeFileSync(join(folder, "1.json"), JSON.stringify({ file: alone, whole, shares: {} }));
  const shares = { b: { wall: 1, own: 1, children: 0 }, c: { wall: 2, own: 1.5, children: 0 } };
  writeFileSync(
    join(folder, "2.json"),
    JSON.stringify({ file: "group", whole: { wall: 5, own: 4, children: 0 }, shares }),
  );
  const rows = collect(folder).toSorted((x, y) => x.file.localeCompare(y.file));
  t.deepEqual(rows, [
    row("a", 3, 2),
    { file: "b", wall: 1, own: 1, children: 0 },
    { file: "c", wall: 2, own: 1.5, children: 0 },
    { file: "group", wall: 2, own: 1.5, children: 0 },
  ]);
  t.false(existsSync(folder));
});

test("the dearest is last, by its own and its children's time; of many, those before are one line", (t) => {
  const rows = [row("dear", 1, 9), row("cheap", 1), row("middle", 5), row("cheaper", 0.5)];
  t.deepEqual(
    table(rows)
      .slice(1)
      .map((line) => line.split("  ").at(-1)),
    ["cheaper", "cheap", "middle", "dear"],
  );
  const short = table(rows, 2);
  t.is(short.length, 4);
  t.regex(short[1] ?? "", /^ +1\.5 +1\.5 +1\.5 +0\.0 {2}2 others$/);
  t.regex(short[3] ?? "", /^ +10\.0 +10\.0 +1\.0 +9\.0 {2}dear$/);
});

test("a file that ran twice is one row; rows are kept for the next run", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "niac-times-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const rows = merged([row("a", 1), row("b", 2), row("a", 3)]);
  t.deepEqual(rows, [row("a", 4), row("b", 2)]);
  t.deepEqual(readRows(join(dir, "times.json")), []);
  writeRows(dir, rows);
  t.deepEqual(readRows(join(dir, "times.json")), rows);
});

test("children's time is read behind the name of the process, whatever is in that", (t) => {
  t.is(childrenOf("12 (a b) c) S 1 2 3 4 5 6 7 8 9 10 100 50 250 50 20 0"), 3);
  t.is(childrenOf(""), 0);
});
