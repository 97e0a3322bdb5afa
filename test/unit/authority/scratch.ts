/** A directory and a computer for a keyring's test. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NiacError } from "../../../src/base/index.ts";
import type { Teardown } from "../../support/processes.ts";

export function scratch(t: Teardown): string {
  const directory = mkdtempSync(join(tmpdir(), "niac-keys-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A file that only its owner reads, unless said otherwise. */
export function put(directory: string, name: string, content: string | Uint8Array, mode = 0o600): string {
  const path = join(directory, name);
  writeFileSync(path, content, { mode });
  return path;
}

/** The code of niac's error that something ends with, or what else became of it. */
export async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
    return "no error";
  } catch (error) {
    return error instanceof NiacError ? error.code : String(error);
  }
}

/** scrypt's cost for backups of tests: the cheapest that is opened. What is not about the cost need not have it. */
export const CHEAP = { N: 2 ** 14, r: 8, p: 1 };
