/** Files that failed and passed when they were run again: both outputs are kept, and a file that does it twice is a bug with a name. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { finalSubject } from "./final.ts";
import type { Failure } from "./tap.ts";

/** Days on which a file was found flaky, ISO 8601, by its path. */
const historySchema = z.record(z.string(), z.array(z.string()));

/** Files that are run again in one run of the suite. */
export const MOST_AGAIN = 3;

export interface Flaky {
  readonly file: string;
  /** Where the outputs of both runs are kept. */
  readonly kept: string;
  /** When it was found flaky before. */
  readonly before: readonly string[];
}

export interface Again {
  readonly files: readonly string[];
  /** Why there are none. */
  readonly why: string | null;
}

/**
 * Which files may be run again, alone; or why none is. Those of which a failure is final, or is nobody's, never are: then the tier has failed,
 * and nothing else changes that.
 */
export function mayRunAgain(
  failures: readonly Failure[],
  left: number,
  subjectOf: (failure: Failure) => string | null = finalSubject,
): Again {
  const files = new Set<string>();
  for (const failure of failures) {
    const subject = subjectOf(failure);
    if (subject !== null) return none(`not run again, for it is about ${subject}: ${failure.title}`);
    if (failure.file?.startsWith("test/") !== true)
      return none(`not run again, for no file has this failure: ${failure.title}`);
    files.add(failure.file);
  }
  if (files.size > left)
    return none(`not run again: ${files.size} files failed, and at most ${MOST_AGAIN} of a run are`);
  return { files: [...files], why: null };
}

function none(why: string): Again {
  return { files: [], why };
}

/** Keeps what both runs printed, and remembers the day in `history`, a file that outlives this checkout. */
export function keepFlaky(
  file: string,
  outputs: readonly [first: string, second: string],
  places: { readonly folder: string; readonly history: string },
  now: Date,
): Flaky {
  const kept = join(places.folder, file.replaceAll("/", "-").replace(/\.test\.ts$/, ""));
  mkdirSync(kept, { recursive: true });
  for (const [name, text] of [
    ["first", outputs[0]],
    ["second", outputs[1]],
  ] as const)
    writeFileSync(join(kept, `${name}.txt`), text);
  const all = readHistory(places.history);
  const before = all[file] ?? [];
  const making = `${places.history}.${process.pid}`;
  mkdirSync(join(places.history, ".."), { recursive: true });
  writeFileSync(making, JSON.stringify({ ...all, [file]: [...before, now.toISOString().slice(0, 10)] }));
  renameSync(making, places.history);
  return { file, kept, before };
}

function readHistory(path: string): Readonly<Record<string, string[]>> {
  if (!existsSync(path)) return {};
  try {
    return historySchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return {};
  }
}

/** The lines at the end of a report. */
export function flakyLines(flaky: readonly Flaky[]): string[] {
  return flaky.flatMap(({ file, kept, before }) => [
    `FLAKY    ${file} failed, and passed when it was run again alone; both outputs are in ${kept}`,
    ...(before.length > 0
      ? [`BUG      ${file} was flaky before (${before.join(", ")}): it waits for time, or races; mend it`]
      : []),
  ]);
}
