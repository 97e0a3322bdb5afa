/** A tool that runs as long as netd does: started again where it ends, and heard line by line. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { messageOf } from "../base/index.ts";

const ENVIRONMENT = Object.freeze({ PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" });
/** Milliseconds before it is started again; doubles up to the longest. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;

export interface ChildEvents {
  line(line: string): void;
  /** It ended without being asked to; it is started again. */
  ended(why: string): void;
}

export class Child {
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #events: ChildEvents;
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #pause = FIRST_PAUSE;
  #stopped = false;

  constructor(command: string, args: readonly string[], events: ChildEvents) {
    this.#command = command;
    this.#args = args;
    this.#events = events;
    this.#start();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#child?.kill("SIGTERM");
  }

  #start(): void {
    const child = spawn(this.#command, this.#args, { env: ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    let complaint = "";
    createInterface({ input: child.stdout }).on("line", (line) => this.#events.line(line));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-300);
    });
    child.once("error", (error) => this.#ended(child, messageOf(error)));
    child.once("close", (code, signal) =>
      this.#ended(child, complaint.trim() || (signal ?? `exit code ${code}`)),
    );
  }

  #ended(child: ChildProcess, why: string): void {
    if (this.#child !== child || this.#stopped) return;
    this.#child = null;
    this.#events.ended(`${this.#command} ended: ${why}`);
    this.#timer = setTimeout(() => this.#start(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }
}
