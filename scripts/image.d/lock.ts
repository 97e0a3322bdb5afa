/** `image/boards/<board>/packages.lock`: `package version sha256`, a line each, for every package of Debian's in the image. */
import type { Deb } from "./debs.ts";

interface Locked {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

export function lockText(debs: readonly Deb[]): string {
  return debs.map((deb) => `${deb.package} ${deb.version} ${deb.sha256}\n`).join("");
}

export function readLock(text: string): Locked[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [name = "", version = "", sha256 = ""] = line.split(" ");
      return { name, version, sha256 };
    });
}

/** Differences between a lock file and the packages that the mirror has now, for the reader; empty: none. */
export function lockDifferences(lock: string, debs: readonly Deb[]): string[] {
  const wanted = new Map(readLock(lock).map((one) => [one.name, one]));
  const differences = debs.flatMap((deb) => {
    const before = wanted.get(deb.package);
    wanted.delete(deb.package);
    if (before === undefined) return [`${deb.package} ${deb.version} is new`];
    if (before.version !== deb.version) return [`${deb.package} ${before.version} -> ${deb.version}`];
    return before.sha256 === deb.sha256 ? [] : [`${deb.package} ${deb.version} has another content`];
  });
  return [...differences, ...[...wanted.keys()].map((name) => `${name} is gone`)];
}

/** Debian names a kernel by its interface, so a newer one is another package, which nothing asks for. Those of `known` after `used`, newest first. */
export function newerKernels(used: string, known: readonly string[]): string[] {
  return known
    .filter((name) => compare(numbers(name), numbers(used)) > 0)
    .toSorted((a, b) => compare(numbers(b), numbers(a)));
}

/** linux-binary-7.3.4+deb13-arm64 -> 7, 3, 4 */
function numbers(name: string): number[] {
  const [, version = ""] = /^linux-binary-([\d.]+)\+deb\d+-arm64$/.exec(name) ?? [];
  return version === "" ? [] : version.split(".").map(Number);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
