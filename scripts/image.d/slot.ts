/** A boot slot: the FAT that the firmware starts from. The same file fits both slots; which one it is, the firmware says. */
import { mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./tools.ts";

export interface FatOptions {
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  readonly label: string;
  /** Eight hexadecimal digits. */
  readonly volumeId: string;
  /** Copied as they stand, folders included. */
  readonly tree: string;
  readonly sourceDate: number;
}

/** The same tree gives the same file. */
export async function makeFat(options: FatOptions): Promise<void> {
  const { file, size, label, volumeId, tree, sourceDate } = options;
  rmSync(file, { force: true });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "");
  truncateSync(file, size);
  await run("mkfs.vfat", ["--invariant", "-F", "32", "-n", label, "-i", volumeId, file]);
  const env = { SOURCE_DATE_EPOCH: `${sourceDate}`, MTOOLS_SKIP_CHECK: "1", TZ: "UTC" };
  const names = readdirSync(tree, { recursive: true, encoding: "utf8" }).toSorted();
  for (const name of names) {
    const path = join(tree, name);
    if (statSync(path).isDirectory()) await run("mmd", ["-i", file, `::${name}`], { env });
    else await run("mcopy", ["-i", file, path, `::${name}`], { env });
  }
}
