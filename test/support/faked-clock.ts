/** A clock that a test sets: libfaketime's, read anew from a file at each look by every process that is started with its environment. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Teardown } from "./processes.ts";

export class FakedClock {
  readonly environment: Readonly<Record<string, string>>;
  readonly #file: string;

  private constructor(file: string, library: string) {
    this.#file = file;
    this.environment = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      // As of a computer whose clock is set: what is waited for on the wire takes as long as ever, and what ran on runs on.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
    this.shift("+0");
  }

  static create(t: Teardown): FakedClock {
    const dir = mkdtempSync(join(tmpdir(), "niac-clock-"));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    const library = execFileSync("faketime", ["-f", "+0", "printenv", "LD_PRELOAD"], { encoding: "utf8" });
    return new FakedClock(join(dir, "clock"), library.trim());
  }

  /** Sets it so far from this computer's clock: `+0`, `-5h`, `+20y`, or seconds as in `+600`. It goes on from there. */
  shift(by: string): void {
    // Never seen half written.
    writeFileSync(`${this.#file}.new`, `${by}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}
