/** What builds that were broken off have left, and what no build has used for long. */
import { existsSync, globSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { readLock } from "./lock.ts";

const HOUR = 3_600_000;
/** A test may be at work in such a folder, and builds nothing for so long. */
const LEFT = 6 * HOUR;
/** Trees and packages that no build took for this long are made or fetched again when one does. */
const UNUSED = 30 * 24 * HOUR;

/** Below build/image: half-made things by their names, which nothing that is whole has. */
const HALF_MADE = /^(\.bundle-|bundles-)/;
const HALF_MADE_IN_CACHE = /^(kbuild-(?!tree-)|module-|node-(?!linux-))|\.making(\.gz)?$|^asking$/;
const KEPT_IN_CACHE = /^(tree-|kbuild-tree-|answer-)/;

/** Which names of a folder are to go. `age`: milliseconds since one was changed. */
export function swept(
  names: readonly string[],
  halfMade: RegExp,
  kept: RegExp | null,
  age: (name: string) => number,
): string[] {
  return names.filter((name) => {
    if (halfMade.test(name)) return age(name) > LEFT;
    return kept !== null && kept.test(name) && age(name) > UNUSED;
  });
}

/**
 * To be called when no other build is at work in this checkout: `base` is build/image, `image` the project's folder with the boards. Others may be
 * at work with what is `shared`.
 */
export function sweep(base: string, image: string, shared: string | null): void {
  const cache = join(base, "cache");
  drop(base, (names, age) => [
    ...swept(names, HALF_MADE, null, age),
    ...names.filter((name) => name.endsWith(".work")),
  ]);
  for (const folder of globSync(join(base, "*/")))
    if (folder !== cache) drop(folder, (names, age) => swept(names, HALF_MADE, null, age));
  drop(cache, (names, age) => swept(names, HALF_MADE_IN_CACHE, KEPT_IN_CACHE, age));
  const locked = new Set(
    globSync(join(image, "boards/*/packages.lock")).flatMap((file) =>
      readLock(readFileSync(file, "utf8")).map(({ sha256 }) => `${sha256}.deb`),
    ),
  );
  for (const store of shared === null ? [cache] : [cache, shared])
    drop(join(store, "debs"), (names, age) =>
      swept(names, HALF_MADE_IN_CACHE, /./, age).filter((name) => !locked.has(basename(name))),
    );
  // What another checkout's lock names, and nobody takes, goes too: that checkout has it in its own cache.
  for (const folder of shared === null ? [] : [shared, join(shared, "npm")])
    drop(folder, (names, age) => swept(names, HALF_MADE_IN_CACHE, /\.(json|gz|tgz)$/, age));
}

function drop(
  folder: string,
  choose: (names: readonly string[], age: (name: string) => number) => readonly string[],
): void {
  if (!existsSync(folder)) return;
  // One that another checkout's sweep took meanwhile is of no age.
  const age = (name: string): number =>
    Date.now() - (statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  for (const name of choose(readdirSync(folder), age))
    rmSync(join(folder, name), { recursive: true, force: true });
}
