/**
 * Debian's packages, extracted into a tree and not installed: no maintainer script runs, so nothing of the target's is executed here and the
 * same packages give the same tree. mmdebstrap resolves and downloads; what it downloaded is kept in the store.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { completeStore, debSchema, extractDebs, fromStore, keepDebs, storeDebs, type Deb } from "./debs.ts";
import { readLock } from "./lock.ts";
import { sourceLine, SUITE, TESTING, type Mirror } from "./mirror.ts";
import type { Shared } from "./shared.ts";
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
  readonly shared: Shared;
  readonly names: readonly string[];
  readonly mirror: Mirror;
  readonly anew: boolean;
  /** Text of a lock file. */
  readonly lock?: string | null;
}): Promise<Extracted> {
  const { cache, shared, lock = null } = options;
  const hashes = readLock(lock ?? "").map((one) => one.sha256);
  await completeStore(cache, shared, hashes);
  const locked = await fromStore(cache, hashes);
  const { debs, kernels } = locked === null ? await ask(options) : { debs: locked, kernels: [] };
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
  keepDebs(cache, shared, debs);
  return { tree, debs, hash: hashOf(debs), kernels };
}

/** Where the tree of these packages is kept. */
export function treeOf(cache: string, debs: readonly Pick<Deb, "sha256">[]): string {
  return join(cache, `tree-${hashOf(debs).slice(0, 16)}`, "tree");
}

function hashOf(debs: readonly Pick<Deb, "sha256">[]): string {
  return textHash(...debs.map((deb) => deb.sha256));
}

/** Everything that goes into the question is in its answer's name. */
export function answerName(names: readonly string[], mirror: Mirror): string {
  const { include, pins } = pinned(names);
  return `answer-${textHash(SUITE, sources(mirror), pins, ...include).slice(0, 16)}.json`;
}

/** What the mirror says that these names are today. */
async function ask(options: {
  readonly cache: string;
  readonly shared: Shared;
  readonly names: readonly string[];
  readonly mirror: Mirror;
  readonly anew: boolean;
}): Promise<Answer> {
  const { cache, shared, names, mirror, anew } = options;
  const { include, pins } = pinned(names);
  const lines = sources(mirror);
  const question = answerName(names, mirror);
  const file = join(cache, question);
  const own = answerOf(existsSync(file) ? readFileSync(file, "utf8") : null);
  if (!anew && isFresh(own) && (await completeStore(cache, shared, hashesOf(own)))) return own;
  const other = answerOf(shared.read(question));
  if (!anew && isFresh(other) && (await completeStore(cache, shared, hashesOf(other)))) {
    // What a package is, it says itself.
    const kept = { ...other, debs: (await fromStore(cache, hashesOf(other))) ?? [] };
    keep(file, kept);
    return kept;
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
  keep(file, answer);
  shared.write(question, JSON.stringify(answer));
  rmSync(making, { recursive: true });
  return answer;
}

function keep(file: string, answer: Answer): void {
  writeFileSync(`${file}.making`, JSON.stringify(answer));
  renameSync(`${file}.making`, file);
}

/** Null where there is none, and where another release of niac wrote it in another form. */
function answerOf(text: string | null): Answer | null {
  try {
    return answerSchema.parse(JSON.parse(text ?? "null"));
  } catch {
    return null;
  }
}

function isFresh(answer: Answer | null): answer is Answer {
  const age = Date.now() - (answer?.made ?? 0);
  return answer !== null && age >= 0 && age < FRESH;
}

function hashesOf({ debs }: Answer): string[] {
  return debs.map(({ sha256 }) => sha256);
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
