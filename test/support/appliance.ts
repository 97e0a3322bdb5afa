/**
 * A whole appliance for a test: `niac up` in a directory of its own, on free loopback ports, with a throw-away authority.
 *
 *     const bed = await Appliance.start(t, { site: pressSite(machine.port) });
 *     await bed.niac("sessions")
 *
 * Everything is stopped and removed when the test ends, by process id.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRecord, type AuditRecord } from "../../src/audit/index.ts";
import { NiacError, type Call } from "../../src/base/index.ts";
import { ADMIN_SOCKET, auditQuery, dial, sessionsList, siteApply } from "../../src/link/index.ts";
import { Pki, type Authority, type Credential } from "./pki.ts";
import { freePort } from "./ports.ts";
import { end, until, type Teardown } from "./processes.ts";
import { PROGRAM } from "./program.ts";

export const APPLIANCE = "box.plant.example";
/** Milliseconds a command may take. */
const PATIENCE = 60_000;
const MOST_RECORDS = 10_000;

export interface CommandResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** What `niac` runs as a process that stays. */
export type Part = "up" | "control" | "gateway" | "netd";

export interface ApplianceOptions {
  /** Applied once it runs; null: none. */
  readonly site: string | null;
  /** Processes to start; default `up` alone, which starts the others. */
  readonly parts?: readonly Part[];
  readonly stateDir?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Network namespace that it and its commands run in. */
  readonly namespace?: string;
  /** Runs it, and its commands, as this user and group; its files are then that user's. Takes root. */
  readonly user?: number;
  /** Words before a part's own that start it: with other rights, or with sockets handed on. Takes root. */
  readonly through?: Readonly<Partial<Record<Part, readonly string[]>>>;
  /** niac's program; default: this tree's. */
  readonly main?: string;
  /** Names of machines and addresses for the server's certificate, beside those of the site document. */
  readonly serverAddresses?: readonly string[];
}

export class Appliance {
  readonly dir: string;
  readonly pki: Pki;
  readonly root: Authority;
  readonly modbusPort: number;
  readonly servicesPort: number;
  readonly environment: Record<string, string>;
  readonly #children = new Map<Part, ChildProcess>();
  readonly #namespace: string | null;
  readonly #main: string;
  readonly #through: NonNullable<ApplianceOptions["through"]>;
  readonly #as: { readonly uid?: number; readonly gid?: number };
  #log = "";

  private constructor(
    dir: string,
    pki: Pki,
    root: Authority,
    ports: [number, number],
    server: Credential,
    { namespace, main, user, through }: ApplianceOptions,
  ) {
    this.#namespace = namespace ?? null;
    this.#main = main ?? PROGRAM;
    this.#through = through ?? {};
    this.#as = user === undefined ? {} : { uid: user, gid: user };
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

  /** Starts it and applies `site`. */
  static async start(t: Teardown, options: ApplianceOptions): Promise<Appliance> {
    const appliance = await Appliance.prepare(t, options);
    for (const part of options.parts ?? ["up"]) await appliance.run(part);
    if (options.site !== null) await appliance.apply(options.site);
    return appliance;
  }

  /** Directories, ports and certificates, and nothing started yet. */
  static async prepare(t: Teardown, options: ApplianceOptions): Promise<Appliance> {
    const dir = mkdtempSync(join(tmpdir(), "niac-test-"));
    const pki = Pki.create();
    t.teardown(() => {
      pki.remove();
      rmSync(dir, { recursive: true, force: true });
    });
    const root = pki.root("Test Plant Root");
    const server = root.server({
      dns: [APPLIANCE, `*.${APPLIANCE}`, ...serverNames(options.site ?? "")],
      ip: options.serverAddresses ?? [],
      // It is a client itself where it wraps what machines send.
      eku: "serverAuth,clientAuth",
    });
    const ports: [number, number] = [await freePort(), await freePort()];
    const appliance = new Appliance(dir, pki, root, ports, server, options);
    if (options.stateDir !== undefined) appliance.environment["NIAC_STATE_DIR"] = options.stateDir;
    Object.assign(appliance.environment, options.environment);
    mkdirSync(join(dir, "run"), { recursive: true });
    if (options.user !== undefined)
      execFileSync("chown", ["-R", `${options.user}:${options.user}`, dir, pki.dir]);
    t.teardown(() => appliance.stop());
    return appliance;
  }

  /** Everything the processes logged so far. */
  get log(): string {
    return this.#log;
  }

  /** Starts a part and waits until it is ready. */
  async run(part: Part): Promise<void> {
    const ready = part === "up" ? "gateway is ready" : `${part} is ready`;
    const seen = this.#log.length;
    this.launch(part);
    await this.logged(ready, seen);
  }

  /** Starts a part and does not wait. */
  launch(part: Part): ChildProcess {
    const child = spawn(...this.#command([part], this.#through[part]), {
      ...this.#as,
      env: { ...process.env, ...this.environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#children.set(part, child);
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
    return child;
  }

  /** Ends a part that run() started and waits until it is gone; the exit code, or null where a signal ended it. */
  async end(part: Part, signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const child = this.#children.get(part);
    if (!child) return null;
    this.#children.delete(part);
    await end(child, signal);
    return child.exitCode;
  }

  async stop(): Promise<void> {
    // Who writes records before who stores them.
    for (const part of ["up", "gateway", "netd", "control"] as const) await this.end(part);
  }

  #command(args: readonly string[], through: readonly string[] = []): [string, string[]] {
    const [first = process.execPath, ...words] = [...through, process.execPath, this.#main, ...args];
    if (this.#namespace === null) return [first, words];
    return ["/usr/sbin/ip", ["netns", "exec", this.#namespace, first, ...words]];
  }

  /** The gateway has found control; "not attached to control" is another message. */
  attached(from = 0): Promise<void> {
    return this.logged('"msg":"attached to control"', from);
  }

  /** Waits until the log says `text`, looking from a length of it on. */
  logged(text: string, from = 0): Promise<void> {
    return this.until(() => this.#log.slice(from).includes(text), `the log to say "${text}"`);
  }

  /** The process id of `control` or `gateway` as `niac up` last started it. */
  pid(name: "control" | "gateway" | "netd"): number {
    const last = this.#log
      .split("\n")
      .filter((line) => line.includes(`"msg":"${name} started"`))
      .map((line) => Number(/"child":(\d+),"msg"/.exec(line)?.[1]))
      .at(-1);
    if (last === undefined || Number.isNaN(last)) throw new Error(`${name} was never started:\n${this.#log}`);
    return last;
  }

  niac(...args: string[]): Promise<CommandResult> {
    const child = spawn(...this.#command(args), {
      ...this.#as,
      env: { ...process.env, ...this.environment, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PATIENCE,
    });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
  }

  /** Puts a site document in force. Asks control itself, as for `records`; `tryApply` is the command. */
  async apply(site: string): Promise<void> {
    const asked = { text: site, fileName: "site.yaml", by: "test", note: "", first: false };
    const { applied, report } = await this.ask(siteApply, asked);
    if (applied === null) throw new Error(`the site document was not applied:\n${report.join("\n")}`);
    // control tells the gateway and does not wait for it: what it is asked after that, it answers after that.
    await this.ask(sessionsList, null).catch((error: unknown) => {
      if (!(error instanceof NiacError && error.code === "gateway-away")) throw error;
    });
  }

  /** Asks control, as a command does. */
  async ask<Params, Result>(call: Call<Params, Result>, params: Params): Promise<Result> {
    const channel = await dial(join(this.environment["NIAC_RUN_DIR"] ?? "", ADMIN_SOCKET), "test");
    try {
      return await channel.call(call, params);
    } finally {
      channel.close();
    }
  }

  /** `niac site apply`, as a person types it. */
  tryApply(site: string): Promise<CommandResult> {
    return this.niac("site", "apply", this.write("site.yaml", site));
  }

  /** A file in the test's directory; returns its path. */
  write(name: string, text: string): string {
    const path = join(this.dir, name);
    writeFileSync(path, text);
    return path;
  }

  /**
   * Records, oldest first; `words` as for `niac audit query`. Asks control itself: a process for each look would take half a second.
   */
  async records(...words: string[]): Promise<AuditRecord[]> {
    const newestFirst = await this.ask(auditQuery, { words, limit: MOST_RECORDS, before: null });
    return newestFirst.map((record) => parseRecord(JSON.stringify(record))).toReversed();
  }

  /** The records that match, as soon as there are `count` of them. */
  async recorded(count: number, ...words: string[]): Promise<AuditRecord[]> {
    let found: AuditRecord[] = [];
    const enough = async (): Promise<boolean> => (found = await this.records(...words)).length >= count;
    await this.until(enough, `${count} records of ${words.join(" ")}`);
    return found;
  }

  /** Waits until `condition` holds; the log is shown where it never does. */
  async until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    try {
      await until(condition, what);
    } catch (error) {
      throw new Error(`${String(error)}. Log:\n${this.#log}`, { cause: error });
    }
  }
}

/** A wildcard stands for one label, so each machine's names are listed in the certificate. */
function serverNames(site: string): string[] {
  const machines = ["press-4", ...[...site.matchAll(/^ {2}([a-z0-9-]+):/gm)].map((match) => match[1] ?? "")];
  return [...new Set(machines)].map((machine) => `*.${machine}.${APPLIANCE}`);
}
