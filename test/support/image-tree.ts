/** The image that scripts/image made for QEMU, looked at without starting it. Without one, what needs it is skipped and says so. */
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmdirSync, type Stats } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import { debSchema } from "../../scripts/image.d/debs.ts";
import { pathsIn } from "../../scripts/image.d/tree.ts";
import type { Teardown } from "./processes.ts";
import { testWith } from "./tools.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const BOARD = "qemu-arm64";
const FOLDER = join(ROOT, "build/image", BOARD);
const SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin";

/** A file of the made image by its name, e.g. `root.img`. */
export function imageFile(name: string): string {
  return join(FOLDER, name);
}

const manifestSchema = z.object({
  version: z.string(),
  rootHash: z.string(),
  hashOffset: z.number(),
  image: z.string(),
  debs: z.array(debSchema),
});

export function imageManifest(): z.infer<typeof manifestSchema> {
  return manifestSchema.parse(JSON.parse(readFileSync(imageFile("manifest.json"), "utf8")));
}

/** Ava's test, or its skip where no image was made here or a tool is missing. */
export function testImage(
  ...tools: string[]
): (title: string, implementation: (t: ExecutionContext) => Promise<void>) => void {
  if (existsSync(imageFile("manifest.json"))) return testWith(...tools);
  return (title, implementation) =>
    test.skip(`${title} (no image was made here: scripts/image)`, implementation);
}

export interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A tool of this computer's system: node_modules/.bin has other programs of the same names. */
export function tool(name: string, ...args: readonly string[]): Answer {
  const { status, stdout, stderr, error } = spawnSync(name, args, {
    encoding: "utf8",
    env: { PATH: SYSTEM, LC_ALL: "C.UTF-8" },
    maxBuffer: 64 * 1_048_576,
  });
  if (error !== undefined) throw error;
  return { code: status, out: stdout, err: stderr };
}

/** The root file system out of root.img itself, mounted read-only until the test ends; takes root. */
export function mountedRoot(t: Teardown): string {
  const place = mkdtempSync(join(tmpdir(), "niac-tree-"));
  t.teardown(() => rmdirSync(place));
  const { code, err } = tool(
    "mount",
    "-t",
    "squashfs",
    "-o",
    "loop,ro,nodev,nosuid",
    imageFile("root.img"),
    place,
  );
  if (code !== 0) throw new Error(`root.img is not mounted: ${err}`);
  t.teardown(() => void tool("umount", place));
  return place;
}

/** A program of the image's own, for its processor, run by QEMU's user emulation with the image's libraries. */
export function imageProgram(tree: string, program: string, ...args: readonly string[]): Answer {
  return tool("qemu-aarch64-static", "-L", tree, join(tree, program), ...args);
}

/** Everything in the tree by its path, the tree's root as the empty one. What lies in a folder that a link names has that folder's path alone. */
export function entriesOf(tree: string): ReadonlyArray<{ readonly name: string; readonly stat: Stats }> {
  return ["", ...pathsIn(tree)]
    .filter((name) => !/^(bin|lib|sbin)\//.test(name))
    .map((name) => ({ name, stat: lstatSync(join(tree, name)) }));
}
