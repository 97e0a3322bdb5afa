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
} from "node:fs";
import { dirname, join } from "node:path";
import type { Mirror } from "./mirror.ts";
import type { Deb } from "./packages.ts";
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
  readonly outFile: string;
  /** What is under way, for the person who waits. */
  readonly progress: (line: string) => void;
}

const MODULE = "niac_tryboot";
const BINARY = "linux-binary-";
const CROSS = "aarch64-linux-gnu-";
const SUITE = "trixie";
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
export function kernelOf(
  debs: readonly Pick<Deb, "package" | "version">[],
): Pick<TrybootOptions, "release" | "kernel"> {
  const [kernel, ...more] = debs.filter((deb) => deb.package.startsWith(BINARY));
  if (kernel === undefined || more.length > 0) {
    throw new Error(
      `the packages have ${kernel === undefined ? "no kernel" : "more than one kernel"}: ${BINARY}*`,
    );
  }
  return { release: kernel.package.slice(BINARY.length), kernel: kernel.version };
}

/** Makes `outFile`. Takes it from the cache where nothing of what it is made from changed. Needs root, for chroot. */
export async function buildTryboot(options: TrybootOptions): Promise<void> {
  const { source, release, cache, outFile } = options;
  const packages = packagesFor(options);
  const files = readdirSync(source)
    .filter((name) => /\.[ch]$|^Makefile$/.test(name))
    .toSorted();
  const texts = files.flatMap((name) => [name, readFileSync(join(source, name), "utf8")]);
  const built = join(cache, `${MODULE}-${textHash(...packages, SCRIPT, ...texts).slice(0, 16)}.ko`);
  if (!existsSync(built)) {
    const tree = await buildTree(options, packages);
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
      ]);
      renameSync(out, built);
    } finally {
      rmSync(making, { recursive: true, force: true });
    }
  }
  mkdirSync(dirname(outFile), { recursive: true });
  copyFileSync(built, outFile);
}

/**
 * In a mount namespace of its own: the tree stays as it is, two builds at once do not meet, and nothing is left mounted whatever happens. The path
 * is always the same, so that the module is.
 */
const SCRIPT = `
tree=$1 source=$2 release=$3 out=$4
mount -t tmpfs -o size=64m tmpfs "$tree/tmp"
mkdir "$tree/tmp/module"
cp "$source"/*.c "$source/Makefile" "$tree/tmp/module/"
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

async function buildTree(
  { mirror, cache, progress }: TrybootOptions,
  packages: readonly string[],
): Promise<string> {
  const place = join(cache, `kbuild-tree-${textHash(...packages).slice(0, 16)}`);
  if (existsSync(place)) return place;
  mkdirSync(cache, { recursive: true });
  progress("downloading the kernel's headers and their compiler");
  const making = mkdtempSync(join(cache, "kbuild-"));
  const own = (await run("dpkg", ["--print-architecture"])).trim();
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
        '--customize-hook=rm -rf "$1/usr/share/doc" "$1/usr/share/locale" "$1/usr/share/man" "$1/usr/share/info"',
        SUITE,
        making,
        "-",
      ],
      { input: `deb ${mirror.main} ${SUITE} main\ndeb ${mirror.main} ${SUITE}-backports main\n` },
    );
    // Installing mawk would have made this link; kbuild asks awk for the offset of the stack's guard.
    symlinkSync("mawk", join(making, "usr/bin/awk"));
    // Another build may have been faster: its tree is the same.
    if (!existsSync(place)) renameSync(making, place);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return place;
}
