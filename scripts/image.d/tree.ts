/** Trees of files that become the box's: copied as they stand, with modes and links that are the same whoever makes them and wherever. */
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  rmSync,
  type CopySyncOptions,
} from "node:fs";
import { join, normalize } from "node:path";

/** The kernel's own limit for the links of one path. */
const MOST_LINKS = 40;
const SETUID_SETGID = 0o6000;

/** A link keeps its words: Node would make a relative one absolute, with this computer's path in it. */
export function copyTree(from: string, to: string, filter?: CopySyncOptions["filter"]): void {
  cpSync(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    ...(filter === undefined ? {} : { filter }),
  });
}

/** Everything below a folder, by its path in it, sorted. */
export function pathsIn(tree: string): string[] {
  return readdirSync(tree, { recursive: true, encoding: "utf8" }).toSorted();
}

/**
 * What git says of a file's mode is whether it runs; the rest is the umask of whoever checked it out or installed it. Gives what `to` has of
 * `from` 0755 where it is a folder or runs, else 0644.
 */
export function steadyModes(from: string, to: string): void {
  for (const name of ["", ...pathsIn(from)]) {
    const path = join(to, name);
    const stat = lstatSync(path);
    if (!stat.isSymbolicLink())
      chmodSync(path, stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o755 : 0o644);
  }
}

/** No program gives anybody rights that he has not: nothing here needs it. */
export function dropPrivilegeBits(directory: string): void {
  for (const name of pathsIn(directory)) {
    const path = join(directory, name);
    const stat = lstatSync(path);
    if (!stat.isSymbolicLink() && (stat.mode & SETUID_SETGID) !== 0)
      chmodSync(path, stat.mode & ~SETUID_SETGID);
  }
}

/** Links below `directory` to what is not in the tree: systemd would complain of each. One to /dev/null says "masked", and stays. */
export function dropDeadLinks(tree: string, directory: string): void {
  if (!existsSync(join(tree, directory))) return;
  for (const name of pathsIn(join(tree, directory))) {
    const path = join(tree, directory, name);
    if (!lstatSync(path).isSymbolicLink() || readlinkSync(path) === "/dev/null") continue;
    if (!isInside(tree, join(directory, name))) rmSync(path);
  }
}

/** Throws where a link of the tree names a folder of the computer that builds, or climbs out of the tree. */
export function checkLinks(tree: string, foreign: readonly string[]): void {
  for (const name of pathsIn(tree)) {
    const path = join(tree, name);
    if (!lstatSync(path).isSymbolicLink()) continue;
    const target = readlinkSync(path);
    const climbs = !target.startsWith("/") && normalize(join(name, "..", target)).startsWith("..");
    if (
      climbs ||
      foreign.some((folder) => `${target}/`.startsWith(`${normalize(folder)}/`.replace("//", "/")))
    )
      throw new Error(`the link ${name} leads out of the tree: ${target}`);
  }
}

/** Whether the path, as the box sees it (its root is the tree's), leads to something. */
export function isInside(tree: string, path: string): boolean {
  const rest = path.split("/");
  let links = 0;
  let at: string[] = [];
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      at.pop();
      continue;
    }
    const stat = lstatSync(join(tree, ...at, part), { throwIfNoEntry: false });
    if (stat === undefined) return false;
    if (!stat.isSymbolicLink()) {
      at.push(part);
      continue;
    }
    if (++links > MOST_LINKS) return false;
    const target = readlinkSync(join(tree, ...at, part));
    if (target.startsWith("/")) at = [];
    rest.unshift(...target.split("/"));
  }
  return true;
}
