/** The root file system: squashfs with its dm-verity hash tree appended. */
import { statSync, truncateSync } from "node:fs";
import { run } from "./tools.ts";

export interface VerityRoot {
  /** Hexadecimal; whoever knows it knows every byte. */
  readonly rootHash: string;
  /** Where in the file the hash tree begins, bytes. */
  readonly hashOffset: number;
}

const BLOCK = 4096;

/** The same tree gives the same file: `salt` and `uuid` come from the caller, times are `sourceDate` (seconds since the epoch). */
export async function makeRootImage(options: {
  readonly tree: string;
  readonly file: string;
  readonly sourceDate: number;
  readonly level: number;
  readonly salt: string;
  readonly uuid: string;
}): Promise<VerityRoot> {
  const { tree, file, sourceDate, level, salt, uuid } = options;
  await run(
    "mksquashfs",
    [
      tree,
      file,
      "-noappend",
      "-no-progress",
      "-quiet",
      "-comp",
      "zstd",
      "-Xcompression-level",
      `${level}`,
      "-b",
      "256K",
      "-all-root",
      "-no-xattrs",
    ],
    { env: { SOURCE_DATE_EPOCH: `${sourceDate}` } },
  );
  const hashOffset = Math.ceil(statSync(file).size / BLOCK) * BLOCK;
  truncateSync(file, hashOffset);
  const told = await run("veritysetup", [
    "format",
    file,
    file,
    `--hash-offset=${hashOffset}`,
    `--salt=${salt}`,
    `--uuid=${uuid}`,
  ]);
  const [, rootHash] = /^Root hash:\s+([0-9a-f]{64})$/m.exec(told) ?? [];
  if (rootHash === undefined) throw new Error(`veritysetup gave no root hash: ${told}`);
  return { rootHash, hashOffset };
}
