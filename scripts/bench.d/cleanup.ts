/** What must not be left behind, however the bench ends: processes and temporary files. */
export class Cleanup {
  readonly #steps: (() => void)[] = [];

  /** Runs the steps when the process exits, and makes signals and the deadline (seconds) exit it. */
  static install(seconds: number): Cleanup {
    const cleanup = new Cleanup();
    process.once("exit", () => cleanup.run());
    for (const [signal, status] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ] as const) {
      process.once(signal, () => process.exit(status));
    }
    setTimeout(() => {
      console.error(`bench: not done after ${seconds} s, which is the limit; nothing is reported`);
      process.exit(1);
    }, seconds * 1_000).unref();
    return cleanup;
  }

  /** A step must be quick and synchronous; the last one added is the first one run. */
  add(step: () => void): void {
    this.#steps.push(step);
  }

  /** Runs the steps now, each once. */
  run(): void {
    for (const step of this.#steps.splice(0).toReversed()) {
      try {
        step();
      } catch (error) {
        console.error(`bench: while cleaning up: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}
