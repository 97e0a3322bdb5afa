/** A process of the runner's, watched to its end; a signal to the runner reaches it. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

const running = new Set<ChildProcess>();

/** Its exit code; null where a signal ended it. `line`: takes its standard output by lines; left out: it goes to the terminal. */
export function runProcess(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  line?: (text: string) => void,
): Promise<number | null> {
  const child = spawn(command, args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", line === undefined ? "inherit" : "pipe", "inherit"],
  });
  running.add(child);
  const read =
    line === undefined || child.stdout === null
      ? Promise.resolve()
      : (async (output) => {
          for await (const text of createInterface({ input: output })) line(text);
        })(child.stdout);
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      running.delete(child);
      reject(error);
    });
    child.once("close", (code) => {
      running.delete(child);
      void read.then(() => resolve(code), reject);
    });
  });
}

/** Ends what runs and then the runner, as who typed Ctrl-C expects. */
export function endOnSignals(): void {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)
    process.once(signal, () => {
      for (const child of running) child.kill("SIGTERM");
      process.exit(code);
    });
}
