import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { groupsOf, writeEntries } from "../../../../scripts/test.d/groups.ts";

const many = (folder: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `test/unit/${folder}/${String(i).padStart(2, "0")}.test.ts`);

test("files of a folder share a process, but those that run alone; each file is there once", (t) => {
  const files = [...many("site", 3), ...many("link", 2), "test/unit/imports.test.ts"];
  const alone = new Set(["test/unit/link/01.test.ts"]);
  const parted = groupsOf(files, alone, () => 1);
  t.deepEqual(parted.alone, [...alone]);
  t.deepEqual(parted.groups.map(({ name }) => name).toSorted(), ["unit", "unit-link", "unit-site"]);
  const all = [...parted.groups.flatMap((group) => group.files), ...parted.alone];
  t.deepEqual(all.toSorted(), files.toSorted());
});

test("a large folder is parted into processes of like size", (t) => {
  const { groups } = groupsOf(many("gateway", 29), new Set(), () => 1);
  t.deepEqual(
    groups.map(({ name, files }) => [name, files.length]),
    [
      ["unit-gateway-1", 15],
      ["unit-gateway-2", 14],
    ],
  );
});

test("the dearest group is the first", (t) => {
  const files = [...many("a", 2), ...many("b", 2)];
  const { groups } = groupsOf(files, new Set(), (file) => (file === "test/unit/b/00.test.ts" ? 9 : 1));
  t.deepEqual(
    groups.map(({ name }) => name),
    ["unit-b", "unit-a"],
  );
});

test("entry files name their group's files, and those of before are gone", (t) => {
  const root = mkdtempSync(join(tmpdir(), "niac-groups-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  writeEntries(root, "build/groups", [{ name: "old", files: [] }]);
  const paths = writeEntries(root, "build/groups", [{ name: "unit-a", files: many("a", 2) }]);
  t.deepEqual(paths, ["build/groups/unit-a.test.ts"]);
  t.deepEqual(readdirSync(join(root, "build/groups")), ["unit-a.test.ts"]);
  const text = readFileSync(join(root, "build/groups/unit-a.test.ts"), "utf8");
  for (const file of many("a", 2)) t.true(text.includes(`"${file}"`));
  t.true(text.includes('"../../test/support/runner/group.ts"'));
});
