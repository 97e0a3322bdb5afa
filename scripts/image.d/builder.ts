/** The computer that builds, as far as the image's bytes depend on it. */
import { run } from "./tools.ts";

/** Packages whose programs write what is in the image. mmdebstrap is none of them: it only says and fetches which packages there are. */
const WRITE: readonly string[] = [
  "binutils-aarch64-linux-gnu",
  "cpio",
  "cryptsetup-bin",
  "device-tree-compiler",
  "dosfstools",
  "dpkg",
  "fdisk",
  "gcc-aarch64-linux-gnu",
  "gzip",
  "kmod",
  "libc6-dev-arm64-cross",
  "mtools",
  "rauc",
  "squashfs-tools",
  "systemd",
  "tar",
  "zstd",
];

/** `name version`, a package each, of those that are installed here. */
export async function builderPackages(): Promise<string[]> {
  const show = ["--show", "--showformat=${Package} ${Version}\\n", ...WRITE];
  // It ends with 1 where one of them is not installed, and says the others all the same.
  const told = await run("sh", ["-c", 'dpkg-query "$@" || [ $? = 1 ]', "packages", ...show]);
  return told.trim().split("\n").toSorted();
}
