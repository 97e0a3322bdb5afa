/** tpm2-tools, run by a fixed path with a fixed environment. Nothing secret is ever an argument: it goes by standard input and output. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { messageOf, UnavailableError } from "../base/index.ts";

/** One program that does all of it; the tools' own names are links to it. */
const TPM2 = "/usr/bin/tpm2";
const ENVIRONMENT = Object.freeze({ PATH: "/usr/bin:/bin", LC_ALL: "C" });
/** Milliseconds; a slow TPM makes a key in one or two seconds. */
const PATIENCE = 60_000;
const MOST_OUTPUT = 65_536;
const MOST_COMPLAINT = 4_096;

export type TpmTool = "createprimary" | "create" | "load" | "unseal" | "readpublic" | "flushcontext";

/** The kernel's TPM with its resource manager. */
export const TPM_DEVICE = "/dev/tpmrm0";

/** What of it this computer has. */
export function tpmThere(): { readonly device: boolean; readonly tools: boolean } {
  return { device: existsSync(TPM_DEVICE), tools: existsSync(TPM2) };
}

/**
 * Runs one tool in a directory and gives what it printed. `tcti`: how the TPM is reached, tpm2-tools' `--tcti`. Rejects with an
 * UnavailableError that holds the tool's complaint.
 */
export function runTpm(
  tcti: string,
  directory: string,
  tool: TpmTool,
  args: readonly string[],
  input: Uint8Array = Buffer.alloc(0),
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(TPM2, [tool, `--tcti=${tcti}`, ...args], {
      cwd: directory,
      env: ENVIRONMENT,
      timeout: PATIENCE,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const out: Buffer[] = [];
    let length = 0;
    let complaint = "";
    child.stdout.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > MOST_OUTPUT) child.kill("SIGKILL");
      out.push(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      complaint = (complaint + chunk).slice(-MOST_COMPLAINT);
    });
    // A tool that ends before it has read everything says why on its standard error.
    child.stdin.on("error", () => undefined);
    child.once("error", (error) => reject(failure(tcti, tool, messageOf(error))));
    child.once("close", (code, signal) => {
      const whole = Buffer.concat(out);
      for (const chunk of out) chunk.fill(0);
      if (code === 0) resolve(whole);
      else reject(failure(tcti, tool, said(complaint) || (signal ?? `exit code ${code}`)));
    });
    child.stdin.end(input);
  });
}

/** Of tpm2-tools' many lines the one with the reason. */
export function said(complaint: string): string {
  const lines = complaint.split("\n").map((line) => line.trim());
  const errors = lines.filter((line) => line.startsWith("ERROR") && !line.includes("Unable to run"));
  const own = errors.findLast((line) => line.startsWith("ERROR: ")) ?? errors.at(-1) ?? lines.find(Boolean);
  return (own ?? "").replace(/^ERROR:\s*/, "").slice(0, 300);
}

function failure(tcti: string, tool: TpmTool, complaint: string): UnavailableError {
  if (complaint.includes("ENOENT")) {
    return new UnavailableError(
      "tpm-tools-missing",
      `the TPM cannot be used: ${TPM2} is not installed`,
      "Install the packages tpm2-tools and libtss2-tcti-device0.",
    );
  }
  return new UnavailableError(
    "tpm",
    `the TPM at ${tcti} did not do what it was asked (${tool}): ${complaint}`,
    "See that the TPM is switched on in the firmware, that this user may open its device (group tss), and that NIAC_TPM names it.",
  );
}
