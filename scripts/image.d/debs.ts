/**
 * Debian's packages as files: what is in them, and a store that keeps each by its hash, so that what a lock file names can be built again when
 * the mirror has moved on, or is away.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Shared } from "./shared.ts";
import { fileHash, run } from "./tools.ts";

export const debSchema = z.object({
  package: z.string(),
  version: z.string(),
  architecture: z.string(),
  source: z.string(),
  sourceVersion: z.string(),
  /** Depends and Pre-Depends, in Debian's form. */
  depends: z.string(),
  provides: z.string(),
  sha256: z.string(),
});
export type Deb = Readonly<z.infer<typeof debSchema>>;

const FIELDS = [
  "Package",
  "Version",
  "Architecture",
  "Source",
  "Depends",
  "Pre-Depends",
  "Provides",
] as const;

/** Where the store keeps the file with this hash. */
export function storedAt(cache: string, sha256: string): string {
  return join(cache, nameOf(sha256));
}

/** Below a checkout's cache, and in the folder that checkouts share. */
function nameOf(sha256: string): string {
  return `debs/${sha256}.deb`;
}

/** What every .deb of a folder is, sorted by name. */
export async function describeDebs(folder: string): Promise<Deb[]> {
  return sorted(await Promise.all(debsIn(folder).map((name) => describeDeb(join(folder, name)))));
}

/** Moves every .deb of a folder, on the same file system, into the store, and says what they are, sorted by name. */
export async function storeDebs(cache: string, folder: string): Promise<Deb[]> {
  mkdirSync(join(cache, "debs"), { recursive: true });
  const stored = debsIn(folder).map(async (name) => {
    const deb = await describeDeb(join(folder, name));
    renameSync(join(folder, name), storedAt(cache, deb.sha256));
    return deb;
  });
  return sorted(await Promise.all(stored));
}

function debsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".deb"));
}

/** Brings into the store what of these it has not and the shared folder has, and says whether it has all of them now. */
export async function completeStore(
  cache: string,
  shared: Shared,
  hashes: readonly string[],
): Promise<boolean> {
  const present = hashes.map(async (hash) => {
    const place = storedAt(cache, hash);
    return (
      existsSync(place) || shared.take(nameOf(hash), place, async (copy) => (await fileHash(copy)) === hash)
    );
  });
  return (await Promise.all(present)).every(Boolean);
}

/** Says that these were used, which are in the store, and leaves copies for other checkouts. */
export function keepDebs(cache: string, shared: Shared, debs: readonly Pick<Deb, "sha256">[]): void {
  const now = new Date();
  for (const { sha256 } of debs) {
    utimesSync(storedAt(cache, sha256), now, now);
    shared.give(nameOf(sha256), storedAt(cache, sha256));
  }
}

/** What the store has under these hashes; null where one is missing. Throws where a file is not what its name says. */
export async function fromStore(cache: string, hashes: readonly string[]): Promise<Deb[] | null> {
  if (hashes.length === 0 || !hashes.every((hash) => existsSync(storedAt(cache, hash)))) return null;
  const debs = await Promise.all(hashes.map((hash) => describeDeb(storedAt(cache, hash))));
  for (const [at, deb] of debs.entries()) {
    if (deb.sha256 !== hashes[at])
      throw new Error(`${storedAt(cache, hashes[at] ?? "")} is damaged: remove it, and try again`);
  }
  return sorted(debs);
}

/**
 * Lays packages out of the store one over the other, always in the same order: where two have the same folder, the last one's date is its. The
 * first is base-files, whose links /bin, /lib and /sbin the others' files go through.
 */
export async function extractDebs(cache: string, debs: readonly Deb[], tree: string): Promise<void> {
  const first = debs.filter((deb) => deb.package === "base-files");
  const others = debs.filter((deb) => deb.package !== "base-files");
  for (const { sha256 } of [...first, ...sorted(others)]) {
    const script = 'dpkg-deb --fsys-tarfile "$1" | tar -C "$2" --keep-directory-symlink -xf -';
    await run("bash", ["-o", "pipefail", "-euc", script, "extract", storedAt(cache, sha256), tree]);
  }
}

function sorted(debs: readonly Deb[]): Deb[] {
  const key = (deb: Deb): string => `${deb.package} ${deb.architecture}`;
  return debs.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

async function describeDeb(path: string): Promise<Deb> {
  const fields = new Map(
    (await run("dpkg-deb", ["-f", path, ...FIELDS]))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const at = line.indexOf(":");
        return [line.slice(0, at), line.slice(at + 1).trim()];
      }),
  );
  const field = (name: (typeof FIELDS)[number]): string => fields.get(name) ?? "";
  // "Source: glibc (2.41-12)" where it is not the package's own name and version.
  const [, source = "", sourceVersion = ""] = /^(\S*)(?:\s+\((.+)\))?$/.exec(field("Source")) ?? [];
  return {
    package: field("Package"),
    version: field("Version"),
    architecture: field("Architecture"),
    source: source || field("Package"),
    sourceVersion: sourceVersion || field("Version"),
    depends: [field("Pre-Depends"), field("Depends")].filter((list) => list !== "").join(", "),
    provides: field("Provides"),
    sha256: await fileHash(path),
  };
}
