/** The npm package with Node for the board's processor: fetched once, checked by package-lock.json's hash, and unpacked in the cache. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lockedAt, NODE_LOCK, NODE_PACKAGE, readNpmLock } from "./npm-lock.ts";
import type { Shared } from "./shared.ts";
import { run } from "./tools.ts";

/** Its folder in the cache; bringNode() puts it there. */
export function nodePackage(root: string, cache: string): string {
  return join(cache, nameOf(lockedAt(readNpmLock(root), NODE_LOCK).version));
}

/** npm gives the package to a computer of another kind, too. Throws where what came has another hash than the lock file's. */
export async function bringNode(root: string, cache: string, shared: Shared): Promise<void> {
  const { version, integrity } = lockedAt(readNpmLock(root), NODE_LOCK);
  const place = nodePackage(root, cache);
  if (existsSync(place)) return;
  mkdirSync(cache, { recursive: true });
  const making = mkdtempSync(join(cache, "node-"));
  const kept = `npm/${nameOf(version)}.tgz`;
  const packed = join(making, "package.tgz");
  try {
    if (!(await shared.take(kept, packed, async (copy) => digest(copy) === integrity))) {
      const words = ["pack", "--silent", "--pack-destination", making, `${NODE_PACKAGE}@${version}`];
      // How npm reaches its registry is this user's own matter.
      const told = await run("npm", words, { env: process.env });
      renameSync(join(making, told.trim()), packed);
      const is = digest(packed);
      if (is !== integrity)
        throw new Error(`${NODE_PACKAGE}@${version} is not the one of package-lock.json: ${is}`);
      shared.give(kept, packed);
    }
    await run("tar", ["-xf", packed, "-C", making]);
    renameSync(join(making, "package"), place);
  } finally {
    rmSync(making, { recursive: true });
  }
}

function nameOf(version: string): string {
  return `${NODE_PACKAGE}-${version}`;
}

/** In the form of package-lock.json. */
function digest(path: string): string {
  return `sha512-${createHash("sha512").update(readFileSync(path)).digest("base64")}`;
}
