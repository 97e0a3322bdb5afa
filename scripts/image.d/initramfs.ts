/** The initramfs: busybox, veritysetup with its libraries, and the few modules it takes to reach the verified root. */
import {
  chmodSync,
  cpSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { copyModules, kernelVersion } from "./kernel.ts";
import { readList } from "./lists.ts";
import type { Shared } from "./shared.ts";
import { run } from "./tools.ts";

/** Programs that `init` calls; all are busybox. */
const APPLETS: readonly string[] = [
  "sh",
  "cat",
  "sed",
  "tr",
  "sleep",
  "mkdir",
  "chmod",
  "mount",
  "modprobe",
  "insmod",
  "switch_root",
  "reboot",
  "grep",
  "hexdump",
  "killall",
  "watchdog",
  "echo",
  "dd",
];
const LIBRARIES = "usr/lib/aarch64-linux-gnu";

export async function makeInitramfs(options: {
  readonly image: string;
  readonly packages: string;
  /** Kernel modules of our own. */
  readonly extraModules: readonly string[];
  readonly work: string;
  readonly file: string;
  readonly sourceDate: number;
  /** zstd's. */
  readonly level: number;
}): Promise<void> {
  const { image, packages, extraModules, work, file, sourceDate, level } = options;
  const tree = join(work, "initramfs");
  rmSync(tree, { recursive: true, force: true });
  for (const name of ["bin", "dev", "etc", "proc", "sys", "run", "newroot", LIBRARIES])
    mkdirSync(join(tree, name), { recursive: true });
  symlinkSync("usr/lib", join(tree, "lib"));
  symlinkSync("bin", join(tree, "sbin"));
  cpSync(join(packages, "usr/bin/busybox"), join(tree, "bin/busybox"));
  for (const name of APPLETS) symlinkSync("busybox", join(tree, "bin", name));
  cpSync(join(packages, "usr/sbin/veritysetup"), join(tree, "bin/veritysetup"));
  for (const library of await librariesOf(join(packages, "usr/sbin/veritysetup"), join(packages, LIBRARIES)))
    cpSync(realpathSync(join(packages, LIBRARIES, library)), join(tree, LIBRARIES, library));
  const loader = "ld-linux-aarch64.so.1";
  cpSync(realpathSync(join(packages, LIBRARIES, loader)), join(tree, "usr/lib", loader));
  const wanted = readList(join(image, "initramfs/modules"));
  await copyModules({
    from: packages,
    to: tree,
    version: kernelVersion(packages),
    wanted,
    extra: extraModules,
  });
  writeFileSync(join(tree, "etc/modules"), `${wanted.join("\n")}\n`);
  cpSync(join(image, "initramfs/init"), join(tree, "init"));
  chmodSync(join(tree, "init"), 0o755);
  await pack(tree, file, sourceDate, level);
}

/** Names of the shared libraries that a program needs, with those that they need; the loader is apart. */
async function librariesOf(program: string, directory: string): Promise<string[]> {
  const found = new Set<string>();
  const look = [program];
  for (let path = look.pop(); path !== undefined; path = look.pop()) {
    const dynamic = await run("aarch64-linux-gnu-readelf", ["--dynamic", path]);
    for (const [, name = ""] of dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)) {
      if (found.has(name) || name.startsWith("ld-linux")) continue;
      if (!existsSync(join(directory, name)))
        throw new Error(`${basename(path)} needs ${name}, which no package brings`);
      found.add(name);
      look.push(join(directory, name));
    }
  }
  return [...found].toSorted();
}

/** Sorted, with one time and one owner: the same tree gives the same bytes. */
async function pack(tree: string, file: string, sourceDate: number, level: number): Promise<void> {
  const names = readdirSync(tree, { recursive: true, encoding: "utf8" }).toSorted();
  for (const name of names) lutimesSync(join(tree, name), sourceDate, sourceDate);
  const packed = `${file}.cpio`;
  await run(
    "cpio",
    ["--create", "--format=newc", "--reproducible", "--owner=0:0", "--quiet", `--file=${packed}`],
    {
      cwd: tree,
      input: `${names.join("\n")}\n`,
    },
  );
  await run("zstd", ["-q", `-${level}`, "--rm", "-f", packed, "-o", file]);
}

/** Debian ships the kernel unpacked; the Pi's firmware and QEMU read it gzipped. The packed one is kept, and is what unpacks to Debian's. */
export async function packKernel(options: {
  readonly packages: string;
  /** The packages'. */
  readonly hash: string;
  readonly cache: string;
  readonly shared: Shared;
  readonly file: string;
}): Promise<void> {
  const { packages, hash, cache, shared, file } = options;
  const kernel = join(packages, "usr/lib/modules", kernelVersion(packages), "vmlinuz");
  const name = `kernel-${hash.slice(0, 16)}.gz`;
  const kept = join(cache, name);
  const unpacksTo = ["-euo", "pipefail", "-c", 'gzip -dc "$1" | cmp --silent - "$2"', "compare"];
  const isWhole = (copy: string): Promise<boolean> =>
    run("bash", [...unpacksTo, copy, kernel]).then(
      () => true,
      () => false,
    );
  if (!existsSync(kept) && !(await shared.take(name, kept, isWhole))) {
    const making = `${kept}.making`;
    cpSync(kernel, making);
    await run("gzip", ["--no-name", "--force", "-9", making]);
    renameSync(`${making}.gz`, kept);
  }
  shared.give(name, kept);
  cpSync(kept, file);
}
