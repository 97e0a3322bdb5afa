/** A file system of its own that fills up, for tests of a full disk; only root can have one. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemCode } from "../../src/base/index.ts";

/** Where a tmpfs of `megabytes` is mounted until the test ends. Throws what mount says. */
export function smallDisk(t: { teardown(finish: () => void): void }, megabytes: number): string {
  const path = mkdtempSync(join(tmpdir(), "niac-disk-"));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path]);
  // Lazily: a process that is still ending may have its last file open.
  t.teardown(() => void execFileSync("umount", ["-l", path]));
  return path;
}

/** Fills a disk to its last block, whatever others write to it meanwhile. Returns the file that takes the room. */
export function fill(disk: string): string {
  const path = join(disk, "filler");
  const file = openSync(path, "w");
  const block = Buffer.alloc(4_096);
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    if (systemCode(error) !== "ENOSPC") throw error;
  } finally {
    closeSync(file);
  }
  return path;
}
