/** The stages that a run of the suite is made of: a command, or test files in ava, each to its outcome. */
import { join } from "node:path";
import { childrenCpu } from "./cpu.ts";
import { keepFlaky, mayRunAgain, MOST_AGAIN, type Flaky } from "./flaky.ts";
import { runProcess } from "./process.ts";
import type { Quiet } from "./quiet.ts";
import type { Outcome } from "./report.ts";
import { TapReport, type Failure } from "./tap.ts";
import { collect, type Row } from "./times.ts";

/** What the stages of one run have in common. */
export interface Bench {
  /** A folder for what a run leaves behind. */
  readonly left: string;
  /** Remembers flaky files beyond this checkout. */
  readonly history: string;
  readonly say: (line: string) => void;
  readonly rows: Row[];
  readonly flaky: Flaky[];
  readonly figures: Record<string, string[]>;
  readonly quiet: Quiet;
}

export interface TestStage {
  readonly name: string;
  readonly files: readonly string[];
  /** Processes at a time. */
  readonly width: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether each test that passes has a line. */
  readonly showsPassed: boolean;
  /** Whether a file that failed may be looked at once more. */
  readonly again: boolean;
}

/** Runs commands one after the other; the first that fails ends it. */
export async function runCommands(
  name: string,
  commands: ReadonlyArray<readonly [what: string, command: string, ...args: string[]]>,
  { say, quiet }: Bench,
): Promise<Outcome> {
  return quiet.beside(async () => {
    const [wall, cpu] = [clock(), childrenCpu()];
    const ran = { name, passed: 0, skipped: [], failures: [] };
    for (const [what, command, ...args] of commands) {
      say(`${what} ...`);
      const code = await runProcess(command, args);
      if (code === 0) continue;
      const why = `${what.toLowerCase()}: ${command} ${args.join(" ")} ended with ${code}, see above`;
      return { ...ran, state: "failed", why, wall: wall(), cpu: childrenCpu() - cpu };
    }
    return { ...ran, state: "passed", wall: wall(), cpu: childrenCpu() - cpu };
  });
}

export async function runTests(stage: TestStage, bench: Bench): Promise<Outcome> {
  const wall = clock();
  const first = await bench.quiet.beside(() => {
    bench.say(`${stage.name}: ${stage.files.length} files ...`);
    return ava(stage, stage.files, stage.width, bench);
  });
  const { tap } = first;
  const now =
    stage.again && tap.broken.length === 0 ? await runAgain(stage, first, bench) : new Set<string>();
  const failures = tap.failures.filter(({ file }) => file === null || !now.has(file));
  for (const { file, title, lines } of tap.figures)
    (bench.figures[file] ??= []).push(`${title}: ${lines.join("; ")}`);
  return {
    name: stage.name,
    state: failures.length === 0 && tap.broken.length === 0 ? "passed" : "failed",
    ...(tap.broken.length > 0 ? { why: tap.broken.join(" ") } : {}),
    passed: tap.passed + tap.failures.length - failures.length,
    skipped: tap.skipped,
    failures,
    wall: wall(),
    cpu: first.cpu,
  };
}

export function notRun(name: string, why: string): Outcome {
  return { name, state: "not run", why, passed: 0, skipped: [], failures: [], wall: 0, cpu: 0 };
}

/** Runs files that failed once more, each alone. Returns those that then passed. */
async function runAgain(stage: TestStage, first: Ran, bench: Bench): Promise<ReadonlySet<string>> {
  if (first.tap.good) return new Set();
  const { files, why } = mayRunAgain(first.tap.failures, MOST_AGAIN - bench.flaky.length);
  if (why !== null) bench.say(why);
  const passed = new Set<string>();
  for (const file of files) {
    const second = await bench.quiet.alone(() => {
      bench.say(`${file} failed; once more, alone ...`);
      return ava(stage, [file], 1, bench);
    });
    if (!second.tap.good) continue;
    passed.add(file);
    const places = { folder: join(bench.left, "flaky"), history: bench.history };
    const outputs = [textOf(first.tap.failures, file), second.output.join("\n")] as const;
    bench.flaky.push(keepFlaky(file, outputs, places, new Date()));
  }
  return passed;
}

function textOf(failures: readonly Failure[], file: string): string {
  return failures.flatMap((one) => (one.file === file ? [...one.lines, ""] : [])).join("\n");
}

interface Ran {
  readonly tap: TapReport;
  readonly output: readonly string[];
  /** Seconds of processor time of the tests' processes and of those they started. */
  readonly cpu: number;
}

async function ava(stage: TestStage, files: readonly string[], width: number, bench: Bench): Promise<Ran> {
  const tap = new TapReport(stage.showsPassed);
  const output: string[] = [];
  // Another stage may run beside this one.
  const times = join(bench.left, "times", stage.name.replaceAll(/\W+/g, "-"));
  const take = (text: string): void => {
    output.push(text);
    for (const line of tap.line(text)) bench.say(line);
  };
  const environment = { NIAC_TEST_TIMES: times, ...stage.environment };
  tap.ended(await runProcess("ava", ["--tap", "--concurrency", String(width), ...files], environment, take));
  const rows = collect(times);
  bench.rows.push(...rows);
  return { tap, output, cpu: rows.reduce((sum, { own, children }) => sum + own + children, 0) };
}

/** Seconds from this call to that of what it returns. */
function clock(): () => number {
  const began = performance.now();
  return () => (performance.now() - began) / 1000;
}
