/** test/passed.json: for which inputs the tiers that do not run each time last passed as a whole, when, and with which figures. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";

/** Below the project's root. */
export const PASSED = "test/passed.json";

const recordSchema = z.object({
  /** inputs.ts */
  inputs: z.string(),
  /** Of the end, ISO 8601. */
  at: z.string(),
  tests: z.number(),
  minutes: z.number(),
  /** What its tests told of themselves, by file. */
  figures: z.record(z.string(), z.array(z.string())),
});
const passedSchema = z.object({ image: recordSchema.nullable(), soak: recordSchema.nullable() });

export type Record = z.infer<typeof recordSchema>;
export type Recorded = z.infer<typeof passedSchema>;

/** A file that is not there, or that nobody can read, says that nothing has passed: the tier then runs. */
export function readPassed(path: string): Recorded {
  const none: Recorded = { image: null, soak: null };
  if (!existsSync(path)) return none;
  try {
    return passedSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return none;
  }
}

export function writePassed(path: string, name: keyof Recorded, record: Record): void {
  const all = { ...readPassed(path), [name]: record };
  writeFileSync(path, `${JSON.stringify(all, null, 2)}\n`);
}

/** Why a tier does not run: it passed for these very inputs. Null: it has to run. */
export function whyNotRun(record: Record | null, inputs: string): string | null {
  if (record === null || record.inputs !== inputs) return null;
  return `nothing it tests has changed since it passed on ${record.at.slice(0, 10)} (${record.tests} tests in ${record.minutes} min)`;
}
