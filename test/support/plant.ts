/**
 * A small plant of network namespaces: hosts on the plant's switch, the box between, machines on the switch behind it.
 *
 *     laptop .50  attacker .66  historian .3 and .1  scada .5        press .12  hmi .13
 *         \____________|_____________|___________/   box .100          \________/
 *                        plant's switch ------- uplink | device ------- machines' switch      10.20.0.0/24
 *
 * Machines have the plant's addresses, mask and router; nobody is told of the box. All of it is named after this process and a
 * number, and removed when the test ends.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { UnavailableError } from "../../src/base/index.ts";
import { statusShow } from "../../src/link/index.ts";
import { Appliance, type ApplianceOptions, type CommandResult } from "./appliance.ts";
import { Namespaces, SYSTEM_PATH } from "./namespaces.ts";
import { end, over, until, type Teardown } from "./processes.ts";

const PREFIX = "10.20.0";

export const HOSTS = {
  laptop: `${PREFIX}.50`,
  attacker: `${PREFIX}.66`,
  historian: `${PREFIX}.3`,
  scada: `${PREFIX}.5`,
  press: `${PREFIX}.12`,
  hmi: `${PREFIX}.13`,
} as const;
export const BOX = `${PREFIX}.100`;
export const ROUTER = `${PREFIX}.1`;
export type Host = keyof typeof HOSTS;
/** Milliseconds for a dial where there is either an answer at once or none. */
export const SILENCE = 2_000;

const FENCE = new URL("plant_fence.py", import.meta.url).pathname;
/** Of the fence's markers: nobody's. */
const FENCE_MAC = "02:4e:49:41:43:ff";
const LAST_ROUND = 2;

const ON_PLANT: readonly Host[] = ["laptop", "attacker", "historian", "scada"];
const ON_DEVICE: readonly Host[] = ["press", "hmi"];

export class Plant {
  readonly #t: Teardown;
  readonly #namespaces = new Namespaces("n");
  readonly #dir: string;
  readonly #children = new Set<ChildProcess>();
  #appliance: Appliance | null = null;
  #fences = 0;

  private constructor(t: Teardown) {
    this.#t = t;
    this.#dir = mkdtempSync(join(tmpdir(), "niac-plant-"));
  }

  /** Namespaces, switches and addresses; no box runs yet. */
  static create(t: Teardown): Plant {
    const plant = new Plant(t);
    t.teardown(() => plant.#remove());
    for (const name of ["plant-sw", "machines-sw"]) plant.#namespaces.addSwitch(name);
    for (const host of ON_PLANT) plant.plug(host, "eth0", "plant", `${HOSTS[host]}/24`);
    for (const host of ON_DEVICE) plant.plug(host, "eth0", "machines", `${HOSTS[host]}/24`);
    plant.plug("box", "uplink", "plant");
    plant.plug("box", "device", "machines");
    plant.ip("historian", "addr", "add", `${ROUTER}/24`, "dev", "eth0");
    for (const host of ON_DEVICE) plant.ip(host, "route", "add", "default", "via", ROUTER);
    return plant;
  }

  /** The plant with a box that runs `site`. */
  static async start(
    t: Teardown,
    site: (plant: Plant) => string,
    options: Partial<ApplianceOptions> = {},
  ): Promise<Plant> {
    const plant = Plant.create(t);
    await plant.startBox(site(plant), options);
    return plant;
  }

  async startBox(site: string | null, options: Partial<ApplianceOptions> = {}): Promise<Appliance> {
    const box = await this.prepareBox("box", BOX, site, options);
    this.#appliance = box;
    for (const part of options.parts ?? (["up"] as const)) await box.run(part);
    if (site !== null) await this.apply(site);
    return box;
  }

  /** A box on a host with the ports `uplink` and `device`, not started yet; `box` is the plant's own, others are the test's to start. */
  prepareBox(
    host: string,
    address: string,
    site: string | null,
    options: Partial<ApplianceOptions> = {},
  ): Promise<Appliance> {
    return Appliance.prepare(this.#t, {
      site,
      namespace: this.namespace(host),
      serverAddresses: Object.values(HOSTS),
      ...options,
      environment: {
        NIAC_UPLINK: "uplink",
        NIAC_DEVICE_PORT: "device",
        NIAC_UPLINK_ADDRESS: `${address}/24`,
        NIAC_UPLINK_GATEWAY: ROUTER,
        NIAC_LISTEN_MODBUS: "0.0.0.0:802",
        NIAC_LISTEN_SERVICES: "0.0.0.0:8443",
        ...options.environment,
      },
    });
  }

  /** A second box on the plant's switch, and behind it a machine on a switch of its own. */
  addSecondBox(host: string, machine: string, address: string): void {
    this.#namespaces.addSwitch("second-sw");
    this.#namespaces.plug(host, "uplink", "plant-sw");
    this.#namespaces.plug(host, "device", "second-sw");
    this.#namespaces.plug(machine, "eth0", "second-sw", `${address}/24`);
    this.ip(machine, "route", "add", "default", "via", ROUTER);
  }

  get box(): Appliance {
    if (this.#appliance === null) throw new Error("the box was not started");
    return this.#appliance;
  }

  /** Applies a site document and waits until the kernel has its ruleset. */
  async apply(site: string, box = this.box): Promise<void> {
    const { code, out, err } = await box.tryApply(site);
    const version = /^version (\d+) is in force$/m.exec(out)?.[1];
    if (code !== 0 || version === undefined) throw new Error(`the document was not applied:\n${err}${out}`);
    // netd that has just started says the same of an earlier one.
    const said = new RegExp(`"site":${version},.*"msg":"ruleset in force"`);
    await box.until(() => said.test(box.log), `the ruleset of version ${version}`);
  }

  namespace(host: string): string {
    return this.#namespaces.name(host);
  }

  mac(host: string, port = "eth0"): string {
    return this.#namespaces.mac(host, port);
  }

  /** Runs a command on a host and gives its output; throws where it fails. */
  run(host: string, command: string, ...args: string[]): string {
    return this.#namespaces.run(host, command, ...args);
  }

  ip(host: string, ...args: string[]): void {
    this.#namespaces.ip(host, ...args);
  }

  /** Starts a command on a host; it is ended with the test. */
  spawn(host: string, command: string, args: readonly string[]): ChildProcess {
    const [ip = "ip", ...words] = this.#namespaces.inside(host, command, ...args);
    const child = spawn(ip, words, {
      env: { PATH: SYSTEM_PATH, LC_ALL: "C", PYTHONUNBUFFERED: "1" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#children.add(child);
    return child;
  }

  /** Runs a command on a host to its end, whatever its exit code, for at most `patience` milliseconds. */
  async result(
    host: string,
    command: string,
    args: readonly string[],
    patience = 60_000,
  ): Promise<CommandResult> {
    const child = this.spawn(host, command, args);
    let [out, err] = ["", ""];
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (err += text));
    const late = setTimeout(() => child.kill("SIGKILL"), patience);
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    clearTimeout(late);
    return { code, out, err };
  }

  /** Whether a TCP connection from a host to an address opens (`open`), is refused (`reset`) or stays unanswered (`silent`) for so long. */
  async dial(host: string, address: string, port: number, milliseconds = 20_000): Promise<string> {
    const seconds = String(milliseconds / 1_000);
    const { code, err } = await this.result(host, "python3", ["-c", DIAL, address, String(port), seconds]);
    if (code === 0) return "open";
    return /refused|reset/i.test(err)
      ? "reset"
      : /prohibited|unreachable|No route|Permission/i.test(err)
        ? "prohibited"
        : "silent";
  }

  /** A listener on a host that answers each line with `<host> <line>`, until the test ends. */
  async echo(host: string, port: number): Promise<void> {
    const child = this.spawn(host, "python3", ["-c", ECHO, host, String(port)]);
    await says(child, "ready");
  }

  /** Connects from a host, sends a line and gives the line that came back. */
  async ask(host: Host, address: string, port: number, line = "hello"): Promise<string> {
    const { out, err } = await this.result(host, "python3", ["-c", ASK, address, String(port), line]);
    return out.trim() || `failed: ${err.trim().split("\n").at(-1)}`;
  }

  /** Records what a host's port sees, in both directions, until stop(). */
  async capture(host: string, port = "eth0", filter = ""): Promise<Capture> {
    const file = join(this.#dir, `${host}-${port}-${this.#children.size}.pcap`);
    // Room for some thousand frames that tcpdump has no time for yet: each takes as much of it as the longest one could.
    const room = ["--immediate-mode", "-s", "9216", "-B", "32768"];
    const fence = filter === "" ? [] : [`(${filter}) or ether dst ${FENCE_MAC}`];
    const child = this.spawn(host, "tcpdump", ["-U", "-n", "-i", port, "-w", file, ...room, ...fence]);
    await says(child, "listening on");
    return new Capture(() => this.fence(), child, file);
  }

  /**
   * Resolves with a token when everything sent before has come as far as it ever will: captures on either switch that have the
   * token's markers have all of it. Both ports of the box must be up.
   */
  async fence(): Promise<string> {
    const token = String(++this.#fences);
    const box = this.spawn("box", "/usr/bin/python3", [FENCE, "box", token, "uplink", "device"]);
    const here = says(box, "here");
    await says(box, "ready");
    const hosts = ["laptop", "press"].map((host) =>
      this.result(host, "/usr/bin/python3", [FENCE, "host", token, "eth0"]),
    );
    await here;
    await this.#settle();
    box.stdin?.write("\n");
    for (const { code, err } of await Promise.all(hosts)) {
      if (code !== 0) throw new Error(`the fence could not be put up: ${err}`);
    }
    await end(box, "SIGKILL");
    return token;
  }

  /** What the box's processes had in hand is done when they have answered. One that is away has nothing in hand. */
  async #settle(): Promise<void> {
    try {
      await this.#appliance?.ask(statusShow, null);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }

  /** Plugs a host's port into a switch; makes the host where it is new. */
  plug(host: string, port: string, into: "plant" | "machines", address?: string): void {
    this.#namespaces.plug(host, port, `${into}-sw`, address);
  }

  /** Of all ports of a switch, so that frames so long go through it. */
  mtu(of: "plant-sw" | "machines-sw", bytes: number): void {
    for (const line of this.run(of, "ip", "-o", "link", "show", "master", "br0").trim().split("\n")) {
      this.ip(of, "link", "set", /^\d+: ([^@:]+)/.exec(line)?.[1] ?? "", "mtu", String(bytes));
    }
  }

  /** Takes a port's link away, or gives it back, as a cable does. */
  cable(host: string, port: string, state: "in" | "out"): void {
    const into = ON_DEVICE.some((one) => one === host) || port === "device" ? "machines-sw" : "plant-sw";
    this.#namespaces.cable(host, port, into, state);
  }

  async #remove(): Promise<void> {
    for (const child of this.#children) await end(child, "SIGKILL");
    this.#namespaces.remove();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** What a port saw. */
export class Capture {
  readonly #fence: () => Promise<string>;
  readonly #child: ChildProcess;
  readonly #file: string;

  constructor(fence: () => Promise<string>, child: ChildProcess, file: string) {
    this.#fence = fence;
    this.#child = child;
    this.#file = file;
  }

  /** Ends it; what was sent up to now, or up to a fence that was put up before, is in it. */
  async stop(fence?: string): Promise<void> {
    const token = fence ?? (await this.#fence());
    const marker = new RegExp(`NIACFENCE ${token} box ${LAST_ROUND} (\\d+) (\\d+) `, "g");
    const has = (): boolean => {
      const found = [...readFileSync(this.#file, "latin1").matchAll(marker)];
      return found.length > 0 && new Set(found.map(([, cpu]) => cpu)).size === Number(found[0]?.[2]);
    };
    await until(() => has() || over(this.#child), "the capture to have all that was sent");
    await end(this.#child, "SIGINT");
  }

  /** Frames that match a display filter of tshark, as its one-line summaries; after stop(). */
  frames(filter = ""): string[] {
    const all = `eth.dst != ${FENCE_MAC}`;
    return this.#read(filter === "" ? all : `(${filter}) && ${all}`);
  }

  /** A display filter for what came after a fence; after stop(). */
  after(fence: string): string {
    const markers = this.#read(
      `frame contains "NIACFENCE ${fence} box ${LAST_ROUND} "`,
      "-T",
      "fields",
      "-e",
      "frame.number",
    );
    const last = markers.at(-1);
    if (last === undefined) throw new Error(`the capture has no fence ${fence}`);
    return `frame.number > ${last}`;
  }

  #read(filter: string, ...how: readonly string[]): string[] {
    const out = execFileSync("tshark", ["-n", "-r", this.#file, "-Y", filter, ...how], {
      encoding: "utf8",
      env: { PATH: SYSTEM_PATH, HOME: tmpdir() },
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 2 ** 28,
    });
    return out.split("\n").filter((line) => line !== "");
  }
}

/** Waits until a child says a text on its standard output or error. */
export async function says(child: ChildProcess, text: string): Promise<void> {
  let heard = "";
  const listen = (chunk: Buffer): void => {
    heard += chunk.toString("utf8");
  };
  child.stdout?.on("data", listen);
  child.stderr?.on("data", listen);
  await until(() => heard.includes(text) || over(child), `a command to say "${text}"`);
  if (!heard.includes(text)) throw new Error(`a command did not say "${text}", but: ${heard}`);
}

const DIAL = `
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3]))
s.close()`;

const ECHO = `
import socketserver, sys
class H(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(sys.argv[1].encode() + b' ' + self.client_address[0].encode() + b' ' + line)
class S(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
s = S(('0.0.0.0', int(sys.argv[2])), H)
print('ready', flush=True)
s.serve_forever()`;

const ASK = `
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)
s.settimeout(20)
s.sendall(sys.argv[3].encode() + b'\\n')
print(s.makefile().readline().strip())`;
