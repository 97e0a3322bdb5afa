/**
 * Builds image/tryboot for Debian's kernel. Its build programs need Debian 13's libc and the compiler that the kernel was made with, so a small
 * Debian 13 for this computer is extracted, with the kernel's headers for the image's processor, and make runs in it with chroot.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  copyFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { completeStore, debSchema, extractDebs, fromStore, keepDebs, storeDebs, type Deb } from "./debs.ts";
import { sourceLine, SUITE, type Mirror } from "./mirror.ts";
import type { Shared } from "./shared.ts";
import { run, textHash } from "./tools.ts";

export interface TrybootOptions {
  /** The project's folder `image/tryboot`. */
  readonly source: string;
  /** E.g. `7.3.4+deb13-arm64`. */
  readonly release: string;
  /** Version of the image's kernel package, e.g. `7.3.4-1~bpo13+1`: the headers are the same. */
  readonly kernel: string;
  readonly mirror: Mirror;
  readonly cache: string;
  readonly shared: Shared;
  readonly outFile: string;
  /** What is under way, for the person who waits. */
  readonly progress: (line: string) => void;
}

const MODULE = "niac_tryboot";
const BINARY = "linux-binary-";
const CROSS = "aarch64-linux-gnu-";
const stampSchema = z.array(debSchema);
/** What make and a shell need, and the compiler, which the headers' own Makefile names. */
const TOOLS: readonly string[] = [
  "base-files",
  "bash",
  "coreutils",
  "dash",
  "findutils",
  "grep",
  "make",
  "mawk",
  "sed",
  "gcc-14-aarch64-linux-gnu",
];

/** The kernel among the image's packages. Throws where there is not exactly one. */
export function kernelPackage(
  debs: readonly Pick<Deb, "package" | "version">[],
): Pick<Deb, "package" | "version"> {
  const [kernel, ...more] = debs.filter((deb) => deb.package.startsWith(BINARY));
  if (kernel === undefined || more.length > 0) {
    throw new Error(
      `the packages have ${kernel === undefined ? "no kernel" : "more than one kernel"}: ${BINARY}*`,
    );
  }
  return kernel;
}

export function kernelOf(
  debs: readonly Pick<Deb, "package" | "version">[],
): Pick<TrybootOptions, "release" | "kernel"> {
  const { package: name, version } = kernelPackage(debs);
  return { release: name.slice(BINARY.length), kernel: version };
}

/**
 * Makes `outFile`, and gives the packages of the compiler that made it. Takes it from the cache where nothing of what it is made from changed.
 * Needs root, for chroot.
 */
export async function buildTryboot(options: TrybootOptions): Promise<readonly Deb[]> {
  const { source, release, cache, outFile } = options;
  const own = (await run("dpkg", ["--print-architecture"])).trim();
  const { tree, debs } = await compilerFor(options, own);
  const files = readdirSync(source)
    .filter((name) => /\.[ch]$|^Makefile$/.test(name))
    .toSorted();
  const texts = files.flatMap((name) => [name, readFileSync(join(source, name), "utf8")]);
  const from = [own, release, SCRIPT, ...debs.map((deb) => deb.sha256), ...texts];
  const built = join(cache, `${MODULE}-${textHash(...from).slice(0, 16)}.ko`);
  if (!existsSync(built)) {
    const making = mkdtempSync(join(cache, "module-"));
    options.progress(`compiling ${MODULE} for ${release}`);
    try {
      const out = join(making, "it.ko");
      await run("unshare", [
        "--mount",
        "--propagation=private",
        "sh",
        "-euc",
        SCRIPT,
        "build",
        tree,
        source,
        release,
        out,
        ...files,
      ]);
      renameSync(out, built);
    } finally {
      rmSync(making, { recursive: true, force: true });
    }
  }
  mkdirSync(dirname(outFile), { recursive: true });
  copyFileSync(built, outFile);
  return debs;
}

/**
 * In a mount namespace of its own: the tree stays as it is, two builds at once do not meet, and nothing is left mounted whatever happens. The path
 * is always the same, so that the module is.
 */
const SCRIPT = `
tree=$1 source=$2 release=$3 out=$4
shift 4
mount -t tmpfs -o size=64m tmpfs "$tree/tmp"
mount --bind /dev "$tree/dev"
mkdir "$tree/tmp/module"
for file; do cp "$source/$file" "$tree/tmp/module/"; done
chroot "$tree" /usr/bin/env -i PATH=/usr/bin LC_ALL=C make -s -C "/usr/src/linux-headers-$release" M=/tmp/module modules 1>&2
chroot "$tree" /usr/bin/${CROSS}strip --strip-debug /tmp/module/${MODULE}.ko
cp "$tree/tmp/module/${MODULE}.ko" "$out"
`;

/** The headers' package comes for the image's processor, and what runs for this computer's. */
function packagesFor({ release, kernel }: TrybootOptions): string[] {
  const abi = release.replace(/-arm64$/, "");
  return [
    ...TOOLS,
    `linux-kbuild-${abi}=${kernel}`,
    `linux-headers-${abi}-common=${kernel}`,
    `linux-headers-${release}:arm64=${kernel}`,
  ];
}

/** The tree with the compiler and the headers, and the packages it is made of. */
async function compilerFor(
  options: TrybootOptions,
  own: string,
): Promise<{ readonly tree: string; readonly debs: readonly Deb[] }> {
  const { mirror, cache, shared } = options;
  const packages = packagesFor(options);
  const lines = sourceLine(mirror, "main", SUITE) + sourceLine(mirror, "main", `${SUITE}-backports`);
  const name = `kbuild-tree-${textHash(own, lines, ...packages).slice(0, 16)}`;
  const place = join(cache, name);
  const stamp = `${place}.json`;
  if (!existsSync(stamp) || !existsSync(place)) {
    mkdirSync(cache, { recursive: true });
    const debs = (await known(`${name}.json`, cache, shared)) ?? (await ask(options, own, lines, packages));
    const making = mkdtempSync(join(cache, "kbuild-"));
    try {
      await extractDebs(cache, debs, making);
      for (const left of ["doc", "locale", "man", "info"])
        rmSync(join(making, "usr/share", left), { recursive: true, force: true });
      // Installing mawk would have made this link; kbuild asks awk for the offset of the stack's guard.
      symlinkSync("mawk", join(making, "usr/bin/awk"));
      // Another build may have been faster: its tree will do.
      if (!existsSync(place)) renameSync(making, place);
      writeFileSync(stamp, JSON.stringify(debs));
      shared.write(`${name}.json`, JSON.stringify(debs));
      keepDebs(cache, shared, debs);
    } finally {
      rmSync(making, { recursive: true, force: true });
    }
  }
  const now = new Date();
  utimesSync(place, now, now);
  return { tree: place, debs: stampSchema.parse(JSON.parse(readFileSync(stamp, "utf8"))) };
}

/** The packages that another checkout took, brought into the store; null where they are not all there. */
async function known(name: string, cache: string, shared: Shared): Promise<Deb[] | null> {
  const text = shared.read(name);
  if (text === null) return null;
  const hashes = stampSchema.parse(JSON.parse(text)).map(({ sha256 }) => sha256);
  return (await completeStore(cache, shared, hashes)) ? fromStore(cache, hashes) : null;
}

/** The packages that the mirror has today, fetched into the store. */
async function ask(
  { cache, progress }: TrybootOptions,
  own: string,
  lines: string,
  packages: readonly string[],
): Promise<Deb[]> {
  progress("downloading the kernel's headers and their compiler");
  const making = mkdtempSync(join(cache, "kbuild-"));
  try {
    await run(
      "mmdebstrap",
      [
        "--quiet",
        "--variant=extract",
        "--mode=root",
        `--architectures=${own},arm64`,
        `--include=${packages.join(",")}`,
        '--aptopt=APT::Install-Recommends "false"',
        // The archives are kept until they are in the store.
        "--skip=cleanup/apt",
        SUITE,
        making,
        "-",
      ],
      { input: lines },
    );
    return await storeDebs(cache, join(making, "var/cache/apt/archives"));
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}
