/**
 * The plant for what is done to a box from outside. Both machines may reach the historian (tcp 4000, udp 4002), an engineer reads the
 * press at its own address, and both switches are captured: each test ends with what came through that should not have.
 */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { ExecutionContext } from "ava";
import type { AuditRecord } from "../../src/audit/index.ts";
import type { ApplianceOptions } from "./appliance.ts";
import type { Credential } from "./pki.ts";
import { BOX, HOSTS, Plant, says, type Capture, type Host } from "./plant.ts";
import { plantSite, type PlantParts } from "./plant-sites.ts";
import { until } from "./processes.ts";

const PYTHON = "/usr/bin/python3";
/** In each frame of plant_frames.py. */
const MARK = "NIACXING";
/** Of a host on the device port that the site document does not name. */
export const STRANGER = "10.20.0.77";
export const FORWARDED = 4000;
export const FORWARDED_UDP = 4002;

/** Kinds of frames that plant_frames.py makes. */
export type Kind =
  | "fragments"
  | "torn"
  | "flags"
  | "options"
  | "spoofed"
  | "tagged"
  | "tunnels"
  | "jumbo"
  | "ipv6"
  | "link"
  | "groups"
  | "claims";

const DESTINATIONS = `
destinations:
  - { name: historian, reason: Values of the shift, machines: [hmi, press], how: forward, host: ${HOSTS.historian}, ports: [${FORWARDED}] }
  - { name: historian-udp, reason: Values of the shift, machines: [hmi, press], how: forward, host: ${HOSTS.historian}, ports: [${FORWARDED_UDP}], transport: udp }`;

export function cableSite(plant: Plant, { more = "", ...parts }: PlantParts = {}): string {
  return plantSite(plant, { more: `${DESTINATIONS}${more}`, ...parts });
}

export class CableBed {
  readonly plant: Plant;
  readonly credential: Credential;
  readonly #t: ExecutionContext;
  #engineer: Engineer | null = null;

  private constructor(t: ExecutionContext, plant: Plant) {
    this.plant = plant;
    this.#t = t;
    this.credential = plant.box.root.client({ cn: "alice", ou: ["maintenance"] });
  }

  /** All of it runs, and the engineer has a session. */
  static async start(
    t: ExecutionContext,
    parts: PlantParts = {},
    options: Partial<ApplianceOptions> = {},
  ): Promise<CableBed> {
    const plant = await Plant.start(t, (p) => cableSite(p, parts), options);
    const bed = new CableBed(t, plant);
    await plant.echo("historian", FORWARDED);
    const script = new URL("pymodbus_machine.py", import.meta.url).pathname;
    await says(plant.spawn("press", PYTHON, [script, "502", "0.0.0.0"]), "ready");
    bed.#engineer = await bed.engineer();
    await bed.works("before anything happens");
    return bed;
  }

  /** One more session with the press. */
  async engineer(): Promise<Engineer> {
    const script = new URL("plant_engineer.py", import.meta.url).pathname;
    const { root } = this.plant.box;
    const { chain, key } = this.credential;
    const words = [script, HOSTS.press, "802", root.credential.cert, chain, key];
    const engineer = new Engineer(this.plant.spawn("laptop", PYTHON, words));
    const said = await engineer.line();
    if (said !== "ready") throw new Error(`the engineer has no session: ${said}`);
    return engineer;
  }

  /** What the engineer's first session reads; each register holds its own address. */
  read(register = 11): Promise<string> {
    if (this.#engineer === null) throw new Error("there is no engineer yet");
    return this.#engineer.read(register);
  }

  /** Both machines' ways, the session there is, and a new one. */
  async works(when: string): Promise<void> {
    const { plant } = this;
    for (const machine of ["hmi", "press"] as const) {
      const said = await plant.ask(machine, HOSTS.historian, FORWARDED);
      this.#t.is(said, `historian ${HOSTS[machine]} hello`, `${machine} reaches the historian ${when}`);
    }
    this.#t.is(await this.read(), "11", `the session goes on ${when}`);
    const another = await this.engineer();
    this.#t.is(await another.read(12), "12", `a new session reads ${when}`);
    another.end();
  }

  /** The same, within some seconds. */
  async worksAgain(when: string): Promise<void> {
    const { plant } = this;
    const reaches = async (machine: Host): Promise<boolean> =>
      (await plant.ask(machine, HOSTS.historian, FORWARDED)).startsWith("historian ");
    await until(() => reaches("hmi"), `hmi to reach the historian ${when}`);
    await until(async () => (await this.read()) === "11", `the press to be read ${when}`);
    await this.works(when);
  }

  /** Sends frames of a kind from a host to the box's port on its side, and gives their number. */
  async send(kind: Kind, from: Host | "stranger", target: string, ports: readonly number[]): Promise<number> {
    const port = from === "press" || from === "hmi" || from === "stranger" ? "device" : "uplink";
    const script = new URL("plant_frames.py", import.meta.url).pathname;
    const to = this.plant.mac("box", port);
    const source = from === "stranger" ? STRANGER : HOSTS[from];
    const words = [script, kind, "eth0", to, source, target, ports.join(",")];
    const { code, out, err } = await this.plant.result(from, PYTHON, words);
    if (code !== 0) throw new Error(`${kind} could not be sent: ${err}`);
    return Number(out.trim());
  }

  async watch(): Promise<Watch> {
    const { plant } = this;
    return new Watch(
      plant,
      await plant.capture("machines-sw", "br0"),
      await plant.capture("plant-sw", "br0"),
    );
  }

  /** Machines' MAC addresses as the box has pinned them. */
  pinned(): string[] {
    const neighbours = this.plant.run("box", "ip", "neigh", "show", "dev", "device", "nud", "permanent");
    // In the kernel's order, and with blanks at the ends of some lines.
    return neighbours
      .trim()
      .split("\n")
      .map((line) => line.trim())
      .toSorted();
  }

  refusals(...words: string[]): Promise<AuditRecord[]> {
    return this.plant.box.records("kind=flow.refused", ...words);
  }

  /** Waits until netd has put on record what it saw, and gives all of it as one text; fails where it is more than `most` records. */
  async recorded(most: number, ...patterns: RegExp[]): Promise<string> {
    const { box } = this.plant;
    let records: AuditRecord[] = [];
    const text = (): string =>
      records.map(({ source, machine, reason }) => `${source} ${machine}: ${reason}`).join("\n");
    const said = async (): Promise<boolean> => {
      records = [...(await this.refusals()), ...(await box.records("kind=network"))];
      return patterns.every((pattern) => pattern.test(text()));
    };
    try {
      await until(said, `records of ${patterns.join(" and ")}`);
    } catch (error) {
      throw new Error(`${String(error)}, and these are on record:\n${text()}`, { cause: error });
    }
    this.#t.true(records.length <= most, `${records.length} records, more than ${most}:\n${text()}`);
    return text();
  }
}

export class Engineer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcess) {
    if (child.stdout === null) throw new Error("the engineer's words cannot be heard");
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Its value, `exception N` or `failed: ...`. */
  async read(register: number): Promise<string> {
    this.#child.stdin?.write(`${register}\n`);
    return this.line();
  }

  async line(): Promise<string> {
    const { value } = await this.#lines.next();
    return String(value);
  }

  end(): void {
    this.#child.kill();
  }
}

/** Both switches' captures. */
export class Watch {
  readonly #plant: Plant;
  readonly machines: Capture;
  readonly uplink: Capture;

  constructor(plant: Plant, machines: Capture, uplink: Capture) {
    this.#plant = plant;
    this.machines = machines;
    this.uplink = uplink;
  }

  /** Ends both, and gives what was on each side that neither a host there nor an allowed flow sent; `more`: hosts of the test's own. */
  async crossed(
    more: { readonly machines?: string; readonly plant?: string } = {},
  ): Promise<{ machines: string[]; plant: string[] }> {
    const fence = await this.#plant.fence();
    await this.machines.stop(fence);
    await this.uplink.stop(fence);
    const { historian, press } = HOSTS;
    const macs = (hosts: readonly Host[], another: string | undefined): string =>
      [...hosts, ...(another === undefined ? [] : [another])]
        .map((host) => `eth.src == ${this.#plant.mac(host)}`)
        .join(" || ");
    // What the box itself says to whom it refuses; of the frames sent, none is one of these.
    const answers = `tcp.flags.reset == 1 && tcp.len == 0 || icmp.type == 3 && icmp.code == 13`;
    const toMachines = [
      `arp && !(frame contains "${MARK}")`,
      `ip.src == ${BOX} && ip.dst == ${press} && tcp.dstport == 502`,
      `ip.src == ${historian} && (tcp.srcport == ${FORWARDED} || udp.srcport == ${FORWARDED_UDP})`,
      answers,
    ];
    const toPlant = [
      `arp && !(frame contains "${MARK}")`,
      `ip.dst == ${historian} && (tcp.dstport == ${FORWARDED} || udp.dstport == ${FORWARDED_UDP})`,
      `ip.src == ${press} && tcp.srcport == 802`,
      answers,
    ];
    const not = (own: string, port: string, allowed: readonly string[]): string =>
      `!(${own} || (eth.src == ${this.#plant.mac("box", port)} && (${allowed.map((one) => `(${one})`).join(" || ")})))`;
    return {
      machines: this.machines.frames(not(macs(["press", "hmi"], more.machines), "device", toMachines)),
      plant: this.uplink.frames(
        not(macs(["laptop", "attacker", "historian", "scada"], more.plant), "uplink", toPlant),
      ),
    };
  }
}
