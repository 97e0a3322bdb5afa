/** Modbus between hosts of the tests' plant, with tools that nobody here wrote: pymodbus as the machine, mbpoll as the client, stunnel before it. */
import type { ChildProcess } from "node:child_process";
import type { Appliance } from "./appliance.ts";
import type { Credential } from "./pki.ts";
import { says, type Plant } from "./plant.ts";
import { over, until } from "./processes.ts";

const SERVER = new URL("pymodbus_machine.py", import.meta.url).pathname;

/** pymodbus' server on a host; its registers begin with their own address as value. */
export class PlantMachine {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #marks = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    let rest = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "mark") this.#marks++;
        else this.#lines.push(line);
      }
    });
  }

  static async start(plant: Plant, host: string, port = 502): Promise<PlantMachine> {
    const child = plant.spawn(host, "/usr/bin/python3", [SERVER, String(port), "0.0.0.0"]);
    const machine = new PlantMachine(child);
    await until(() => machine.#lines.includes("ready") || over(child), `pymodbus on ${host}`);
    if (over(child)) throw new Error(`pymodbus did not start on ${host}`);
    return machine;
  }

  /** "read ..." and "write ..." lines of what reached it until now, in order. */
  async heard(): Promise<string[]> {
    const before = this.#marks;
    this.#child.kill("SIGUSR1");
    await until(() => this.#marks > before, "a machine to say what it heard");
    return this.#lines.filter((line) => /^(?:read|write) /.test(line));
  }

  async written(): Promise<string[]> {
    return (await this.heard()).filter((line) => line.startsWith("write "));
  }
}

export interface Asked {
  readonly port?: number;
  /** Holding registers, counted from 0. */
  readonly register: number;
  readonly count?: number;
  /** Left out: read. */
  readonly write?: number;
}

/** mbpoll on a host, once: the values read, `written`, or in its own words why not. */
export async function mbpollFrom(plant: Plant, host: string, to: string, asked: Asked): Promise<string> {
  const { port = 502, register, count = 1, write } = asked;
  const where = ["-m", "tcp", "-p", String(port), "-a", "1", "-t", "4", "-0", "-r", String(register)];
  const what = write === undefined ? ["-c", String(count), "-1", to] : [to, String(write)];
  const { out, err } = await plant.result(host, "mbpoll", [...where, "-o", "10", ...what]);
  const values = [...out.matchAll(/^\[\d+\]:\s+(\d+)/gm)].map(([, value]) => value);
  if (values.length > 0) return values.join(" ");
  if (/^Written 1 references/m.test(out)) return "written";
  return /failed: (.*)$/m.exec(out + err)?.[1] ?? `${out}${err}`.trim();
}

export interface StunnelAt {
  readonly credential: Credential;
  /** Where to: `10.20.0.12:802`. The server's certificate must be for that address. */
  readonly to: string;
  /** More lines of its configuration. */
  readonly lines?: readonly string[];
}

const STUNNEL_PORT = 1502;

/** stunnel on a host, with a certificate: what connects to the returned loopback port there arrives at `to` by TLS. */
export async function stunnelOn(plant: Plant, host: string, options: StunnelAt): Promise<number> {
  const { credential, to, lines = [] } = options;
  const box: Appliance = plant.box;
  const text = [
    "foreground = yes",
    "debug = info",
    "pid =",
    "[machine]",
    "client = yes",
    `accept = 127.0.0.1:${STUNNEL_PORT}`,
    `connect = ${to}`,
    `cert = ${credential.chain}`,
    `key = ${credential.key}`,
    `CAfile = ${box.root.credential.cert}`,
    "verifyChain = yes",
    `checkIP = ${to.split(":")[0]}`,
    "sslVersionMin = TLSv1.3",
    ...lines,
    "",
  ].join("\n");
  const child = plant.spawn(host, "stunnel4", [box.write(`stunnel-${host}.conf`, text)]);
  await says(child, `bound to 127.0.0.1:${STUNNEL_PORT}`);
  return STUNNEL_PORT;
}
