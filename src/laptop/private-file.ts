import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Readable and writable for the owner alone; on Windows the user's folder sees to it. */
const OWNER_ONLY = 0o600;

/**
 * Puts `content` at `path`, whole or not at all: it is written beside it, by nobody else to be read from its first byte on, and
 * takes its place when it is on the disk. Throws the system's error.
 */
export function writePrivately(path: string, content: string): void {
  const beside = `${path}.${randomBytes(6).toString("hex")}`;
  const file = openSync(beside, "wx", OWNER_ONLY);
  try {
    try {
      writeSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  settle(dirname(path));
}

/** Makes what was renamed in a directory outlast a power cut. Windows opens no directory, and needs none of it. */
export function settle(directory: string): void {
  if (process.platform === "win32") return;
  const opened = openSync(directory, "r");
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}
