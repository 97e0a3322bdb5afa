/** The kernel's modules: those that are listed and what they need, and depmod's tables for them alone. */
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { run } from "./tools.ts";

const COMPRESSED = /\.ko(\.xz)?$/;

/** The one kernel version of a tree with Debian's kernel packages. */
export function kernelVersion(tree: string): string {
  const [version, ...more] = readdirSync(join(tree, "usr/lib/modules"));
  if (version === undefined || more.length > 0)
    throw new Error(`the tree has ${more.length + (version ? 1 : 0)} kernels, not one`);
  return version;
}

/** Paths below the version's folder, dependencies included. Throws where one is neither a module nor built in. */
export function moduleClosure(wanted: readonly string[], dep: string, builtin: string): string[] {
  const needs = new Map<string, readonly string[]>();
  const byName = new Map<string, string>();
  for (const line of dep.trim().split("\n")) {
    const [path = "", rest = ""] = line.split(":");
    needs.set(
      path,
      rest
        .trim()
        .split(" ")
        .filter((one) => one !== ""),
    );
    byName.set(moduleName(path), path);
  }
  const built = new Set(builtin.trim().split("\n").map(moduleName));
  const chosen = new Set<string>();
  for (const name of wanted) {
    const path = byName.get(name.replaceAll("-", "_"));
    if (path === undefined) {
      if (built.has(name.replaceAll("-", "_"))) continue;
      throw new Error(`the kernel has no module ${name}`);
    }
    for (const one of [path, ...(needs.get(path) ?? [])]) chosen.add(one);
  }
  return [...chosen].toSorted();
}

function moduleName(path: string): string {
  return basename(path).replace(COMPRESSED, "").replaceAll("-", "_");
}

/**
 * Copies the modules into `to` (which gets usr/lib/modules/<version>), unpacked: busybox's modprobe reads no xz, and the squashfs packs better
 * than a packed file. depmod's table of all of them is left in `from`, made once.
 */
export async function copyModules(options: {
  readonly from: string;
  readonly to: string;
  readonly version: string;
  readonly wanted: readonly string[];
  readonly extra: readonly string[];
}): Promise<void> {
  const { from, to, version, wanted, extra } = options;
  const source = join(from, "usr/lib/modules", version);
  const target = join(to, "usr/lib/modules", version);
  if (!existsSync(join(source, "modules.dep")))
    await run("depmod", ["-b", join(from, "usr"), "-F", join(source, "System.map"), version]);
  const closure = moduleClosure(
    wanted,
    readFileSync(join(source, "modules.dep"), "utf8"),
    readFileSync(join(source, "modules.builtin"), "utf8"),
  );
  for (const path of closure) {
    mkdirSync(join(target, dirname(path)), { recursive: true });
    cpSync(join(source, path), join(target, path));
  }
  const packed = closure.filter((path) => path.endsWith(".xz")).map((path) => join(target, path));
  if (packed.length > 0) await run("xz", ["--decompress", ...packed]);
  for (const file of extra) {
    mkdirSync(join(target, "extra"), { recursive: true });
    const copy = join(target, "extra", basename(file));
    cpSync(file, copy);
    chmodSync(copy, 0o644);
  }
  for (const table of ["modules.builtin", "modules.builtin.modinfo", "modules.order"])
    if (existsSync(join(source, table))) cpSync(join(source, table), join(target, table));
  await run("depmod", ["-b", join(to, "usr"), "-F", join(source, "System.map"), version]);
}
