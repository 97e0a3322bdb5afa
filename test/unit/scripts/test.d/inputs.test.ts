import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { hashOf, imageInputs } from "../../../../scripts/test.d/inputs.ts";

function tree(t: ExecutionContext): string {
  const root = mkdtempSync(join(tmpdir(), "niac-inputs-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const folder of ["image/rootfs", "hw", "scripts/image.d", "src/native", "src/base"])
    mkdirSync(join(root, folder), { recursive: true });
  for (const file of [
    "image/rootfs/niac.service",
    "image/README.md",
    "hw/pins.yaml",
    "scripts/image",
    "scripts/setup.sh",
    "src/native/net.c",
    "src/base/in.ts",
    "src/base/out.ts",
    "package-lock.json",
  ])
    writeFileSync(join(root, file), file);
  return root;
}

const BUNDLED = ["src/base/in.ts", "node_modules/zod/index.js"];

test("a changed unit file, a new one, one of another name, a source of niac's program: another hash", (t) => {
  const root = tree(t);
  const seen = new Set([imageInputs(root, BUNDLED)]);
  const change = (what: string, how: () => void): void => {
    how();
    const hash = imageInputs(root, BUNDLED);
    t.false(seen.has(hash), what);
    seen.add(hash);
  };
  const unit = join(root, "image/rootfs/niac.service");
  change("content", () => writeFileSync(unit, "[Service]"));
  change("one more", () => writeFileSync(join(root, "image/rootfs/more.service"), ""));
  change("name", () => renameSync(unit, `${unit}.d`));
  change("source", () => writeFileSync(join(root, "src/base/in.ts"), "1"));
  change("libraries", () => writeFileSync(join(root, "package-lock.json"), "{}"));
});

test("what is written for people, and sources that no box has, change nothing", (t) => {
  const root = tree(t);
  const before = imageInputs(root, BUNDLED);
  t.is(imageInputs(root, BUNDLED), before);
  writeFileSync(join(root, "image/README.md"), "more");
  writeFileSync(join(root, "image/box.svg"), "<svg/>");
  writeFileSync(join(root, "src/base/out.ts"), "1");
  t.is(imageInputs(root, BUNDLED), before);
});

test("what moves from one file to the next is another hash", (t) => {
  const root = tree(t);
  const [a, b] = ["src/base/in.ts", "src/base/out.ts"];
  writeFileSync(join(root, a), "ab");
  writeFileSync(join(root, b), "c");
  const before = hashOf(root, ["src/base"]);
  writeFileSync(join(root, a), "a");
  writeFileSync(join(root, b), "bc");
  t.not(hashOf(root, ["src/base"]), before);
});

test("a place that is gone stops it by its name, and is no hash", (t) => {
  t.throws(() => hashOf(tree(t), ["nowhere"]), { message: /nowhere/ });
});
