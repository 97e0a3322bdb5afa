/** Where niac's CPU goes: once without a profiler, process by process; then function by function, under V8's. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { closeSessions, handshakes, openSessions, transact } from "./load.ts";
import { warmUp, type Amounts, type Subject } from "./measure.ts";
import { commandOf, cpuOfTree } from "./processes.ts";
import type { Proxy } from "./proxy.ts";
import type { Progress } from "./run.ts";
import type { Stage } from "./stage.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const LINES = 25;
/** Microseconds between samples. */
const INTERVAL = 500;

/** What niac does while it is looked at. */
export interface Work {
  readonly what: string;
  readonly count: number;
  run(subject: Subject, count: number): Promise<void>;
}

/** By the row asked for; reads at 32 sessions where none is. */
export function workFor(only: string): Work {
  if (only.startsWith("cpuPerHandshake")) {
    return {
      what: "handshakes",
      count: 2_000,
      run: (subject, count) => handshakes(subject.target, count, 8),
    };
  }
  const write = only.startsWith("cpuPerWrite");
  return {
    what: `${write ? "writes" : "reads"} at 32 sessions`,
    count: write ? 20_000 : 60_000,
    async run(subject, count) {
      const sessions = await openSessions(subject.target, 32);
      await transact(sessions, count, write ? "write" : "read");
      await closeSessions(sessions);
    },
  };
}

/** What is used of V8's .cpuprofile; times are microseconds of the monotonic clock. */
const cpuProfile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  startTime: z.number(),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

type CpuProfile = z.infer<typeof cpuProfile>;

/** Both tables, as text. Of niac's processes the functions are those of the busiest one, which is the gateway. */
export async function profile(
  stage: Stage,
  niac: Proxy,
  work: Work,
  amounts: Amounts,
  progress: Progress,
): Promise<string> {
  progress("without the profiler");
  const plain = await watch(stage, niac, work, amounts, "");
  progress("with the profiler");
  const dir = stage.newDir();
  const options = `--cpu-prof --cpu-prof-dir=${dir} --cpu-prof-interval=${INTERVAL}`;
  const profiled = await watch(stage, niac, work, amounts, options);
  const busiest = profiled.used[0];
  const file = readdirSync(dir).find((name) => name.split(".")[3] === String(busiest?.pid));
  if (file === undefined) {
    throw new Error(
      `niac left no profile in ${dir}: its processes must end by themselves on SIGTERM for V8 to write it`,
    );
  }
  const recorded = cpuProfile.parse(JSON.parse(readFileSync(join(dir, file), "utf8")));
  const own = plain.used[0];
  return [
    `${work.count.toLocaleString("en")} ${work.what}, µs of CPU for each, without the profiler:`,
    ...plain.used.map(({ name, cpu }) => `${cpu.toFixed(2).padStart(10)}  ${name}`),
    "",
    `Self times of ${own?.name ?? "?"}, under the profiler, as shares of what it took without:`,
    ...selfTimes(recorded, profiled.begin, profiled.end, own?.cpu ?? Number.NaN),
  ].join("\n");
}

interface Watched {
  /** The busiest process first; microseconds for each unit of work. */
  readonly used: readonly { readonly pid: number; readonly name: string; readonly cpu: number }[];
  readonly begin: number;
  readonly end: number;
}

async function watch(
  stage: Stage,
  niac: Proxy,
  work: Work,
  amounts: Amounts,
  nodeOptions: string,
): Promise<Watched> {
  const subject = await stage.start(niac, nodeOptions);
  await warmUp(subject, amounts.warmUp);
  await work.run(subject, work.count >> 2);
  const before = cpuOfTree(subject.process);
  const begin = monotonic();
  await work.run(subject, work.count);
  const end = monotonic();
  const after = cpuOfTree(subject.process);
  const used = [...after.byProcess]
    .map(([pid, cpu]) => {
      const name = relative(ROOT, commandOf(pid).findLast((word) => !word.startsWith("-")) ?? String(pid));
      return { pid, name, cpu: (cpu - (before.byProcess.get(pid) ?? 0)) / 1_000 / work.count };
    })
    .toSorted((a, b) => b.cpu - a.cpu);
  await subject.process.stop();
  return { used, begin, end };
}

function monotonic(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** `cpu`: microseconds a unit of work takes; the profile's own times hold waiting for the core, too. */
function selfTimes(recorded: CpuProfile, begin: number, end: number, cpu: number): string[] {
  const names = new Map(recorded.nodes.map((node) => [node.id, placeOf(node.callFrame)]));
  const times = new Map<string, number>();
  let at = recorded.startTime;
  let total = 0;
  recorded.samples.forEach((id, index) => {
    const delta = recorded.timeDeltas[index] ?? 0;
    at += delta;
    const name = names.get(id) ?? "?";
    if (at < begin || at > end || name === "(idle)") return;
    times.set(name, (times.get(name) ?? 0) + delta);
    total += delta;
  });
  const lines = [...times].toSorted((a, b) => b[1] - a[1]).slice(0, LINES);
  return lines.map(([name, time]) => {
    const share = time / total;
    return `${(100 * share).toFixed(1).padStart(7)}%  ${(cpu * share).toFixed(2).padStart(8)}  ${name}`;
  });
}

function placeOf(frame: CpuProfile["nodes"][number]["callFrame"]): string {
  const name = frame.functionName === "" ? "(anonymous)" : frame.functionName;
  if (frame.url === "") return name;
  const place = frame.url.startsWith("file:") ? relative(ROOT, fileURLToPath(frame.url)) : frame.url;
  return `${name}  ${place}:${frame.lineNumber + 1}`;
}
