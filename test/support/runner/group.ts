/**
 * Several test files in one process, for files that share nothing: half of what a unit test costs is the start of its process. The runner writes
 * an entry file for each group (scripts/test.d/groups.ts), which is a call of this.
 */
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { declareAll, declareFor, since } from "./named-test.ts";
import { addShare, taken } from "./times.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** `files`: paths from the project's folder. */
export async function group(files: readonly string[]): Promise<void> {
  for (const file of files) {
    declareFor(file);
    const before = taken();
    await import(pathToFileURL(join(ROOT, file)).href);
    addShare(file, since(before));
  }
  declareAll();
}
