/**
 * An EST server that is not niac's (est_server.py: Python's TLS, OpenSSL's `ca`), with faults on demand. Ended by process id when the
 * test ends.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { end, until, type Teardown } from "./processes.ts";

const PROGRAM = new URL("est_server.py", import.meta.url).pathname;

const sayingSchema = z.union([
  z.strictObject({ port: z.int() }),
  z.strictObject({ asked: z.string(), status: z.int() }),
  z.strictObject({ done: z.unknown() }),
  z.strictObject({ error: z.string() }),
]);
type Saying = z.infer<typeof sayingSchema>;

export interface EstServerOptions {
  readonly label?: string;
  /** Seconds that its certificates live. */
  readonly life?: number;
  /** The code may be used again. */
  readonly reuse?: boolean;
  readonly port?: number;
  /** Alternative names of its own certificate, as OpenSSL writes them; default: localhost and 127.0.0.1 are among them. */
  readonly names?: string;
  /** Its authority's directory, kept where given. */
  readonly dir?: string;
}

export class EstServer {
  readonly user = "box";
  readonly code = "one-time-code-of-the-site";
  readonly dir: string;
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #said: Saying[];

  private constructor(dir: string, port: number, child: ChildProcess, said: Saying[]) {
    this.dir = dir;
    this.port = port;
    this.#child = child;
    this.#said = said;
  }

  static async start(t: Teardown, options: EstServerOptions = {}): Promise<EstServer> {
    const dir = options.dir ?? mkdtempSync(join(tmpdir(), "niac-est-"));
    if (options.dir === undefined) t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    const { label, life, reuse, port, names } = options;
    const args = [PROGRAM, dir, "--user", "box", "--code", "one-time-code-of-the-site"];
    if (label !== undefined) args.push("--label", label);
    if (life !== undefined) args.push("--life", String(life));
    if (port !== undefined) args.push("--port", String(port));
    if (names !== undefined) args.push("--names", names);
    if (reuse === true) args.push("--reuse");
    const child = spawn("/usr/bin/python3", args, { stdio: ["pipe", "pipe", "inherit"] });
    t.teardown(() => end(child));
    const said: Saying[] = [];
    createInterface(child.stdout).on("line", (line) => said.push(sayingSchema.parse(JSON.parse(line))));
    const first = (): number | undefined => said.flatMap((one) => ("port" in one ? [one.port] : []))[0];
    await until(() => first() !== undefined, "the EST server to listen");
    return new EstServer(dir, first() ?? 0, child, said);
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** PEM. */
  get root(): string {
    return readFileSync(join(this.dir, "root.pem"), "utf8");
  }

  /** Paths that were asked for since the start, with the answer's status. */
  async asked(): Promise<string[]> {
    // What was said before the answer to an order has been read with it.
    await this.order({});
    return this.#said.flatMap((one) =>
      "asked" in one ? [`${one.asked.split("/").at(-1)} ${one.status}`] : [],
    );
  }

  /** How the next requests are answered; see est_server.py. */
  async order(order: { fault?: string | null; wait?: number; revoke?: string }): Promise<void> {
    const done = (): number => this.#said.filter((one) => "done" in one).length;
    const before = done();
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    await until(() => done() > before, "the EST server to take an order");
  }

  async stop(): Promise<void> {
    await end(this.#child);
  }
}
