/** What TAP says, for people: each test as it ends with the figures it tells, failures in full; and at the end the failures again, shortened, and whether all of it was there. */

/** scripts/test says so after each run of ava, with its exit code. */
const ENDED = /^# ended (\d+)$/;
const PLAN = /^1\.\.\d+/;
/** Of each failure, at the end. */
const SHOWN_AGAIN = 30;

export interface Verdict {
  readonly lines: readonly string[];
  readonly exitCode: 0 | 1;
}

export class TapReport {
  #passed = 0;
  readonly #skipped: string[] = [];
  /** Each test that failed, with what it said. */
  readonly #failures: string[][] = [];
  /** Why what was read is not all of it. */
  readonly #broken: string[] = [];
  #showing = false;
  /** Of the run under way. */
  #planned = false;
  #failedBefore = 0;
  #ended = 0;

  /** The lines to show for one of TAP. */
  line(text: string): readonly string[] {
    const result = /^(not )?ok \d+ - (.*)$/.exec(text);
    if (result) return [this.#result(result[1] !== undefined, (result[2] ?? "").trim())];
    const [, code] = ENDED.exec(text) ?? [];
    if (code !== undefined) {
      this.#end(Number(code));
      return [];
    }
    if (PLAN.test(text)) this.#planned = true;
    if (text.startsWith("Bail out!")) this.#broken.push(text);
    if (/^# {3}\S/.test(text)) return [`        ${text.slice(4)}`];
    const chatter = /^(TAP version|1\.\.|# (tests|pass|fail|skip))/.test(text);
    const marks = text === "" || /^(# |\s+(---|\.\.\.)$)/.test(text);
    if (chatter || (!this.#showing && marks)) return [];
    if (this.#showing) this.#failures.at(-1)?.push(text);
    return [text];
  }

  /** To be asked when all was read. 1 where a test failed, where nothing ran, and where a run of ava did not come to its end. */
  verdict(): Verdict {
    if (this.#ended === 0) this.#broken.push("The tests were cut off.");
    const skipped = this.#skipped.length;
    const lines = [
      ...(skipped > 0
        ? ["", "Skipped, each with its reason:", ...this.#skipped.map((one) => `  ${one}`)]
        : []),
      // Again, for nobody finds one among thousands.
      ...this.#failures.flatMap((failure) => ["", ...shortened(failure)]),
      ...(this.#broken.length > 0 ? ["", ...this.#broken] : []),
      "",
      `${this.#passed} passed, ${this.#failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
    ];
    const good = this.#failures.length === 0 && this.#passed > 0 && this.#broken.length === 0;
    return { lines, exitCode: good ? 0 : 1 };
  }

  #result(failed: boolean, title: string): string {
    this.#showing = false;
    const [, name] = /^(.*?)\s*# SKIP/.exec(title) ?? [];
    if (name !== undefined) {
      this.#skipped.push(name);
      return `  skip  ${name}`;
    }
    this.#showing = failed;
    if (failed) this.#failures.push([`  FAIL  ${title}`]);
    else this.#passed++;
    return `  ${failed ? "FAIL" : "ok  "}  ${title}`;
  }

  /** Ava gives 1 for a test that failed, and prints its plan last: without it there may be tests that nobody saw. */
  #end(code: number): void {
    const failing = this.#failures.length > this.#failedBefore;
    if (!this.#planned) this.#broken.push(`Ava ended with ${code} before its last test: not all tests ran.`);
    else if (code !== 0 && !(code === 1 && failing))
      this.#broken.push(`Ava ended with ${code}, and no test says why.`);
    this.#ended++;
    this.#planned = false;
    this.#failedBefore = this.#failures.length;
  }
}

function shortened(lines: readonly string[]): readonly string[] {
  const said = lines.filter((line) => line !== "");
  const more = said.length - SHOWN_AGAIN;
  return more > 0 ? [...said.slice(0, SHOWN_AGAIN), `  ... and ${more} lines more, see above`] : said;
}
