/** A TPM 2.0 in software (swtpm), as a process of its own. Its state outlives it, as a chip's outlives the current. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { end, until, type Teardown } from "./processes.ts";

export class SoftwareTpm {
  /** How tpm2-tools and NIAC_TPM reach it. */
  readonly tcti: string;
  /** Its socket. */
  readonly path: string;
  /** Of its state. */
  readonly directory: string;
  #child: ChildProcess | null = null;

  private constructor(directory: string) {
    this.directory = directory;
    this.path = join(directory, "tpm");
    this.tcti = `swtpm:path=${this.path}`;
  }

  /** A new one, with seeds of its own, or another's again (`from`: its directory); switched on, and gone when the test ends. */
  static async start(t: Teardown, from?: string): Promise<SoftwareTpm> {
    const directory = mkdtempSync(join(tmpdir(), "niac-swtpm-"));
    const isState = (path: string): boolean => path === from || path.endsWith(".permall");
    if (from !== undefined) cpSync(from, directory, { recursive: true, filter: isState });
    const tpm = new SoftwareTpm(directory);
    t.teardown(async () => {
      await tpm.off();
      rmSync(directory, { recursive: true, force: true });
    });
    await tpm.on();
    return tpm;
  }

  async on(): Promise<void> {
    const { path } = this;
    const sockets = [`--server=type=unixio,path=${path}`, `--ctrl=type=unixio,path=${path}.ctrl`];
    const state = ["--tpm2", `--tpmstate=dir=${this.directory}`, "--flags=not-need-init,startup-clear"];
    const child = spawn("swtpm", ["socket", ...state, ...sockets], { stdio: "ignore" });
    this.#child = child;
    await until(() => {
      if (child.exitCode !== null) throw new Error(`swtpm ended with ${child.exitCode}`);
      return this.tool("getcap", "properties-fixed").status === 0;
    }, "swtpm to answer");
  }

  /** Takes its current away: what was loaded in it is gone. */
  async off(): Promise<void> {
    if (this.#child) await end(this.#child);
    this.#child = null;
  }

  /** One of tpm2-tools on it. */
  tool(name: string, ...args: string[]): { readonly status: number | null; readonly out: string } {
    const run = spawnSync("tpm2", [name, `--tcti=${this.tcti}`, ...args], {
      encoding: "utf8",
      timeout: 30_000,
    });
    return { status: run.status, out: run.stdout };
  }
}
