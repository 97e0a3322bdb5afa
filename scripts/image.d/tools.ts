/** The system's own tools, by a fixed path: node_modules/.bin has other programs of the same names. */
import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { createHash } from "node:crypto";

export const SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
const MOST_COMPLAINT = 4_000;

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<NodeJS.ProcessEnv>;
}

/** Runs a tool to its end and gives its standard output. Rejects with what it complained of. */
export function run(tool: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool, args, {
      env: { PATH: SYSTEM_PATH, LC_ALL: "C.UTF-8", HOME: "/nonexistent", ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdio: ["pipe", "pipe", "pipe"],
    });
    const out: Buffer[] = [];
    let complaint = "";
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      complaint = (complaint + chunk).slice(-MOST_COMPLAINT);
    });
    // A tool that ends before it has read everything says why on its standard error.
    child.stdin.on("error", () => undefined);
    child.once("error", (error) => reject(new Error(`${tool} cannot be run: ${error.message}`)));
    child.once("close", (code, signal) => {
      if (code === 0) resolve(Buffer.concat(out).toString("utf8"));
      else
        reject(
          new Error(`${tool} ${args[0] ?? ""}: ${complaint.trim() || `it ended with ${signal ?? code}`}`),
        );
    });
    child.stdin.end(options.input ?? "");
  });
}

/** SHA-256 of a file, hexadecimal. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

export function textHash(...parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest("hex");
}
