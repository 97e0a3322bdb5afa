/** Where niac's CPU goes: its processes run under V8's profiler while 32 sessions are busy. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join, relative, resolve } from "node:path";
import { z } from "zod";
import { closeSessions, openSessions, transact } from "./load.ts";
import { warmUp, type Amounts } from "./measure.ts";
import { cpuOfTree } from "./processes.ts";
import type { Proxy } from "./proxy.ts";
import type { Stage } from "./stage.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const LINES = 25;
const TRANSACTIONS = 60_000;
/** Microseconds between samples. */
const INTERVAL = 200;

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

/** The table of self times, as text. Of niac's processes it is the busiest one, which is the gateway. */
export async function profile(stage: Stage, niac: Proxy, amounts: Amounts): Promise<string> {
  const dir = stage.newDir();
  const subject = await stage.start(niac, `--cpu-prof --cpu-prof-dir=${dir} --cpu-prof-interval=${INTERVAL}`);
  await warmUp(subject, amounts.warmUp);
  const sessions = await openSessions(subject.target, 32);
  const before = cpuOfTree(subject.process);
  const begin = monotonic();
  await transact(sessions, TRANSACTIONS, "read");
  const end = monotonic();
  const after = cpuOfTree(subject.process);
  await closeSessions(sessions);

  const used = [...after.byProcess]
    .map(([pid, cpu]) => ({ pid, cpu: (cpu - (before.byProcess.get(pid) ?? 0)) / 1_000 }))
    .toSorted((a, b) => b.cpu - a.cpu);
  await subject.process.stop();
  const busiest = used[0];
  const file = readdirSync(dir).find((name) => name.split(".")[3] === String(busiest?.pid));
  if (file === undefined || busiest === undefined) {
    throw new Error(
      `niac left no profile in ${dir}: its processes must end by themselves on SIGTERM for V8 to write it`,
    );
  }
  const parsed = cpuProfile.parse(JSON.parse(readFileSync(join(dir, file), "utf8")));
  const perProcess = used.map(
    ({ pid, cpu }) => `process ${pid}: ${(cpu / TRANSACTIONS).toFixed(1)} us per transaction`,
  );
  return [
    `${TRANSACTIONS.toLocaleString("en")} reads, 32 sessions, under the profiler (which costs some itself)`,
    ...perProcess,
    "",
    ...selfTimes(parsed, begin, end),
  ].join("\n");
}

function monotonic(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

function selfTimes(recorded: CpuProfile, begin: number, end: number): string[] {
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
  return [
    `   share  us/transaction  function`,
    ...lines.map(
      ([name, time]) =>
        `${((100 * time) / total).toFixed(1).padStart(7)}%  ${(time / TRANSACTIONS).toFixed(2).padStart(14)}  ${name}`,
    ),
  ];
}

function placeOf(frame: CpuProfile["nodes"][number]["callFrame"]): string {
  const name = frame.functionName === "" ? "(anonymous)" : frame.functionName;
  if (frame.url === "") return name;
  const place = frame.url.startsWith("file:") ? relative(ROOT, fileURLToPath(frame.url)) : frame.url;
  return `${name}  ${place}:${frame.lineNumber + 1}`;
}
