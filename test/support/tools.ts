/** The tools of others that the tests are made with: mbpoll, stunnel, pymodbus, openssl. Each is skipped with its reason where missing. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { globSync } from "node:fs";
import { connect } from "node:net";
import test, { type ExecutionContext } from "ava";
import { APPLIANCE, type Appliance } from "./appliance.ts";
import { freePort } from "./ports.ts";
import type { Credential } from "./pki.ts";
import { end, until, type Teardown } from "./processes.ts";

const PYTHON = "/usr/bin/python3";

function has(tool: string): boolean {
  if (tool === "pymodbus") return spawnSync(PYTHON, ["-c", "import pymodbus.server"]).status === 0;
  if (tool === "scapy") return spawnSync(PYTHON, ["-c", "import scapy"]).status === 0;
  if (tool === "libengine-pkcs11-openssl") return globSync("/usr/lib/*/engines-3/pkcs11.so").length > 0;
  if (tool === "root") return process.getuid?.() === 0;
  return spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0;
}

/** Ava's test, or its skip with the reason in the title. */
export function testWith(
  ...tools: string[]
): (title: string, implementation: (t: ExecutionContext) => Promise<void>) => void {
  const missing = tools.filter((tool) => !has(tool));
  return (title, implementation) => {
    if (missing.length === 0) test(title, implementation);
    else test.skip(`${title} (missing here: ${missing.join(", ")})`, implementation);
  };
}

/** pymodbus' server; `requests` is what reached it, see pymodbus_machine.py. */
export class PymodbusMachine {
  /** Of Modbus TCP; 0 on a serial line. */
  readonly port: number;
  readonly child: ChildProcess;
  /** "read ..." and "write ..." lines as they were printed; a line may come after the answer it belongs to, see heard(). */
  readonly requests: string[] = [];
  /** Connections that were made to it. */
  connections = 0;
  #closed = 0;
  #marks = 0;
  #ready = false;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.child = child;
  }

  /** On a port of its own, or the one given (a machine that comes back), or at a serial line's device. */
  static async start(t: Teardown, at?: number | string): Promise<PymodbusMachine> {
    const where = at ?? (await freePort());
    const script = new URL("pymodbus_machine.py", import.meta.url).pathname;
    const child = spawn(PYTHON, [script, String(where)], { stdio: ["ignore", "pipe", "ignore"] });
    t.teardown(() => end(child, "SIGKILL"));
    const machine = new PymodbusMachine(typeof where === "number" ? where : 0, child);
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) machine.#said(line);
    });
    await until(() => machine.#ready, "pymodbus to be ready");
    if (typeof where === "number") {
      await accepting(where);
      await until(() => machine.#closed === 1, "pymodbus to forget who asked whether it was there");
      machine.connections = 0;
    }
    return machine;
  }

  /** Everything that reached the machine until now, read to its end. */
  async heard(): Promise<readonly string[]> {
    const before = this.#marks;
    this.child.kill("SIGUSR1");
    await until(() => this.#marks > before, "the machine to say what it heard");
    return this.requests;
  }

  /** What was written to holding registers until now, in order. */
  async written(): Promise<Array<{ address: number; values: number[] }>> {
    return (await this.heard()).flatMap((line) => {
      const match = /^write holdingRegisters (\d+) \[(.*)\]$/.exec(line);
      return match ? [{ address: Number(match[1]), values: (match[2] ?? "").split(", ").map(Number) }] : [];
    });
  }

  #said(line: string): void {
    if (line === "ready") this.#ready = true;
    else if (line === "mark") this.#marks++;
    else if (line === "connected") this.connections++;
    else if (line === "disconnected") this.#closed++;
    else this.requests.push(line);
  }
}

/** What a client asks the appliance for. */
export interface StunnelOptions {
  readonly credential: Credential;
  /** By SNI, without the appliance's name; default `modbus.press-4`. */
  readonly service?: string;
  /** Where to connect to; default: the Modbus listener. */
  readonly to?: number;
  /** More lines of its configuration. */
  readonly lines?: readonly string[];
}

/** stunnel as a client: what connects to the returned port arrives at the appliance with the certificate. */
export async function stunnel(t: Teardown, bed: Appliance, options: StunnelOptions): Promise<number> {
  const { credential, service = "modbus.press-4", to = bed.modbusPort, lines = [] } = options;
  const port = await freePort();
  const name = `${service}.${APPLIANCE}`;
  const text = [
    "foreground = yes",
    "debug = info",
    "pid =",
    "[machine]",
    "client = yes",
    `accept = 127.0.0.1:${port}`,
    `connect = 127.0.0.1:${to}`,
    `cert = ${credential.chain}`,
    `key = ${credential.key}`,
    `CAfile = ${bed.root.credential.cert}`,
    "verifyChain = yes",
    `checkHost = ${name}`,
    `sni = ${name}`,
    "sslVersionMin = TLSv1.3",
    ...lines,
    "",
  ].join("\n");
  const file = bed.write(`stunnel-${port}.conf`, text);
  const child = spawn("stunnel4", [file], { stdio: ["ignore", "ignore", "pipe"] });
  t.teardown(() => end(child));
  // Its log says when it listens: to try its port would open a session at the appliance.
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (line: string) => (said += line));
  await until(() => said.includes(`bound to 127.0.0.1:${port}`), "stunnel to listen");
  return port;
}

export interface Polled {
  readonly code: number | null;
  readonly out: string;
  /** The values read, in order. */
  readonly values: number[];
}

/** One poll or write with mbpoll; addresses count from 0. `type`: mbpoll's -t, 4 holding, 3 input, 0 coil, 1 discrete. */
export function mbpoll(
  port: number,
  options: { address: number; count?: number; type?: number; unit?: number; write?: number[] },
): Promise<Polled> {
  const { address, count = 1, type = 4, unit = 1, write } = options;
  const args = [
    "-m",
    "tcp",
    "-p",
    String(port),
    "-a",
    String(unit),
    "-t",
    String(type),
    "-0",
    "-r",
    String(address),
    "-o",
    "10",
  ];
  if (!write) args.push("-c", String(count), "-1");
  args.push("127.0.0.1", ...(write ?? []).map(String));
  const child = spawn("mbpoll", args, { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (out += text));
  return new Promise((resolve) => {
    child.once("close", (code) => {
      const values = [...out.matchAll(/^\[\d+\]:\s+(\d+)/gm)].map((match) => Number(match[1]));
      resolve({ code, out, values });
    });
  });
}

/** Waits until something accepts connections on the loopback port. */
export async function accepting(port: number): Promise<void> {
  const limit = Date.now() + 45_000;
  while (!(await answers(port))) {
    if (Date.now() > limit) throw new Error(`nothing listens on 127.0.0.1:${port}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
