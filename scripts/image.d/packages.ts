/**
 * Debian's packages, extracted into a tree and not installed: no maintainer script runs, so nothing of the target's is executed here and the
 * same packages give the same tree. mmdebstrap resolves and downloads; what it downloaded is kept in the store.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { debSchema, extractDebs, fromStore, storeDebs, storedAt, type Deb } from "./debs.ts";
import { readLock } from "./lock.ts";
import { sourceLine, SUITE, TESTING, type Mirror } from "./mirror.ts";
import { run, textHash } from "./tools.ts";

export interface Extracted {
  /** Directory with the tree; not to be changed. */
  readonly tree: string;
  readonly debs: readonly Deb[];
  /** Changes when any package does. */
  readonly hash: string;
  /** Names of the kernels that the mirror has; empty where it was not asked. */
  readonly kernels: readonly string[];
}

/** The mirror is asked again after this many milliseconds, so that what Debian mended comes in. */
const FRESH = 20 * 3_600_000;

const answerSchema = z.object({ made: z.number(), debs: z.array(debSchema), kernels: z.array(z.string()) });
type Answer = Readonly<z.infer<typeof answerSchema>>;

/**
 * The packages that `lock` names where that is given and the store has them all: the mirror is not asked. Else the mirror's, as it said within
 * the last hours; `anew` asks it in any case.
 */
export async function extractPackages(options: {
  readonly cache: string;
  readonly names: readonly string[];
  readonly mirror: Mirror;
  readonly anew: boolean;
  /** Text of a lock file. */
  readonly lock?: string | null;
}): Promise<Extracted> {
  const { cache, names, mirror, lock = null, anew } = options;
  const locked =
    lock === null
      ? null
      : await fromStore(
          cache,
          readLock(lock).map((one) => one.sha256),
        );
  const { debs, kernels } =
    locked === null ? await ask(cache, names, mirror, anew) : { debs: locked, kernels: [] };
  const tree = treeOf(cache, debs);
  const place = dirname(tree);
  const now = new Date();
  if (existsSync(place)) utimesSync(place, now, now);
  else {
    const making = `${place}.making`;
    rmSync(making, { recursive: true, force: true });
    mkdirSync(join(making, "tree"), { recursive: true, mode: 0o755 });
    await extractDebs(cache, debs, join(making, "tree"));
    renameSync(making, place);
  }
  for (const { sha256 } of debs) utimesSync(storedAt(cache, sha256), now, now);
  return { tree, debs, hash: hashOf(debs), kernels };
}

/** Where the tree of these packages is kept. */
export function treeOf(cache: string, debs: readonly Pick<Deb, "sha256">[]): string {
  return join(cache, `tree-${hashOf(debs).slice(0, 16)}`, "tree");
}

function hashOf(debs: readonly Pick<Deb, "sha256">[]): string {
  return textHash(...debs.map((deb) => deb.sha256));
}

/** What the mirror says that these names are today. Everything that goes into the question is in its answer's name. */
async function ask(cache: string, names: readonly string[], mirror: Mirror, anew: boolean): Promise<Answer> {
  const { include, pins } = pinned(names);
  const lines = sources(mirror);
  const file = join(cache, `answer-${textHash(SUITE, lines, pins, ...include).slice(0, 16)}.json`);
  if (!anew && existsSync(file)) {
    const kept = answerSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    const whole = kept.debs.every(({ sha256 }) => existsSync(storedAt(cache, sha256)));
    if (whole && Date.now() - kept.made < FRESH) return kept;
  }
  const making = join(cache, "asking");
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making);
  const at = (name: string): string => join(making, name);
  writeFileSync(at("preferences"), pins);
  await run(
    "mmdebstrap",
    [
      "--quiet",
      "--variant=extract",
      "--architectures=arm64",
      `--include=${include.join(",")}`,
      '--aptopt=APT::Install-Recommends "false"',
      `--setup-hook=cp '${at("preferences")}' "$1/etc/apt/preferences.d/niac"`,
      // The archives are kept until they are in the store.
      "--skip=cleanup/apt",
      SUITE,
      at("root"),
      "-",
    ],
    { input: lines },
  );
  const answer = {
    made: Date.now(),
    debs: await storeDebs(cache, at("root/var/cache/apt/archives")),
    kernels: await kernelsIn(at("root")),
  };
  writeFileSync(`${file}.making`, JSON.stringify(answer));
  renameSync(`${file}.making`, file);
  rmSync(making, { recursive: true });
  return answer;
}

/** Names of all kernels in the lists that apt has in this tree. */
async function kernelsIn(tree: string): Promise<string[]> {
  const places = [`Dir=${tree}`, "Dir::State::status=/dev/null"];
  const kind = ["APT::Architecture=arm64", "APT::Architectures=arm64"];
  const words = [...places, ...kind].flatMap((word) => ["-o", word]);
  const told = await run("apt-cache", [...words, "pkgnames", "linux-binary-"]);
  return told
    .split("\n")
    .filter((name) => name !== "")
    .toSorted();
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
function sources(mirror: Mirror): string {
  return [
    sourceLine(mirror, "main", SUITE, "main non-free-firmware"),
    sourceLine(mirror, "main", `${SUITE}-updates`, "main non-free-firmware"),
    sourceLine(mirror, "security", `${SUITE}-security`, "main non-free-firmware"),
    sourceLine(mirror, "main", `${SUITE}-backports`),
    sourceLine(mirror, "main", TESTING),
  ].join("");
}
