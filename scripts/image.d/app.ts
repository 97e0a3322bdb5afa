/** niac for the image: one bundled file with its workers, Node for the board's processor, and the modules that are native code. */
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";
import { z } from "zod";
import { nodePackage } from "./node-package.ts";
import { BESIDE, makeProgram } from "./program.ts";
import { run } from "./tools.ts";

/** The processor's own builds, against glibc; others' are left out. */
const PREBUILT = /(linux-arm64\.node|armv8\.glibc\.node)$/;

export interface App {
  readonly metafile: Metafile;
}

/** Puts everything below `out`, which becomes /usr/lib/niac: app/, bin/node, build/niac-net.node. `cache`: where Node's package lies. */
export async function makeApp(options: {
  readonly root: string;
  readonly out: string;
  readonly cache: string;
  readonly release: string;
}): Promise<App> {
  const { root, out, cache, release } = options;
  const bin = join(out, "app/bin");
  const metafile = await makeProgram(root, bin, release);
  // Node takes a file named .mjs for a module; who reads a stack finds the folder.
  writeFileSync(join(out, "app/package.json"), `${JSON.stringify({ name: "niac", type: "module" })}\n`);
  for (const name of withDependencies(root, BESIDE))
    copyModule(join(root, "node_modules", name), join(out, "app/node_modules", name));
  mkdirSync(join(out, "build"), { recursive: true });
  cpSync(join(root, "build/arm64/niac-net.node"), join(out, "build/niac-net.node"));
  mkdirSync(join(out, "bin"), { recursive: true });
  const node = join(out, "bin/node");
  cpSync(join(nodePackage(root, cache), "bin/node"), node);
  await run("aarch64-linux-gnu-strip", ["--strip-unneeded", node]);
  chmodSync(node, 0o755);
  return { metafile };
}

const packageSchema = z.object({ dependencies: z.record(z.string(), z.string()).default({}) });

function withDependencies(root: string, names: readonly string[]): string[] {
  const all = new Set<string>();
  const look = [...names];
  for (let name = look.pop(); name !== undefined; name = look.pop()) {
    // For compilers alone.
    if (all.has(name) || name === "node-addon-api") continue;
    all.add(name);
    const file = join(root, "node_modules", name, "package.json");
    look.push(...Object.keys(packageSchema.parse(JSON.parse(readFileSync(file, "utf8"))).dependencies));
  }
  return [...all].toSorted();
}

/** What runs, and its licence: no sources of native code, no other processor's builds, no documentation. */
function copyModule(from: string, to: string): void {
  // What a link names is copied in its place: npm links folders of this computer.
  cpSync(from, to, {
    recursive: true,
    dereference: true,
    filter: (path) => {
      const inside = path.slice(from.length);
      if (/^\/(deps|test|docs|node_modules|build|\.github)(\/|$)/.test(inside)) return false;
      if (inside.endsWith(".node")) return PREBUILT.test(inside);
      return !/\.(md|map|ts|gyp|c|h|cc|cpp|hpp|tgz)$/.test(inside);
    },
  });
  for (const name of readdirSync(to, { recursive: true, encoding: "utf8" }).toSorted().toReversed())
    removeEmpty(join(to, name));
}

function removeEmpty(path: string): void {
  try {
    if (readdirSync(path).length === 0) rmSync(path, { recursive: true });
  } catch {
    // A file.
  }
}
