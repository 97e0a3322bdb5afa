/** scripts/demo as a person runs it, in a temporary directory of its own. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const DEMO = fileURLToPath(new URL("../../scripts/demo", import.meta.url));

export interface Demo {
  readonly text: () => string;
  /** Resolves when this is in what was printed; rejects where the demo ends before. */
  printed(text: string): Promise<void>;
  /** As Ctrl-C at a terminal: to the script and all it started. */
  interrupt(): void;
  /** As kill -9: to the script alone. */
  kill(): void;
  /** Its exit code, when all that it started has closed its output too. */
  readonly ended: Promise<number | null>;
}

export function demo(temporary: string, args: readonly string[]): Demo {
  const child = spawn(DEMO, args, {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let text = "";
  const looks = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      for (const look of looks) look();
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  const printed = (wanted: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (text.includes(wanted)) resolve();
      };
      looks.add(look);
      look();
      void ended.then((code) => reject(new Error(`the demo ended with ${code}:\n${text}`)));
    });
  const interrupt = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, "SIGINT");
  };
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  return { text: () => text, printed, interrupt, kill, ended };
}
