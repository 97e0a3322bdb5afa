import { spawn, type ChildProcess } from "node:child_process";

/** Milliseconds: the pause before a restart after a crash doubles from the first to the longest, and begins anew after a calm. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;
const CALM = 30_000;
/** Of a process to stop, in milliseconds. */
const PATIENCE = 8_000;

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The user it runs as; left out: this process's own. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Descriptors it inherits, as 3, 4, ... */
  readonly descriptors?: readonly number[];
  /** Its whole environment; left out: this process's own. */
  readonly environment?: Readonly<NodeJS.ProcessEnv>;
}

export interface SupervisorEvents {
  started(name: string, pid: number): void;
  /** It ended without being asked to; it is started again after `pause` milliseconds. */
  crashed(name: string, how: string, pause: number): void;
}

interface Running {
  readonly spec: ProcessSpec;
  child: ChildProcess | null;
  startedAt: number;
  pause: number;
  timer: NodeJS.Timeout | null;
}

/**
 * Starts processes in the given order and stops them in the opposite one, so that who writes records ends before who stores
 * them. Each child's standard input is a pipe from here: where this process dies, the child sees its end and stops too.
 */
export class Supervisor {
  readonly #running: Running[];
  readonly #events: SupervisorEvents;
  readonly #patience: number;
  #stopping = false;

  /** `patience`: milliseconds a process may take to stop before it is killed. */
  constructor(specs: readonly ProcessSpec[], events: SupervisorEvents, patience = PATIENCE) {
    this.#patience = patience;
    this.#running = specs.map((spec) => ({
      spec,
      child: null,
      startedAt: 0,
      pause: FIRST_PAUSE,
      timer: null,
    }));
    this.#events = events;
  }

  start(): void {
    for (const running of this.#running) this.#spawn(running);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const running of this.#running.toReversed()) {
      if (running.timer) clearTimeout(running.timer);
      if (running.child) await ended(running.child, this.#patience);
    }
  }

  #spawn(running: Running): void {
    running.timer = null;
    const { spec } = running;
    // Of its own group, so that Ctrl-C reaches this process alone and the order of stopping is kept.
    const child = spawn(spec.command, spec.args, {
      stdio: ["pipe", "inherit", "inherit", ...(spec.descriptors ?? [])],
      ...(spec.environment ? { env: spec.environment } : {}),
      detached: true,
      ...spec.user,
    });
    running.child = child;
    running.startedAt = performance.now();
    child.once("spawn", () => this.#events.started(spec.name, child.pid ?? 0));
    child.once("error", (error) => this.#gone(running, child, error.message));
    child.once("exit", (code, signal) => this.#gone(running, child, signal ?? `exit code ${code}`));
  }

  #gone(running: Running, child: ChildProcess, how: string): void {
    if (running.child !== child) return;
    running.child = null;
    if (this.#stopping) return;
    if (performance.now() - running.startedAt > CALM) running.pause = FIRST_PAUSE;
    this.#events.crashed(running.spec.name, how, running.pause);
    running.timer = setTimeout(() => this.#spawn(running), running.pause);
    running.pause = Math.min(running.pause * 2, LONGEST_PAUSE);
  }
}

function ended(child: ChildProcess, patience: number): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    const hard = setTimeout(() => child.kill("SIGKILL"), patience);
    child.once("exit", () => {
      clearTimeout(hard);
      resolve();
    });
    child.kill("SIGTERM");
  });
}
