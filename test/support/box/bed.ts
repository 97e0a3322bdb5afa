/**
 * A box from the image, in a plant, at work: prepared at a desk by niac.conf and site.yaml, its authority made at its console, an engineer's
 * laptop enrolled over the network. What tests in test/image/ begin with.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseRecord, type AuditRecord } from "../../../src/audit/index.ts";
import { BOX, HOSTS, ROUTER, type Plant } from "../plant.ts";
import { mbpollFrom, PlantMachine } from "../plant-modbus.ts";
import { plantSite, type PlantParts } from "../plant-sites.ts";
import { over, until, type Teardown } from "../processes.ts";

import { Box, type BoxOptions } from "./box.ts";
import { copy, keepBox, keptBox, type KeptBox } from "./kept.ts";
import { SEED } from "../seed.ts";
import { writeTo } from "./medium.ts";
import { plantForBox } from "./plant.ts";
import { PROGRAM } from "../program.ts";

const FIRST_READ = fileURLToPath(new URL("first-read.ts", import.meta.url));
/** On the boot partition, by a name that the box does not look for. */
const NEXT_SITE = "site-2.yaml";
/** On the laptop's loopback. */
const CONNECTED = 5502;

/** What the grant allows: all may be read, and registers 0 to 99 be written. */
const GRANT =
  "{ functions: readWrite, read: { holdingRegisters: all, coils: all }, write: { holdingRegisters: [0-99] } }";
export const ALLOWED = 11;
export const REFUSED = 200;
/** May be written too, and no test asks whether it is still what it was. */
export const WRITTEN = 12;

/** niac.conf as an integrator prepares it. */
export const SETTINGS = [
  "NIAC_ORIGIN=box-1",
  `NIAC_UPLINK_ADDRESS=${BOX}/24`,
  `NIAC_UPLINK_GATEWAY=${ROUTER}`,
  "NIAC_CONSOLE=serial",
  "",
].join("\n");

export interface BedOptions extends Partial<BoxOptions> {
  /** Parts of the site document, or another one than plantSite's. */
  readonly parts?: PlantParts | ((plant: Plant) => string);
  /** A box that was in use before, and its laptop. The site document is then brought as `site-2.yaml`, for a box that has one. */
  readonly kept?: KeptBox | null;
}

export class BoxBed {
  readonly plant: Plant;
  readonly box: Box;
  readonly machine: PlantMachine;
  /** Of the laptop. */
  readonly #home: string;

  private constructor(plant: Plant, box: Box, machine: PlantMachine, home: string) {
    this.plant = plant;
    this.box = box;
    this.machine = machine;
    this.#home = home;
  }

  /** The plant, the press' program and the box, not switched on. */
  static async assemble(t: Teardown, { parts = {}, ...options }: BedOptions = {}): Promise<BoxBed> {
    const plant = plantForBox(t);
    const machine = await PlantMachine.start(plant, "press");
    const site = typeof parts === "function" ? parts(plant) : plantSite(plant, { grant: GRANT, ...parts });
    const { kept } = options;
    const box = await Box.assemble(t, plant, { settings: SETTINGS, ...(kept ? {} : { site }), ...options });
    if (kept) writeTo(box.card.file, "bootcfg", NEXT_SITE, site);
    const place = mkdtempSync(join(tmpdir(), "niac-laptop-"));
    t.teardown(() => rmSync(place, { recursive: true, force: true }));
    const home = join(place, "home");
    if (kept) copy(kept.home, home);
    else mkdirSync(home);
    return new BoxBed(plant, box, machine, home);
  }

  /** A box at work, and an engineer who is connected: one that was kept, where there is one, with this plant's site document. */
  static async start(t: Teardown, options: BedOptions = {}): Promise<BoxBed> {
    const kept = keptBox();
    const bed = await BoxBed.assemble(t, { ...options, kept });
    await bed.box.on();
    await bed.ready();
    if (kept) await bed.box.out(`mount /boot/cfg 2>/dev/null; niac site apply /boot/cfg/${NEXT_SITE}`);
    else await bed.enrol();
    await bed.connect();
    await bed.readsAgain();
    return bed;
  }

  /** Keeps the box for other files' tests. It is off afterwards. */
  async keep(): Promise<void> {
    const { box } = this;
    if (box.tpm === null) throw new Error("a box without a TPM is not kept");
    await box.out("sync");
    await box.cut(SEED);
    keepBox({ card: box.card.file, tpm: box.tpm.directory, home: this.#home });
  }

  /** Waits until the boot that runs has niac at work. */
  async ready(): Promise<void> {
    const { box } = this;
    // Control is active before it answers; nobody waits for it.
    const look =
      "systemctl is-active niac-control niac-netd niac-gateway niac-prepared; ls /run/niac/admin.sock";
    const up = async (): Promise<boolean> => {
      const said = await box.out(`${look} || :`);
      if (/^failed$/m.test(said)) {
        const journal = "journalctl -b -o short-monotonic -n 60 -u 'niac-*' -u boot-cfg.mount";
        throw new Error(
          `a unit of niac's failed:\n${await box.out(`systemctl --failed --plain; ${journal}`)}`,
        );
      }
      return said === "active\nactive\nactive\nactive\n/run/niac/admin.sock";
    };
    await box.until(up, "niac's three processes on the box");
  }

  /** The authority is made at the console, and the laptop enrols over the network with a code from there. */
  async enrol(): Promise<void> {
    const { box } = this;
    await box.out('niac authority init "Test plant"');
    const shown = await box.out("niac authority show");
    const fingerprint = /^root +([0-9a-f]{64}) /m.exec(shown)?.[1];
    if (fingerprint === undefined) throw new Error(`niac authority show names no root: ${shown}`);
    const whose = "--user alice --device laptop-7 --tier managed --group maintenance";
    const given = await box.out(`niac enrolment code ${whose}`);
    const code = /\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b/.exec(given)?.[0];
    if (code === undefined) throw new Error(`there is no code in ${given}`);
    const words = [`https://${BOX}`, "--fingerprint", fingerprint, "--user", "alice", "--device", "laptop-7"];
    const {
      code: left,
      out,
      err,
    } = await this.plant.result("laptop", ...this.#niac([`NIAC_CODE=${code}`], "enroll", ...words));
    if (left !== 0) throw new Error(`the laptop did not enrol: ${err}${out}`);
  }

  /** A port of the laptop's own to a service. */
  async connect(service = "press/modbus", port = CONNECTED): Promise<void> {
    const child = this.plant.spawn("laptop", ...this.#niac([], "connect", service, "--port", String(port)));
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (said += text));
    const row = `127.0.0.1:${port}`;
    await until(() => said.includes(row) || over(child), "niac connect to listen", 120_000);
    if (over(child)) throw new Error(`niac connect ended: ${said}`);
  }

  /** mbpoll on the laptop, through `niac connect`: the value, or why not in its words. */
  read(register: number = ALLOWED, port: number = CONNECTED): Promise<string> {
    return mbpollFrom(this.plant, "laptop", "127.0.0.1", { port, register });
  }

  write(register: number, value: number, port: number = CONNECTED): Promise<string> {
    return mbpollFrom(this.plant, "laptop", "127.0.0.1", { port, register, write: value });
  }

  /** Waits until the press is read: a box that has just started may take longer for an answer than mbpoll waits for it. */
  async readsAgain(when = ""): Promise<void> {
    await this.box.until(
      async () => (await this.read()) === String(ALLOWED),
      `the press to be read through the box ${when}`,
    );
  }

  /** Asks the press at its own address again and again with alice's certificate; milliseconds since the epoch of the first answer. */
  async firstRead(patience = 900_000): Promise<number> {
    const profile = join(this.#home, ".config/niac/default");
    const words = [FIRST_READ, HOSTS.press, join(profile, "identity.pem"), join(profile, "ca.pem")];
    const { code, out, err } = await this.plant.result("laptop", process.execPath, words, patience);
    const at = /^read \d+ at (\d+)$/m.exec(out)?.[1];
    if (code !== 0 || at === undefined) throw new Error(`the press was never read: ${out}${err}`);
    return Number(at);
  }

  /** Records of the box, oldest first; `words` as for `niac audit query`. */
  async records(...words: string[]): Promise<AuditRecord[]> {
    const out = await this.box.out(`niac audit query --json -n 10000 ${words.join(" ")}`);
    return out
      .split("\n")
      .filter((line) => line !== "")
      .map(parseRecord)
      .toReversed();
  }

  /** The last record of the box itself with this action, once there is one. */
  async recorded(action: string): Promise<AuditRecord> {
    let found: AuditRecord | undefined;
    const there = async (): Promise<boolean> => {
      found = (await this.records("kind=box")).findLast(({ detail }) => detail?.["action"] === action);
      return found !== undefined;
    };
    await this.box.until(there, `a record of ${action}`);
    if (found === undefined) throw new Error(`there is no record of ${action}`);
    return found;
  }

  /** The partition that autoboot.txt names for every start. */
  async byDefault(): Promise<string> {
    const text = await this.box.out("mount /boot/cfg 2>/dev/null; cat /boot/cfg/autoboot.txt");
    return /^\[all\][^[]*^boot_partition=(\d)/ms.exec(text)?.[1] ?? text;
  }

  /** Waits until that is so: that an image is good is on record some seconds before it is the default. */
  async becomesDefault(partition: string): Promise<void> {
    await this.box.until(
      async () => (await this.byDefault()) === partition,
      `autoboot.txt to name partition ${partition}`,
    );
  }

  /** That the record has no gap and the database no damage; the number of records. */
  async recordIsWhole(): Promise<number> {
    return (await this.wholeRecord()).length;
  }

  /** All that is on record, oldest first: without a gap, from a database without damage. */
  async wholeRecord(): Promise<AuditRecord[]> {
    const { box } = this;
    const script = `
      const Database = require("/usr/lib/niac/app/node_modules/better-sqlite3");
      const db = new Database("/data/niac/niac.db", { readonly: true });
      console.log(db.pragma("integrity_check", { simple: true }), db.pragma("foreign_key_check").length);`;
    const sound = await box.out(`/usr/lib/niac/bin/node -e '${script}'`);
    if (sound !== "ok 0") throw new Error(`the database is damaged: ${sound}`);
    const records = await this.records();
    const gap = records.findIndex(({ index }, position) => index !== position);
    if (gap !== -1) throw new Error(`the record has ${records[gap]?.index} where ${gap} belongs`);
    return records;
  }

  #niac(environment: readonly string[], ...words: string[]): [command: string, args: string[]] {
    return ["env", [`HOME=${this.#home}`, ...environment, process.execPath, PROGRAM, ...words]];
  }
}
