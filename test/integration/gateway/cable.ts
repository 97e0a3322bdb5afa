/**
 * The gateway of an appliance in the cable, with control and without netd: instead of being captured, connections arrive at
 * listening sockets that stand in network namespaces of their own, where all addresses are local.
 *
 *     plant    clients; machines' addresses lead to the gateway    10.20.0.66 scada, .99 stranger, .50 engineer
 *     cell     machines; destinations' addresses lead to it        10.20.0.4 press-4, .5 hmi-1
 *     box      the gateway; machines and destinations themselves   198.18.0.0/16 are the machines' stand-ins
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { Appliance, APPLIANCE } from "../../support/appliance.ts";
import { end, over, until, type Teardown } from "../../support/processes.ts";
import { says } from "../../support/plant.ts";
import { PROGRAM } from "../../support/program.ts";

export const PRESS = "10.20.0.4";
export const HMI = "10.20.0.5";
export const SCADA = "10.20.0.66";
export const STRANGER = "10.20.0.99";
export const PLC = "10.9.0.12";
export const BOX2 = "10.9.0.20";
export const HISTORIAN = "10.9.0.30";

/** Not the test's own PATH: `ip` is the system's. */
const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
const ADDRESSES = {
  plant: [PRESS, HMI, SCADA, STRANGER],
  cell: [PRESS, HMI, PLC, BOX2, HISTORIAN],
  box: [PRESS, HMI, PLC, BOX2, HISTORIAN, "198.18.0.1/16"],
} as const;

export type Space = keyof typeof ADDRESSES;

let made = 0;

export class Cable {
  readonly bed: Appliance;
  readonly #t: Teardown;
  readonly #name: string;
  #log = "";

  private constructor(t: Teardown, bed: Appliance, name: string) {
    this.#t = t;
    this.bed = bed;
    this.#name = name;
  }

  /** Runs `site`. `before` may change the appliance's settings. */
  static async start(
    t: Teardown,
    site: string,
    before: (cable: Cable) => void | Promise<void> = () => {},
  ): Promise<Cable> {
    const name = `niac-e${process.pid}-${made++}`;
    t.teardown(() => removeSpaces(name));
    for (const [space, addresses] of Object.entries(ADDRESSES)) addSpace(`${name}-${space}`, addresses);
    const bed = await Appliance.prepare(t, { site: null, serverAddresses: [PRESS, HMI] });
    const cable = new Cable(t, bed, name);
    // Whoever does not choose an address of his own is the SCADA server, and in the cell the HMI.
    for (const address of [PRESS, HMI]) cable.#from("plant", address, SCADA);
    for (const address of [PLC, BOX2, HISTORIAN]) cable.#from("cell", address, HMI);
    await before(cable);
    await bed.run("control");
    await bed.apply(site);
    await cable.#runGateway();
    return cable;
  }

  space(space: Space): string {
    return `${this.#name}-${space}`;
  }

  /** Everything the gateway logged so far. */
  get log(): string {
    return this.#log;
  }

  /** Starts a program in a namespace; it is ended with the test. */
  spawn(space: Space, program: string, ...args: readonly string[]): ChildProcess {
    const child = spawn("ip", ["netns", "exec", this.space(space), program, ...args], {
      env: { PATH, PYTHONUNBUFFERED: "1" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#t.teardown(() => end(child, "SIGKILL"));
    return child;
  }

  /** socat in the box's namespace, its first address one that listens; returns when it does. */
  async socat(...words: readonly string[]): Promise<ChildProcess> {
    const child = this.spawn("box", "socat", "-d", "-d", ...words);
    await says(child, "listening on");
    return child;
  }

  /** Output of a program that ends, in a namespace. */
  run(space: Space, program: string, ...args: readonly string[]): string {
    return execFileSync("ip", ["netns", "exec", this.space(space), program, ...args], {
      encoding: "utf8",
      env: { PATH },
    });
  }

  /** pymodbus' server at an address of the box's namespace, port 502 where none is given. */
  async machine(address: string, port = 502): Promise<Talker> {
    const script = new URL("../../support/pymodbus_machine.py", import.meta.url).pathname;
    const talker = new Talker(this.spawn("box", "/usr/bin/python3", script, String(port), address));
    await talker.says("ready");
    return talker;
  }

  /** pymodbus' client, connected. */
  async client(space: Space, address: string, source = ""): Promise<Talker> {
    const script = new URL("../../support/pymodbus_client.py", import.meta.url).pathname;
    const more = source === "" ? [] : [source];
    const talker = new Talker(this.spawn(space, "/usr/bin/python3", script, address, "502", ...more));
    await talker.says("ready");
    return talker;
  }

  /** A bare TCP connection: says `open`, then what comes as `got ...`, and at its end `closed` or `reset`; lines told are sent. */
  async tcp(space: Space, address: string, port = 502, source = ""): Promise<Talker> {
    const talker = new Talker(
      this.spawn(space, "/usr/bin/python3", "-c", TCP, address, String(port), source),
    );
    await talker.says("open");
    return talker;
  }

  #from(space: Space, address: string, source: string): void {
    const route = ["route", "change", "local", address, "dev", "lo", "table", "local", "src", source];
    execFileSync("ip", ["-n", this.space(space), ...route], { env: { PATH } });
  }

  async #runGateway(): Promise<void> {
    const script = new URL("../../support/inherit.py", import.meta.url).pathname;
    const sockets = [`${this.space("plant")}:0.0.0.0:802`, `${this.space("plant")}:0.0.0.0:502`];
    const inherited = ["--captured", "3", "--plain", "4", "--outbound", "5"];
    const child = spawn(
      "/usr/bin/python3",
      [
        script,
        this.space("box"),
        ...sockets,
        `${this.space("cell")}:0.0.0.0:502`,
        "--",
        process.execPath,
        PROGRAM,
        "gateway",
        ...inherited,
      ],
      { env: { ...process.env, ...this.bed.environment }, stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#t.teardown(() => end(child));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
    await until(() => this.#log.includes("gateway is ready") || over(child), "the gateway");
    if (over(child)) throw new Error(`the gateway did not start:\n${this.#log}`);
  }
}

/** A program that is told and that answers, a line at a time. */
export class Talker {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  #errors = "";
  #taken = 0;
  #marks = 0;

  constructor(child: ChildProcess) {
    this.child = child;
    let rest = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#said(line);
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
    // It may have ended before it is told.
    child.stdin?.on("error", () => {});
  }

  /** Tells it a line and gives the next it says. */
  ask(line: string): Promise<string> {
    this.child.stdin?.write(`${line}\n`);
    return this.next();
  }

  /** The next line that it says and that was not taken yet. */
  async next(): Promise<string> {
    await until(() => this.lines.length > this.#taken || over(this.child), "a program to say something");
    const line = this.lines[this.#taken++];
    if (line === undefined) throw new Error(`a program ended and said nothing more: ${this.#errors}`);
    return line;
  }

  async says(line: string): Promise<void> {
    const said = await this.next();
    if (said !== line) throw new Error(`a program said "${said}" and not "${line}": ${this.#errors}`);
  }

  /** Of pymodbus' server: what reached it until now. */
  async heard(): Promise<string[]> {
    const before = this.#marks;
    this.child.kill("SIGUSR1");
    await until(() => this.#marks > before, "the machine to say what it heard");
    return this.lines.filter((line) => /^(?:read|write) /.test(line));
  }

  #said(line: string): void {
    if (line === "mark") this.#marks++;
    else this.lines.push(line);
  }
}

/** A press and an HMI, each with what the test gives it; `more` is whole sections. */
export function cableSite(parts: { readonly press?: string; readonly more?: string } = {}): string {
  return `
niac: 1
site: { name: Test plant, appliance: ${APPLIANCE}, timeZone: UTC, limits: { readSummaryInterval: 1s, idleTimeout: 24h } }
network: { mode: inline }
machines:
  press-4: { address: ${PRESS}, mac: "02:00:00:00:00:04", services: { modbus: { protocol: modbus-tcp } }, ${parts.press ?? ""} }
  hmi-1: { address: ${HMI}, mac: "02:00:00:00:00:05", services: { panel: { protocol: tcp, port: 502, tlsPort: 802 } } }
groups:
  maintenance: { fromCertificate: true }
grants:
  - name: maintenance-reads-press
    reason: Maintenance reads
    who: { groups: [maintenance] }
    what: { machines: [press-4], modbus: { functions: readOnly, read: { holdingRegisters: all } } }
${parts.more ?? ""}`;
}

function addSpace(name: string, addresses: readonly string[]): void {
  execFileSync("ip", ["netns", "add", name], { env: { PATH } });
  execFileSync("ip", ["-n", name, "link", "set", "lo", "up"], { env: { PATH } });
  for (const address of addresses)
    execFileSync("ip", ["-n", name, "addr", "add", address, "dev", "lo"], { env: { PATH } });
}

function removeSpaces(name: string): void {
  for (const space of Object.keys(ADDRESSES))
    execFileSync("ip", ["netns", "del", `${name}-${space}`], { env: { PATH } });
}

const TCP = `
import socket, sys, threading
host, port, source = sys.argv[1:]
try:
    s = socket.create_connection((host, int(port)), 10, (source, 0) if source else None)
except ConnectionResetError:
    # It was open, and reset before this program was told that it is.
    print('open', 'reset', sep='\\n', flush=True)
    sys.exit()
s.settimeout(None)
print('open', flush=True)
def listen():
    try:
        while data := s.recv(4096):
            print('got', data.decode('latin1').strip(), flush=True)
        print('closed', flush=True)
    except OSError:
        print('reset', flush=True)
threading.Thread(target=listen, daemon=True).start()
for line in sys.stdin:
    s.sendall(line.encode())
`;
