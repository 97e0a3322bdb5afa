/** One box for all tests of a file: a boot costs a minute. */
import test from "ava";
import { existsSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import type { Teardown } from "../processes.ts";
import { IMAGE } from "./image.ts";

const TOOLS = ["qemu-system-aarch64", "swtpm", "mcopy", "dtc", "fdtoverlay", "mbpoll"];
/** Milliseconds for one test: with an update and three boots in it, on a computer that is slow. */
const PATIENCE = 45 * 60_000;
/** Set by who runs other files after first-start.test.ts: that one's box is kept for them. */
export const KEEP_BOX = process.env["NIAC_KEEP_BOX"] === "1";

/** Ava's serial test, with the file's bed. */
export type Check<Bed> = (
  title: string,
  implementation: (t: ExecutionContext, bed: Bed) => Promise<void>,
) => void;

/** Seconds since then (milliseconds since the epoch), for a test's log: where the minutes of an emulated box go. */
export function secondsSince(then: number): string {
  return `${((Date.now() - then) / 1000).toFixed(1)} s`;
}

function has(tool: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0;
}

function missing(): string[] {
  const lacks = TOOLS.filter((tool) => !has(tool));
  if (process.platform !== "linux" || process.getuid?.() !== 0) lacks.push("root on Linux");
  // Written last: an image without it is half-made.
  if (!existsSync(join(IMAGE, "manifest.json")))
    lacks.push("the image: scripts/image --board qemu-arm64 --fast");
  return lacks;
}

/** Things that are put away when the file's tests are done, last made first. */
class Finish implements Teardown {
  readonly #steps: Array<() => void | Promise<void>> = [];

  teardown(finish: () => void | Promise<void>): void {
    this.#steps.push(finish);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) await step();
  }
}

/**
 * Gives ava's serial test, with what `start` made as its second argument; or its skip, with what is missing in the title. `start` runs once,
 * with the first test.
 */
export function testWithBox<Bed>(start: (t: Teardown) => Promise<Bed>): Check<Bed> {
  const lacks = missing();
  const finish = new Finish();
  let made: Promise<Bed> | null = null;
  if (lacks.length === 0) test.after.always("the box is put away", () => finish.run());
  return (title, implementation) => {
    if (lacks.length > 0) return test.skip(`${title} (missing here: ${lacks.join(", ")})`, () => {});
    test.serial(title, async (t) => {
      t.timeout(PATIENCE);
      const first = made === null;
      made ??= start(finish);
      // Said once is enough.
      const bed = await made.catch((error: unknown) => {
        throw first ? error : new Error("not tried: the box was not got so far, as the first test says");
      });
      await implementation(t, bed);
    });
  };
}
