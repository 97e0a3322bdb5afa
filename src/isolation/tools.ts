/** The system's own tools, run with a fixed path and environment: netd rules the network, and takes neither from whoever started it. */
import { spawn } from "node:child_process";
import { messageOf, UnavailableError } from "../base/index.ts";

export type Tool = "nft" | "ip" | "conntrack";

const ENVIRONMENT = Object.freeze({ PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" });
/** Milliseconds; ten thousand rules take one or two seconds on a small board. */
const PATIENCE = 60_000;
const MOST_OUTPUT = 64 * 1024 * 1024;
const MOST_COMPLAINT = 600;

/** Runs a tool with `input` as its standard input and gives its output. Rejects with an UnavailableError that holds its complaint. */
export function run(tool: Tool, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool, args, { env: ENVIRONMENT, timeout: PATIENCE, stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    let length = 0;
    let complaint = "";
    child.stdout.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > MOST_OUTPUT) child.kill("SIGKILL");
      else out.push(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      if (complaint.length < MOST_COMPLAINT) complaint = (complaint + chunk).slice(0, MOST_COMPLAINT);
    });
    // A tool that ends before it has read everything says why on its standard error.
    child.stdin.on("error", () => undefined);
    child.once("error", (error) => reject(failure(tool, messageOf(error))));
    child.once("close", (code, signal) => {
      if (code === 0) resolve(Buffer.concat(out).toString("utf8"));
      else reject(failure(tool, complaint.trim() || `it ended with ${signal ?? `exit code ${code}`}`));
    });
    child.stdin.end(input);
  });
}

function failure(tool: Tool, complaint: string): UnavailableError {
  const missing = complaint.includes("ENOENT");
  const packages = { nft: "nftables", ip: "iproute2", conntrack: "conntrack" } as const;
  return new UnavailableError(
    missing ? "tool-missing" : "tool-failed",
    missing ? `${tool} is not installed` : `${tool}: ${complaint.replaceAll(/\s*\n\s*/g, "; ")}`,
    missing ? `Install the package ${packages[tool]}.` : undefined,
  );
}
