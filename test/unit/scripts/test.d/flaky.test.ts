import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { flakyLines, keepFlaky, mayRunAgain } from "../../../../scripts/test.d/flaky.ts";
import type { Failure } from "../../../../scripts/test.d/tap.ts";

const NOT_FINAL = (): null => null;
const failed = (file: string | null): Failure => ({ file, title: "it does", lines: [] });
const FILES = ["a", "b", "c", "d"].map((name) => `test/e2e/${name}.test.ts`);

test("up to as many files as are left are run again, each once", (t) => {
  const three = FILES.slice(0, 3).map(failed);
  t.deepEqual(mayRunAgain([...three, ...three], 3, NOT_FINAL), { files: FILES.slice(0, 3), why: null });
});

test("none is where there are more", (t) => {
  t.deepEqual(mayRunAgain(FILES.map(failed), 3, NOT_FINAL).files, []);
  t.regex(mayRunAgain(FILES.slice(0, 2).map(failed), 1, NOT_FINAL).why ?? "", /2 files failed/);
});

test("none is where one failure is final, or belongs to no file", (t) => {
  const final = mayRunAgain([failed("test/e2e/a.test.ts"), failed("test/e2e/b.test.ts")], 3, ({ file }) =>
    file === "test/e2e/b.test.ts" ? "a record" : null,
  );
  t.deepEqual(final.files, []);
  t.regex(final.why ?? "", /about a record/);
  for (const file of [null, "build/test/groups/unit-site.test.ts"])
    t.deepEqual(mayRunAgain([failed(file)], 3, NOT_FINAL).files, []);
});

test("both outputs are kept; a file that was flaky before is called a bug, whatever the history was", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "niac-flaky-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const places = { folder: join(dir, "kept"), history: join(dir, "cache/flaky.json") };
  const keep = (day: string): ReturnType<typeof keepFlaky> =>
    keepFlaky("test/e2e/a.test.ts", ["bad", "good"], places, new Date(`${day}T10:00:00Z`));

  const first = keep("2026-12-01");
  t.is(readFileSync(join(first.kept, "first.txt"), "utf8"), "bad");
  t.is(readFileSync(join(first.kept, "second.txt"), "utf8"), "good");
  t.is(flakyLines([first]).length, 1);
  t.regex(flakyLines([first])[0] ?? "", /^FLAKY +test\/e2e\/a\.test\.ts /);

  t.regex(
    flakyLines([keep("2026-12-02")])[1] ?? "",
    /^BUG +test\/e2e\/a\.test\.ts was flaky before \(2026-12-01\)/,
  );
  writeFileSync(places.history, "not JSON");
  t.deepEqual(keep("2026-12-03").before, []);
});
