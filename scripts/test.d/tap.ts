/**
 * What one run of ava says in TAP, for people: failures in full as they come, tests that passed with the figures they tell; and what there was
 * in all, by file. Titles begin with their file's path (test/support/runner/named-test.ts).
 */

/** A test that failed, with all it said. */
export interface Failure {
  /** Null: nobody knows which file it was, as where a process died. */
  readonly file: string | null;
  readonly title: string;
  readonly lines: readonly string[];
}

/** What a test that passed told of itself. */
export interface Figures {
  readonly file: string;
  readonly title: string;
  readonly lines: string[];
}

const PLAN = /^1\.\.\d+/;
const OWN_TITLE = /(?:^|› )(test\/\S+\.test\.ts) › (.*)$/;
/** What ava says of a process that died, or of a file without tests. */
const NAMED_FILE = /\b((?:test|build\/test\/groups)\/\S+\.test\.ts)\b/;

export class TapReport {
  passed = 0;
  /** Titles, each with its reason. */
  readonly skipped: string[] = [];
  readonly figures: Figures[] = [];
  /** Why what was read is not all of it. */
  readonly broken: string[] = [];
  readonly #failures: Array<{ file: string | null; title: string; lines: string[] }> = [];
  readonly #showsPassed: boolean;
  #last: { file: string; title: string } | null = null;
  #failing = false;
  #planned = false;

  /** `showsPassed`: whether each test that passed has a line of its own. */
  constructor(showsPassed: boolean) {
    this.#showsPassed = showsPassed;
  }

  get failures(): readonly Failure[] {
    return this.#failures;
  }

  /** The lines to show for one of TAP. */
  line(text: string): readonly string[] {
    const result = /^(not )?ok \d+ - (.*)$/.exec(text);
    if (result) return this.#result(result[1] !== undefined, (result[2] ?? "").trim());
    if (PLAN.test(text)) this.#planned = true;
    if (/^# {3}\S/.test(text)) return this.#figure(text.slice(4));
    const chatter = /^(TAP version|1\.\.|# (tests|pass|fail|skip))/.test(text);
    const marks = text === "" || /^(# |\s+(---|\.\.\.)$)/.test(text);
    if (chatter || (!this.#failing && marks)) return [];
    if (this.#failing) this.#failures.at(-1)?.lines.push(text);
    return [text];
  }

  /** To be called with ava's exit code when all was read: it gives 1 for a test that failed, and prints its plan last. */
  ended(code: number | null): void {
    if (!this.#planned) this.broken.push(`Ava ended with ${code} before its last test: not all tests ran.`);
    else if (code !== 0 && !(code === 1 && this.#failures.length > 0))
      this.broken.push(`Ava ended with ${code}, and no test says why.`);
    if (this.passed + this.#failures.length + this.skipped.length === 0) this.broken.push("No test ran.");
  }

  get good(): boolean {
    return this.#failures.length === 0 && this.broken.length === 0;
  }

  #result(failed: boolean, said: string): readonly string[] {
    this.#failing = failed;
    this.#last = null;
    const [whole, skip] = [said.replace(/\s*# SKIP.*$/, ""), /# SKIP/.test(said)];
    const [, file = null, title = whole] = OWN_TITLE.exec(whole) ?? [];
    const shown = file === null ? title : `${file.replace(/^test\/|\.test\.ts$/g, "")} › ${title}`;
    if (skip) {
      this.skipped.push(shown);
      return this.#showsPassed ? [`  skip  ${shown}`] : [];
    }
    if (failed) {
      const whose = file ?? NAMED_FILE.exec(whole)?.[1] ?? null;
      this.#failures.push({ file: whose, title, lines: [`  FAIL  ${shown}`] });
      return [`  FAIL  ${shown}`];
    }
    this.passed++;
    if (file !== null) this.#last = { file, title };
    return this.#showsPassed ? [`  ok    ${shown}`] : [];
  }

  #figure(text: string): readonly string[] {
    if (this.#failing) this.#failures.at(-1)?.lines.push(`      ${text}`);
    const last = this.#last;
    if (last !== null) {
      const same = this.figures.at(-1);
      if (same?.file === last.file && same.title === last.title) same.lines.push(text.trim());
      else this.figures.push({ ...last, lines: [text.trim()] });
    }
    return this.#showsPassed || this.#failing ? [`        ${text}`] : [];
  }
}

/** A failure for the end of a report, which nobody reads where it is long. */
export function shortened(lines: readonly string[], most = 30): readonly string[] {
  const said = lines.filter((line) => line !== "");
  const more = said.length - most;
  return more > 0 ? [...said.slice(0, most), `  ... and ${more} lines more, see above`] : said;
}
