/** Overlays compiled and laid on the trees they are for: Debian's from the kernel package of the image, QEMU's from QEMU. */
import { globSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { readList } from "../image.d/lists.ts";
import { mirrorOf } from "../image.d/mirror.ts";
import { extractPackages } from "../image.d/packages.ts";
import { Shared, sharedFolder } from "../image.d/shared.ts";
import { run } from "../image.d/tools.ts";
import { hasHeader, type Board } from "./board.ts";

/** An overlay's nodes stand in no tree yet, so dtc cannot see whose interrupts they use. */
const QUIET = ["-W", "no-interrupts_property"];

/** `out` gets the overlay; labels stay in it, so that the loader can resolve them. Rejects with what dtc complains of. */
export async function compileOverlay(source: string, out: string): Promise<void> {
  await run("dtc", [...QUIET, "-@", "-I", "dts", "-O", "dtb", "-o", out, source]);
}

export async function applyOverlay(tree: string, overlay: string, out: string): Promise<void> {
  await run("fdtoverlay", ["-i", tree, "-o", out, overlay]);
}

/** Paths of the trees that a board's overlay is for. `build`: the project's build folder; what is fetched is kept there. */
export async function treesOf(root: string, board: Board, build = join(root, "build")): Promise<string[]> {
  if (!hasHeader(board)) return [await qemuTree(join(build, "hw"))];
  const folder = keptTrees(root, build) ?? (await fetchTrees(root, build));
  return board.trees.map((tree) => join(folder, tree));
}

/** Left by scripts/image, or by an earlier fetch; of the kernel that the image has. */
function keptTrees(root: string, build: string): string | undefined {
  const version = kernelPackage(root).replace(/\/.*/, "").replace("linux-modules-", "");
  const [kept] = ["image/cache", "hw"].flatMap((cache) =>
    // Not one that is still being extracted.
    globSync(join(build, cache, "tree-*[0-9a-f]/tree/usr/lib/modules", version, "dtb")),
  );
  return kept;
}

/** By the same way as the image's packages, so with apt's signatures checked; about 100 MB. */
async function fetchTrees(root: string, build: string): Promise<string> {
  const cache = join(build, "hw");
  mkdirSync(cache, { recursive: true });
  await extractPackages({
    cache,
    shared: new Shared(sharedFolder(process.env, root), (text) => void process.stderr.write(text)),
    names: [kernelPackage(root)],
    mirror: mirrorOf(process.env),
    anew: false,
  });
  const kept = keptTrees(root, build);
  if (kept === undefined) throw new Error(`${kernelPackage(root)} has no device trees`);
  return kept;
}

function kernelPackage(root: string): string {
  const name = readList(join(root, "image/packages")).find((one) => one.startsWith("linux-modules-"));
  if (name === undefined) throw new Error("image/packages names no linux-modules package");
  return name;
}

async function qemuTree(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const out = join(folder, "virt.dtb");
  await run("qemu-system-aarch64", [
    "-machine",
    `virt,dumpdtb=${out}`,
    "-cpu",
    "cortex-a72",
    "-nodefaults",
    "-display",
    "none",
  ]);
  return out;
}
