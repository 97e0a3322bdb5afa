/** The laptop's commands' way to the person and the computer they run on. */
import { spawn } from "node:child_process";
import { homedir, hostname } from "node:os";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { LaptopSurroundings } from "./surroundings.ts";

/** `main`: URL of the program's file. */
export function thisComputer(
  lookup: LaptopSurroundings["lookup"],
  environment: LaptopSurroundings["environment"],
  main: string,
): LaptopSurroundings {
  const { stdout, stderr, stdin, platform } = process;
  const size = (): { columns: number; rows: number } => ({ columns: stdout.columns, rows: stdout.rows });
  return {
    lookup,
    environment,
    platform,
    home: homedir(),
    hostname: hostname(),
    program: [process.execPath, fileURLToPath(main)],
    print: (line) => stdout.write(`${line}\n`),
    complain: (line) => stderr.write(`${line}\n`),
    screen: stdout.isTTY ? { write: (text) => stdout.write(text), size } : null,
    interrupted: () =>
      new Promise((resolve) => {
        for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
      }),
    ask: (question, secret) => (stdin.isTTY ? asked(question, secret) : Promise.resolve(null)),
    browse: (url) => browse(url, platform),
  };
}

/** Asked on standard error: what standard output is piped into sees no question. Null where the person ends the input. */
function asked(question: string, secret: boolean): Promise<string | null> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: process.stdin,
    output: secret ? silent : process.stderr,
    terminal: true,
    prompt: question,
  });
  // After the terminal's own echo is off: who answers in the same moment must not see a secret either.
  if (secret) process.stderr.write(question);
  else lines.prompt();
  return new Promise((resolve) => {
    const settle = (answer: string | null): void => {
      // Closing it is told too, and is not the person's end of the input.
      lines.removeAllListeners("close").close();
      if (secret || answer === null) process.stderr.write("\n");
      resolve(answer);
    };
    lines.once("line", settle);
    lines.once("SIGINT", () => settle(null));
    lines.once("close", () => settle(null));
  });
}

/** The URL was printed as well: a computer without a browser loses nothing. */
function browse(url: string, platform: string): void {
  // Windows' rundll32 takes the address as it is, where cmd's `start` would read `&` as its own.
  const [command = "", ...args] =
    platform === "win32"
      ? ["rundll32", "url.dll,FileProtocolHandler", url]
      : [platform === "darwin" ? "open" : "xdg-open", url];
  const child = spawn(command, args, { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
