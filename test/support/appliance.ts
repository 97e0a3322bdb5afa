/**
 * A whole appliance for a test: `niac up` in a directory of its own, on free loopback ports, with a throw-away authority.
 *
 *     const bed = await Appliance.start(t, { site: (bed) => `niac: 1 ...` });
 *     bed.niac("sessions")
 *
 * Everything is stopped and removed when the test ends, by process id.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pki, type Authority, type Credential } from "./pki.ts";

export const APPLIANCE = "box.plant.example";
const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

export interface CommandResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Teardown {
  teardown(finish: () => void | Promise<void>): void;
}

export class Appliance {
  readonly dir: string;
  readonly pki: Pki;
  readonly root: Authority;
  readonly modbusPort: number;
  readonly servicesPort: number;
  readonly environment: Record<string, string>;
  #child: ChildProcess | null = null;
  #log = "";

  private constructor(dir: string, pki: Pki, root: Authority, ports: [number, number], server: Credential) {
    this.dir = dir;
    this.pki = pki;
    this.root = root;
    [this.modbusPort, this.servicesPort] = ports;
    this.environment = {
      NIAC_STATE_DIR: join(dir, "state"),
      NIAC_RUN_DIR: join(dir, "run"),
      NIAC_ORIGIN: "box",
      NIAC_TLS_CERTIFICATE: server.fullChain,
      NIAC_TLS_KEY: server.key,
      NIAC_TLS_CLIENT_CA: root.credential.cert,
      NIAC_LISTEN_MODBUS: `127.0.0.1:${this.modbusPort}`,
      NIAC_LISTEN_SERVICES: `127.0.0.1:${this.servicesPort}`,
    };
  }

  /** Starts it and applies `site`, unless that is null. */
  static async start(
    t: Teardown,
    options: { site: string | null; stateDir?: string; environment?: Record<string, string> },
  ): Promise<Appliance> {
    const dir = mkdtempSync(join(tmpdir(), "niac-test-"));
    const pki = Pki.create();
    t.teardown(() => {
      pki.remove();
      rmSync(dir, { recursive: true, force: true });
    });
    const root = pki.root("Test Plant Root");
    const server = root.server({ dns: [APPLIANCE, `*.${APPLIANCE}`, ...serverNames(options.site ?? "")] });
    const appliance = new Appliance(dir, pki, root, [await freePort(), await freePort()], server);
    if (options.stateDir !== undefined) appliance.environment["NIAC_STATE_DIR"] = options.stateDir;
    Object.assign(appliance.environment, options.environment);
    mkdirSync(join(dir, "run"), { recursive: true });
    t.teardown(() => appliance.stop());
    await appliance.up();
    if (options.site !== null) appliance.apply(options.site);
    return appliance;
  }

  /** Everything the processes logged so far. */
  get log(): string {
    return this.#log;
  }

  async up(): Promise<void> {
    const child = spawn(process.execPath, [MAIN, "up"], {
      env: { ...process.env, ...this.environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
    const seen = this.#log.length;
    await this.until(() => this.#log.slice(seen).includes("gateway is ready"), "the gateway to be ready");
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await gone;
  }

  /** The process id of `control` or `gateway` as last started. */
  pid(name: "control" | "gateway"): number {
    const starts = this.#log.split("\n").flatMap((line) => {
      if (!line.includes(`${name} started`)) return [];
      const pid = /"pid":(\d+),"msg"/.exec(line)?.[1] ?? /"pid":(\d+)[^"]*"msg"/.exec(line)?.[1];
      return pid === undefined ? [] : [Number(pid)];
    });
    const last = starts.at(-1);
    if (last === undefined) throw new Error(`${name} was never started:\n${this.#log}`);
    return last;
  }

  niac(...args: string[]): CommandResult {
    const done = spawnSync(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...this.environment, NO_COLOR: "1" },
      encoding: "utf8",
      timeout: 30_000,
    });
    return { code: done.status, out: done.stdout, err: done.stderr };
  }

  apply(site: string): void {
    const result = this.tryApply(site);
    if (result.code !== 0) throw new Error(`the site document was not applied:\n${result.err}${result.out}`);
  }

  tryApply(site: string): CommandResult {
    const file = join(this.dir, "site.yaml");
    writeFileSync(file, site);
    return this.niac("site", "apply", file);
  }

  /** Records as JSON, oldest first; `words` as for `niac audit query`. */
  records(...words: string[]): Array<Record<string, unknown>> {
    const { out, err, code } = this.niac("audit", "query", "--json", "-n", "10000", ...words);
    if (code !== 0) throw new Error(`niac audit query failed: ${err}`);
    return out
      .split("\n")
      .filter((line) => line !== "")
      .map((line): Record<string, unknown> => JSON.parse(line))
      .reverse();
  }

  /** Waits, for at most `patience` milliseconds, until `condition` holds. */
  async until(condition: () => boolean, what: string, patience = 20_000): Promise<void> {
    const end = Date.now() + patience;
    while (!condition()) {
      if (Date.now() > end) throw new Error(`waited ${patience} ms for ${what}. Log:\n${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  readFile(name: string): string {
    return readFileSync(join(this.dir, name), "utf8");
  }
}

/** A wildcard stands for one label, so each machine's names are listed in the certificate. */
function serverNames(site: string): string[] {
  const machines = [...site.matchAll(/^ {2}([a-z0-9-]+):/gm)].map((match) => match[1] ?? "");
  return machines.map((machine) => `*.${machine}.${APPLIANCE}`);
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === "object") resolve(address.port);
        else reject(new Error("no port was given"));
      });
    });
  });
}
