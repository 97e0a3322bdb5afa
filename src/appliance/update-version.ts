/**
 * Versions of releases: three numbers, and for what comes before a release a word, `1.4.0-rc.2`. Semantic Versioning 2.0.0, 9 and 11, without
 * build metadata: two images of one version would be two things of one name. Floors are releases: image/rootfs/usr/lib/niac/rauc-check
 * compares as coreutils do, which agree with this as long as one side is a release.
 */

const VERSION =
  /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:-((?:[a-z]+|0|[1-9]\d{0,8})(?:\.(?:[a-z]+|0|[1-9]\d{0,8})){0,3}))?$/;

export function isVersion(text: string): boolean {
  return VERSION.test(text);
}

/** The release that a version is, or comes before: `1.4.0`. Throws a RangeError for what is no version. */
export function releaseOf(version: string): string {
  return partsOf(version).numbers.join(".");
}

/** Below 0 where `a` is the older one, 0 where they are the same. Throws a RangeError for what is no version: ask isVersion() first. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let at = 0; at < 3; at++) {
    const difference = Number(left.numbers[at]) - Number(right.numbers[at]);
    if (difference !== 0) return difference;
  }
  // What comes before a release is older than it.
  if (left.before.length === 0 || right.before.length === 0) return right.before.length - left.before.length;
  for (let at = 0; at < Math.max(left.before.length, right.before.length); at++) {
    const difference = compareWords(left.before[at], right.before[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The newest of some versions; null where there is none. */
export function newestVersion(versions: readonly string[]): string | null {
  return versions.toSorted(compareVersions).at(-1) ?? null;
}

function partsOf(text: string): { readonly numbers: readonly string[]; readonly before: readonly string[] } {
  const [, major, minor, patch, before] = VERSION.exec(text) ?? [];
  if (major === undefined || minor === undefined || patch === undefined)
    throw new RangeError(`${JSON.stringify(text)} is no version such as 1.4.0`);
  return { numbers: [major, minor, patch], before: before?.split(".") ?? [] };
}

/** Semantic Versioning 11.4: fewer words come first, numbers before letters. */
function compareWords(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  const [numberA, numberB] = [/^\d/.test(a), /^\d/.test(b)];
  if (numberA && numberB) return Number(a) - Number(b);
  if (numberA !== numberB) return numberA ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
