/**
 * The built image as a box: QEMU for its board, a memory card that forgets what was not flushed, a firmware that reads autoboot.txt, a TPM,
 * two network ports in the tests' plant. It starts again by itself as often as the guest asks for it; cut() takes the power away.
 */
import type { ChildProcess } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  constants,
} from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Plant } from "../plant.ts";
import { end, until, type Teardown } from "../processes.ts";
import { SoftwareTpm } from "../swtpm.ts";
import { Card } from "./card.ts";
import { BoxConsole } from "./console.ts";
import { load, type Loaded } from "./firmware.ts";
import { DISK } from "./image.ts";
import { copy, type KeptBox } from "./kept.ts";
import { writeTo } from "./medium.ts";
import { MACS } from "./plant.ts";
import { qemuWords } from "./qemu.ts";
import { Qmp } from "./qmp.ts";

/** Bytes of the card, somewhat more than the image: the first boot makes the data partition as large as it can. */
const CARD = 2 * 1024 ** 3;
/** Starts in a row without anybody's doing; more are a box that goes in circles. */
const STARTS = 8;
const PATIENCE = 420_000;
/** Of proc_pid_stat(5), a second; the same on all that Node runs on. */
const TICKS = 100;

const chardevs = z.array(z.looseObject({ label: z.string(), filename: z.string() }));

export interface BoxOptions {
  /** More lines of niac.conf on the first partition, as prepared at a desk. Null: there is none. */
  readonly settings: string | null;
  /** site.yaml beside it; left out: none. */
  readonly site?: string;
  /** Whether it has a TPM; default: yes. */
  readonly tpm?: boolean;
  /** More words on the kernel's command line. */
  readonly commandLine?: string;
  /** A box that was in use before: its card and TPM, and not a new card. */
  readonly kept?: Pick<KeptBox, "card" | "tpm"> | null;
}

/** One start of the processor. */
export interface Boot extends Pick<Loaded, "slot" | "tryboot"> {
  /** All that the serial console said. */
  console: string;
  readonly began: number;
  /** How it ended: QEMU's reason (guest-reset, guest-shutdown, guest-panic), `watchdog` or `power`; null: it runs. */
  ended: string | null;
}

export class Box {
  readonly boots: Boot[] = [];
  readonly card: Card;
  readonly tpm: SoftwareTpm | null;
  readonly #plant: Plant;
  readonly #directory: string;
  readonly #options: BoxOptions;
  readonly #firmware: Server;
  readonly #serial: Server;
  #flag = false;
  #power = false;
  #child: ChildProcess | null = null;
  #qmp: Qmp | null = null;
  #line: Socket | null = null;
  #shell: BoxConsole | null = null;
  #watcher: ((text: string) => void) | null = null;
  #running: Promise<void> = Promise.resolve();
  #failed: Error | null = null;

  private constructor(
    plant: Plant,
    directory: string,
    options: BoxOptions,
    card: Card,
    tpm: SoftwareTpm | null,
  ) {
    this.#plant = plant;
    this.#directory = directory;
    this.#options = options;
    this.card = card;
    this.tpm = tpm;
    this.#serial = createServer((socket) => this.#console(socket));
    this.#firmware = createServer((socket) => this.#told(socket));
  }

  /** A new box with the image of this minute on its card; not switched on. */
  static async assemble(t: Teardown, plant: Plant, options: BoxOptions): Promise<Box> {
    if (!existsSync(DISK)) throw new Error(`${DISK} is not there: scripts/image --board qemu-arm64`);
    const directory = mkdtempSync(join(tmpdir(), "niac-box-"));
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    const disk = join(directory, "card.img");
    if (options.kept) copy(options.kept.card, disk);
    else copyFileSync(DISK, disk, constants.COPYFILE_FICLONE);
    truncateSync(disk, CARD);
    if (options.settings !== null) writeTo(disk, "bootcfg", "niac.conf", options.settings);
    if (options.site !== undefined) writeTo(disk, "bootcfg", "site.yaml", options.site);
    const card = await Card.insert(t, disk, join(directory, "card"));
    const tpm = options.tpm === false ? null : await SoftwareTpm.start(t, options.kept?.tpm);
    // switched on with the box
    await tpm?.off();
    const box = new Box(plant, directory, options, card, tpm);
    mkdirSync(join(directory, "loaded"));
    await Promise.all([listen(box.#serial, box.#at("console")), listen(box.#firmware, box.#at("firmware"))]);
    t.teardown(async () => {
      await box.#stop();
      box.#serial.close();
      box.#firmware.close();
    });
    return box;
  }

  /** The boot that runs, or ran last. */
  get boot(): Boot {
    const last = this.boots.at(-1);
    if (last === undefined) throw new Error("the box was never switched on");
    return last;
  }

  /** Switches it on; returns when QEMU runs. */
  async on(): Promise<void> {
    if (this.#power) throw new Error("the box is on");
    const before = this.boots.length;
    this.#power = true;
    this.#failed = null;
    this.#running = this.#run().catch((error: unknown) => {
      this.#failed = error instanceof Error ? error : new Error(String(error));
      this.#power = false;
    });
    await this.until(() => this.boots.length > before, "QEMU to start");
  }

  /** Takes the power away: what the card had not flushed is mostly lost, the one-shot flag too. Returns how many blocks were lost. */
  async cut(seed: number): Promise<number> {
    await this.#stop();
    this.#flag = false;
    return this.card.cut(seed);
  }

  /** As the box does it itself: it shuts down. Returns when it is off. */
  async shutDown(): Promise<void> {
    const shell = await this.shell();
    // It answers nothing more.
    void shell.run("systemctl poweroff").catch(() => undefined);
    await this.until(() => !this.#power, "the box to switch itself off");
    await this.#running;
  }

  /** Shows the console to somebody as it comes; what is typed goes in by the returned function. */
  terminal(show: (text: string) => void): (text: string) => void {
    this.#watcher = show;
    return (text) => void this.#line?.write(text);
  }

  /** The root shell on the serial console of the boot that runs. */
  async shell(): Promise<BoxConsole> {
    const boot = this.boot;
    this.#shell ??= await BoxConsole.open(
      () => this.#line,
      () => {
        if (this.#failed !== null) throw this.#failed;
        return boot.console;
      },
      () => boot.ended,
    );
    return this.#shell;
  }

  async out(command: string, patience?: number): Promise<string> {
    return (await this.shell()).out(command, patience);
  }

  /** Waits until the console of the boot that runs says something. */
  async says(pattern: RegExp, patience?: number): Promise<void> {
    await this.until(() => pattern.test(this.boot.console), `the console to say ${pattern}`, patience);
  }

  /** Waits until a boot has begun that was none of the first `count`. */
  async bootsAgain(count: number = this.boots.length, patience?: number): Promise<Boot> {
    await this.until(() => this.boots.length > count, `a start after ${count}`, patience);
    return this.boot;
  }

  /** Waits for a condition; fails at once where the bed cannot go on, and with the console's end. */
  async until(condition: () => boolean | Promise<boolean>, what: string, patience = PATIENCE): Promise<void> {
    const look = async (): Promise<boolean> => {
      if (this.#failed !== null) throw this.#failed;
      const began = Date.now();
      const is = await condition();
      // To ask is work for the box, and it has its own: half of the time at most.
      if (!is) await new Promise((resolve) => setTimeout(resolve, Date.now() - began));
      return is;
    };
    try {
      await until(look, what, patience);
    } catch (error) {
      const last = this.boots.at(-1);
      throw new Error(
        `${String(error)}; the console's end:\n${last?.console.slice(-3_000) ?? "(never on)"}`,
        {
          cause: error,
        },
      );
    }
  }

  /** Seconds of this computer's processor that the boot which runs has taken, where a busy computer's clock says little. */
  get processorSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child?.pid}/stat`, "utf8");
    // proc_pid_stat(5): after the name come the 3rd field and on; user and system time are the 14th and 15th.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  }

  /** QEMU's machine protocol. */
  get qmp(): Qmp {
    if (this.#qmp === null) throw new Error("QEMU does not run");
    return this.#qmp;
  }

  /** The other end of its serial line to machines, a pseudo-terminal of this boot. */
  async serialLine(): Promise<string> {
    const devices = chardevs.parse(await this.qmp.ask("query-chardev"));
    const path = devices.find(({ label }) => label === "line")?.filename.replace(/^pty:/, "");
    if (path === undefined) throw new Error("QEMU has no pseudo-terminal for the serial line");
    return path;
  }

  /** Plugs a file in as a USB stick. */
  async plugIn(stick: string): Promise<void> {
    await this.qmp.ask("blockdev-add", {
      driver: "file",
      "node-name": "stick",
      filename: stick,
      "read-only": true,
    });
    await this.qmp.ask("device_add", { driver: "usb-storage", id: "stick", bus: "usb.0", drive: "stick" });
  }

  #at(name: string): string {
    return join(this.#directory, name);
  }

  async #run(): Promise<void> {
    for (let starts = 0; this.#power; starts++) {
      if (starts === STARTS) throw new Error(`the box started ${STARTS} times in a row`);
      // The firmware reads what the card holds, flushed or not: its power was never away.
      await this.card.settle();
      const loaded = load(this.card.file, this.#flag, this.#at("loaded"));
      this.#flag = false;
      await this.tpm?.on();
      await this.#start(loaded);
      await this.tpm?.off();
      if (this.boot.ended === "guest-shutdown" || this.boot.ended === "power") this.#power = false;
    }
  }

  async #start(loaded: Loaded): Promise<void> {
    const qmpPath = this.#at("qmp");
    rmSync(qmpPath, { force: true });
    const commandLine = `${loaded.commandLine} ${this.#options.commandLine ?? ""}`.trimEnd();
    const wiring = {
      directory: this.#at("loaded"),
      card: this.card.socket,
      tpm: this.tpm?.path ?? null,
      console: this.#at("console"),
      firmware: this.#at("firmware"),
      qmp: qmpPath,
      macs: MACS,
    };
    const words = qemuWords(wiring, { ...loaded, commandLine });
    const boot: Boot = {
      slot: loaded.slot,
      tryboot: loaded.tryboot,
      console: "",
      began: Date.now(),
      ended: null,
    };
    this.boots.push(boot);
    this.#shell = null;
    const child = this.#plant.spawn("box", "qemu-system-aarch64", words);
    this.#child = child;
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
    const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const dead = (): boolean => child.exitCode !== null || child.signalCode !== null;
    await until(() => existsSync(qmpPath) || dead(), "QEMU's socket");
    let reason = "power";
    if (!dead())
      this.#qmp = await Qmp.connect(qmpPath, (event, data) => {
        if (event === "WATCHDOG") reason = "watchdog";
        if (event === "SHUTDOWN" && reason !== "watchdog") reason = String(data["reason"]);
      });
    await gone;
    this.#qmp = null;
    this.#child = null;
    boot.ended = reason;
    if (reason === "power" && this.#power) throw new Error(`QEMU ended by itself: ${said}`);
  }

  async #stop(): Promise<void> {
    this.#power = false;
    if (this.#child) await end(this.#child, "SIGKILL");
    await this.#running;
  }

  #console(socket: Socket): void {
    const boot = this.boot;
    this.#line = socket;
    socket.setEncoding("utf8").on("data", (text: string | Buffer) => {
      boot.console += String(text).replaceAll("\r", "");
      this.#watcher?.(String(text));
    });
    socket.on("error", () => socket.destroy());
  }

  /** What the box tells its firmware: whether the next start is to be a trial of the other slot. */
  #told(socket: Socket): void {
    let rest = "";
    socket.setEncoding("utf8").on("data", (text: string | Buffer) => {
      const lines = (rest + String(text)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "tryboot") this.#flag = true;
        else if (line === "clear") this.#flag = false;
        else if (line !== "") this.#failed = new Error(`the box told its firmware ${JSON.stringify(line)}`);
      }
    });
    socket.on("error", () => socket.destroy());
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}
