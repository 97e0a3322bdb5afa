/** A token's PIN: where it comes from, and how it reaches another program without standing in its arguments or on a disk. */
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemCode, UsageError } from "../base/index.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

const MAX_PIN = 255;

/** From the file, else NIAC_PIN, else asked for. Throws a UsageError; it never shows the PIN. */
export async function readPin(
  file: string | null,
  token: string,
  around: Pick<LaptopSurroundings, "ask" | "lookup">,
): Promise<string> {
  const pin =
    file === null
      ? (around.lookup("NIAC_PIN") ?? (await around.ask(`PIN of ${token}: `, true)))
      : fromFile(file);
  const bare = pin?.replace(/\r?\n$/, "") ?? "";
  if (/^[\x20-\x7e]+$/.test(bare) && bare.length <= MAX_PIN) return bare;
  throw new UsageError(
    "token-pin",
    pin === null
      ? `nothing says what the PIN of ${token} is, and there is nobody here to ask`
      : `the PIN of ${token} is empty, or has a letter that no PIN has`,
    "Give it with --pin-file or NIAC_PIN, or run the command at a terminal.",
  );
}

function fromFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError("file", `--pin-file: ${path} cannot be read (${systemCode(error)})`);
  }
}

/**
 * A descriptor from which a child that inherits it reads the PIN, as often as it likes, by /proc/self/fd: a file in memory that
 * has lost its name. Close it when the last child is started.
 */
export function pinDescriptor(pin: string, runtimeDir: string | undefined): number {
  const directory =
    [runtimeDir, "/dev/shm"].find((each) => each !== undefined && existsSync(each)) ?? tmpdir();
  const path = join(directory, `.niac-${randomBytes(12).toString("hex")}`);
  const opened = openSync(path, "wx+", 0o600);
  try {
    unlinkSync(path);
    writeSync(opened, pin);
  } catch (error) {
    closeSync(opened);
    throw error;
  }
  return opened;
}
