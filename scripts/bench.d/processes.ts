/** Processes on a core of their own: starting, what they used of it, what memory they hold, stopping. Linux's /proc only. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
/** Milliseconds; longer than niac's own patience with its processes. */
const STOP_LIMIT = 12_000;

/** The cores this process may use, in order. */
export function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return list.split(",").flatMap((part) => {
    const [first = 0, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Descriptors that a process may have open at once; Node takes all that the system lets it. */
export function filesAllowed(): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return hard === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(hard);
}

/** Moves this process, all its threads, to one core. */
export function pinSelf(core: number): void {
  execFileSync("taskset", ["-a", "-c", "-p", String(core), String(process.pid)], { stdio: "ignore" });
}

/** A port nobody listens on now. Another process may take it in between; then the proxy's start fails and says so. */
export function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer().once("error", reject);
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (address === null || typeof address === "string") return;
    server.close(() => resolve(address.port));
  });
  return promise;
}

export class PinnedProcess {
  readonly name: string;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #log: string;
  #stopped = false;

  /** `log` is the file its output goes to, and where its failure is explained from. */
  constructor(
    name: string,
    core: number,
    command: readonly string[],
    log: string,
    environment: NodeJS.ProcessEnv = {},
  ) {
    this.name = name;
    this.#log = log;
    this.#child = spawn("taskset", ["-c", String(core), ...command], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
      // A process group of its own: Ctrl-C reaches the bench alone, and the bench reaches every descendant.
      detached: true,
    });
    this.#child.on("error", () => undefined);
    const file = createWriteStream(log, { flags: "a" });
    this.#child.stdout?.pipe(file, { end: false });
    this.#child.stderr?.pipe(file, { end: false });
    this.#child.once("close", () => file.end());
    if (this.#child.pid === undefined)
      throw new Error(`${name} cannot be started: is ${command[0]} installed, and taskset?`);
    this.pid = this.#child.pid;
  }

  /** The first line of its standard output. */
  firstLine(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let text = "";
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    this.#child.once("exit", () => reject(new Error(`${this.name} ended: ${this.lastWords()}`)));
    return promise;
  }

  /** All of its standard output, once it has ended by itself; rejects with its last words where that was a failure. */
  output(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const chunks: Buffer[] = [];
    this.#child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    this.#child.once("close", (code) => {
      // Nothing of it is left that could hold its process id.
      this.#stopped = true;
      if (code === 0) resolve(Buffer.concat(chunks).toString());
      else reject(new Error(`${this.name} failed: ${this.lastWords()}`));
    });
    return promise;
  }

  /** How often its output says a text up to now. */
  count(text: string): number {
    return existsSync(this.#log) ? readFileSync(this.#log, "utf8").split(text).length - 1 : 0;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  lastWords(): string {
    const text = existsSync(this.#log) ? readFileSync(this.#log, "utf8").trim() : "";
    return text === "" ? "it said nothing" : text.split("\n").slice(-8).join("\n");
  }

  /** Itself and its descendants, sorted. */
  tree(): number[] {
    const pids = [this.pid];
    for (const pid of pids) pids.push(...childrenOf(pid));
    return pids.toSorted((a, b) => a - b);
  }

  async stop(): Promise<void> {
    signal(this.pid, "SIGTERM");
    const deadline = performance.now() + STOP_LIMIT;
    while (!this.ended && performance.now() < deadline) await sleep(20);
    this.kill();
    this.#stopped = true;
  }

  /** At once and with all its descendants: those that still have a parent, and orphans that stayed in its process group. */
  kill(): void {
    if (this.#stopped) return;
    for (const pid of this.tree()) signal(pid, "SIGKILL");
    signal(-this.pid, "SIGKILL");
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Already gone, which is what was wanted.
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}

function childrenOf(pid: number): number[] {
  const threads = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  return threads.flatMap((thread) => {
    const list = readOr(`/proc/${pid}/task/${thread}/children`, "").trim();
    return list === "" ? [] : list.split(" ").map(Number);
  });
}

/** Fields of /proc/PID/stat after the command's name, which may hold anything; state is [0]. */
function statOf(pid: number): string[] {
  const text = readOr(`/proc/${pid}/stat`, "");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Program and arguments. */
export function commandOf(pid: number): string[] {
  return readOr(`/proc/${pid}/cmdline`, "")
    .split("\0")
    .filter((word) => word !== "");
}

/**
 * Nanoseconds on a core so far. The threads' own counters are exact but forget threads that ended (stunnel has one for each
 * session); the process's counter remembers them but counts in hundredths of a second, rounded down. Both are never too high.
 */
export function cpuOf(pid: number): number {
  const stat = statOf(pid);
  const process = ((Number(stat[11]) + Number(stat[12])) / TICKS_PER_SECOND) * 1e9;
  const threads = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  const living = threads.reduce(
    (sum, thread) => sum + Number(readOr(`/proc/${pid}/task/${thread}/schedstat`, "0").split(" ")[0]),
    0,
  );
  return Math.max(process, living);
}

export interface Cpu {
  readonly byProcess: ReadonlyMap<number, number>;
}

export function cpuOfTree(process: PinnedProcess): Cpu {
  return { byProcess: new Map(process.tree().map((pid) => [pid, cpuOf(pid)])) };
}

/** The same of the tree and of all that ended in it, for processes that come and go: in hundredths of a second, rounded down. */
export function cpuOfAll(process: PinnedProcess): number {
  const ticks = process.tree().flatMap((pid) => statOf(pid).slice(11, 15).map(Number));
  return (ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND) * 1e9;
}

/** Microseconds used between two readings; a process that came or went would be left out of the sum, so that is an error. */
export function cpuBetween(name: string, before: Cpu, after: Cpu): number {
  const pids = [...before.byProcess.keys()].join(" ");
  if (pids !== [...after.byProcess.keys()].join(" ")) {
    throw new Error(`${name}: a process of it began or ended while it was measured`);
  }
  let sum = 0;
  for (const [pid, cpu] of after.byProcess) sum += cpu - (before.byProcess.get(pid) ?? 0);
  return sum / 1_000;
}

/** Proportional set size of the whole tree, in KiB: pages shared between processes are counted once. */
export function memoryOfTree(process: PinnedProcess): number {
  return process.tree().reduce((sum, pid) => {
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1];
    if (pss === undefined)
      throw new Error(`${process.name}: the kernel does not say how much memory process ${pid} holds`);
    return sum + Number(pss);
  }, 0);
}
