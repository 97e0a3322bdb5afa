/**
 * Debian's packages, extracted into a tree and not installed: no maintainer script runs, so nothing of the target's is executed here and the
 * same packages give the same tree. mmdebstrap resolves and downloads; what it downloaded is kept.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Mirror } from "./mirror.ts";
import { fileHash, run, textHash } from "./tools.ts";

export interface Deb {
  readonly package: string;
  readonly version: string;
  readonly architecture: string;
  readonly source: string;
  readonly sourceVersion: string;
  /** Depends and Pre-Depends, in Debian's form. */
  readonly depends: string;
  readonly provides: string;
  readonly sha256: string;
  /** Name of the .deb in the cache. */
  readonly file: string;
}

export interface Extracted {
  /** Directory with the tree; not to be changed. */
  readonly tree: string;
  readonly debs: readonly Deb[];
  /** Changes when any package does. */
  readonly hash: string;
}

const SUITE = "trixie";
/** Where a package may be taken from by name where the release's own does not work with the backports' kernel. */
const TESTING = "forky";
/** A tree is made anew after this many milliseconds, so that what Debian mended comes in. */
const FRESH = 20 * 3_600_000;

/** What `image/boards/<board>/packages.lock` holds: `package version sha256`, a line each. */
export function lockText(debs: readonly Deb[]): string {
  return debs.map((deb) => `${deb.package} ${deb.version} ${deb.sha256}\n`).join("");
}

/** Differences between a lock file and the packages that the mirror has now, for the reader; empty: none. */
export function lockDifferences(lock: string, debs: readonly Deb[]): string[] {
  const wanted = new Map(
    lock
      .trim()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [name = "", version = "", sha256 = ""] = line.split(" ");
        return [name, { version, sha256 }];
      }),
  );
  const differences = debs.flatMap((deb) => {
    const before = wanted.get(deb.package);
    wanted.delete(deb.package);
    if (before === undefined) return [`${deb.package} ${deb.version} is new`];
    if (before.version !== deb.version) return [`${deb.package} ${before.version} -> ${deb.version}`];
    return before.sha256 === deb.sha256 ? [] : [`${deb.package} ${deb.version} has another content`];
  });
  return [...differences, ...[...wanted.keys()].map((name) => `${name} is gone`)];
}

/** Takes the tree from the cache where the list is the same and it is fresh; `anew` makes it in any case. */
export async function extractPackages(options: {
  readonly cache: string;
  readonly names: readonly string[];
  readonly mirror: Mirror;
  readonly anew: boolean;
}): Promise<Extracted> {
  const { cache, names, mirror } = options;
  const place = join(cache, `tree-${textHash(...names).slice(0, 16)}`);
  const stamp = join(place, "debs.json");
  if (!options.anew && existsSync(stamp)) {
    const kept = readStamp(stamp);
    if (Date.now() - kept.made < FRESH) return extracted(place, kept.debs);
  }
  const making = `${place}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  const tree = join(making, "tree");
  const preferences = join(making, "preferences");
  const { include, pins } = pinned(names);
  writeFileSync(preferences, pins);
  await run(
    "mmdebstrap",
    [
      "--quiet",
      "--variant=extract",
      "--architectures=arm64",
      `--include=${include.join(",")}`,
      '--aptopt=APT::Install-Recommends "false"',
      `--setup-hook=cp '${preferences}' "$1/etc/apt/preferences.d/niac"`,
      // The archives are kept until they are listed below.
      "--skip=cleanup/apt",
      SUITE,
      tree,
      "-",
    ],
    { input: sources(mirror) },
  );
  const archives = join(tree, "var/cache/apt/archives");
  const debs: Deb[] = [];
  for (const name of readdirSync(archives).toSorted()) {
    if (name.endsWith(".deb")) debs.push(await describeDeb(join(archives, name), name));
  }
  for (const left of ["var/cache/apt", "var/lib/apt", "etc/apt"])
    rmSync(join(tree, left), { recursive: true, force: true });
  writeFileSync(join(making, "debs.json"), JSON.stringify({ made: Date.now(), debs }));
  rmSync(place, { recursive: true, force: true });
  renameSync(making, place);
  return extracted(place, debs);
}

/**
 * What is asked of testing by name, and nothing else, comes from there. A pin does that; apt's own `package/suite` would take
 * what the package depends on from there too, the C library with it.
 */
export function pinned(names: readonly string[]): { readonly include: string[]; readonly pins: string } {
  const ending = `/${TESTING}`;
  const fromTesting = names
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length));
  const pins = [`Package: *\nPin: release n=${TESTING}\nPin-Priority: 1\n`];
  if (fromTesting.length > 0)
    pins.push(`Package: ${fromTesting.join(" ")}\nPin: release n=${TESTING}\nPin-Priority: 990\n`);
  return {
    include: names.map((name) => (name.endsWith(ending) ? name.slice(0, -ending.length) : name)),
    pins: pins.join("\n"),
  };
}

/** Security's own suite beside the release's; backports and testing for what is asked from there by name. */
function sources({ main, security }: Mirror): string {
  return [
    `deb ${main} ${SUITE} main non-free-firmware`,
    `deb ${main} ${SUITE}-updates main non-free-firmware`,
    `deb ${security} ${SUITE}-security main non-free-firmware`,
    `deb ${main} ${SUITE}-backports main`,
    // A snapshot's dates run out; what is taken is signed all the same, and named by hash in packages.lock.
    `deb [check-valid-until=no] ${main} ${TESTING} main`,
    "",
  ].join("\n");
}

const FIELDS = [
  "Package",
  "Version",
  "Architecture",
  "Source",
  "Depends",
  "Pre-Depends",
  "Provides",
] as const;

async function describeDeb(path: string, file: string): Promise<Deb> {
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
    file,
  };
}

function extracted(place: string, debs: readonly Deb[]): Extracted {
  return { tree: join(place, "tree"), debs, hash: textHash(...debs.map((deb) => deb.sha256)) };
}

const stampSchema = z.object({
  made: z.number(),
  debs: z.array(
    z.object({
      package: z.string(),
      version: z.string(),
      architecture: z.string(),
      source: z.string(),
      sourceVersion: z.string(),
      depends: z.string(),
      provides: z.string().default(""),
      sha256: z.string(),
      file: z.string(),
    }),
  ),
});

function readStamp(path: string): z.infer<typeof stampSchema> {
  return stampSchema.parse(JSON.parse(readFileSync(path, "utf8")));
}
