/** Every shell script of the image and of scripts/, as shellcheck reads it. */
import { spawnSync } from "node:child_process";
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExecutionContext } from "ava";
import { pathsIn } from "../../../scripts/image.d/tree.ts";
import { testWith } from "../../support/tools.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** What is not asked, and why. */
const EVERYWHERE = {
  SC1090: "what is sourced is named at run time: a test has it elsewhere",
  SC1091: "the same",
  SC2015: "in `a && b || fail` it is meant that fail runs also where b is false",
};
const IN_SCRIPTS = {
  SC1007: "`help= token=` is an empty value, as meant",
  SC2034: "one file sets it, and one that sources it uses it",
  SC2154: "the same, seen from the other one",
  SC2054: "a comma in a compiler's flag separates nothing",
  SC2120: "one file defines it, and one that sources it gives it arguments",
  SC2164: "errexit is on in whoever sources it",
};

interface Script {
  readonly path: string;
  /** What it is written for; shellcheck takes it from the first line where that says it. */
  readonly shell: "sh" | "bash";
}

/** By their first line; a part that others source has none, and begins with a comment. */
function scripts(folder: string, shell: Script["shell"], part: RegExp): Script[] {
  return pathsIn(join(root, folder))
    .map((name) => join(folder, name))
    .filter((path) => {
      if (!lstatSync(join(root, path)).isFile()) return false;
      const [first = ""] = readFileSync(join(root, path), "latin1").split("\n", 1);
      return /^#!.*\b(ba|da)?sh\b/.test(first) || part.test(path);
    })
    .map((path) => ({ path, shell }));
}

/** What shellcheck says of them, each in its own shell's terms. */
function finds(found: readonly Script[], skipped: object, severity: string): string {
  const words = ["--format=gcc", `--severity=${severity}`, `--exclude=${Object.keys(skipped).join(",")}`];
  return [...new Set(found.map(({ shell }) => shell))]
    .map((shell) => {
      const paths = found.filter((one) => one.shell === shell).map(({ path }) => path);
      const told = spawnSync("shellcheck", [...words, `--shell=${shell}`, ...paths], {
        cwd: root,
        encoding: "utf8",
      });
      return told.stdout + told.stderr;
    })
    .join("");
}

const testShellcheck = testWith("shellcheck");

const NO_PART = /^$/;
testShellcheck("shellcheck finds nothing in the scripts of the image and of its initramfs", (t) => {
  const own = /usr\/lib\/niac\/(await-control|boot-partition)$/;
  const found = [...scripts("image/rootfs", "sh", own), ...scripts("image/initramfs", "sh", NO_PART)];
  atLeast(t, found, 20, "image/rootfs/usr/lib/niac/disk", "image/initramfs/init");
  t.is(finds(found, EVERYWHERE, "style"), "");
  return Promise.resolve();
});

testShellcheck("shellcheck warns of nothing in what a person types and CI runs", (t) => {
  const found = [...scripts("scripts", "bash", /\.sh$/), ...scripts(".ci", "bash", NO_PART)];
  atLeast(t, found, 10, "scripts/test", "scripts/image", "scripts/setup.sh", ".ci/run");
  t.is(finds(found, { ...EVERYWHERE, ...IN_SCRIPTS }, "warning"), "");
  return Promise.resolve();
});

/** That the search above still finds them. */
function atLeast(t: ExecutionContext, found: readonly Script[], count: number, ...names: string[]): void {
  const paths = found.map(({ path }) => path);
  t.true(paths.length >= count, paths.join());
  for (const name of names) t.true(paths.includes(name), name);
}
