/** The panel's input device (gpio-keys): found, asked how it stands, heard, and found again where it went. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { messageOf, systemCode } from "../base/index.ts";
import { parseInputEvents } from "./input-event.ts";
import {
  differences,
  edgesOf,
  inputsOf,
  UNKNOWN_INPUTS,
  type InputBitmaps,
  type PanelEdge,
  type PanelInputs,
} from "./panel-inputs.ts";

/** The addon's share; isolation/ has it. */
export interface InputAddon {
  openInput(path: string): number;
  inputIdentity(fd: number): { readonly name: string; readonly bus: number };
  inputState(fd: number): InputBitmaps;
  watch(
    fd: number,
    perTurn: number,
    onPackets: (packets: Buffer[]) => void,
    onError: (error: Error) => void,
  ): { close(): void };
  closeFd(fd: number): void;
}

/** Soldered to the board (linux/input.h). What is plugged in comes by another bus, and may bear any name: a USB stick can say it is the panel. */
const BUS_HOST = 0x19;
/** Reads in a turn of the event loop; each takes all that waits. */
const PER_TURN = 4;

export class PanelDevice {
  readonly #addon: InputAddon;
  readonly #name: string;
  readonly #changed: (edges: readonly PanelEdge[]) => void;
  readonly #directory: string;
  #open: { readonly fd: number; readonly watch: { close(): void } } | null = null;
  #rest: Buffer = Buffer.alloc(0);
  #inputs = UNKNOWN_INPUTS;
  #problem: string | null = null;

  /** `changed`: told of every change in order, from the first state on; where the device goes, of all it knew becoming unknown (null). */
  constructor(
    addon: InputAddon,
    name: string,
    changed: (edges: readonly PanelEdge[]) => void,
    directory = "/dev/input",
  ) {
    this.#addon = addon;
    this.#name = name;
    this.#changed = changed;
    this.#directory = directory;
  }

  get inputs(): PanelInputs {
    return this.#inputs;
  }

  /** Why it is not heard, for the reader; null: it is. */
  get problem(): string | null {
    return this.#open === null ? (this.#problem ?? "it was not looked for yet") : null;
  }

  /** Looks for it where it is not open; to be called every few seconds. */
  look(): void {
    if (this.#open !== null) return;
    let inputs: PanelInputs;
    try {
      inputs = this.#take(this.#find());
    } catch (error) {
      this.#problem = messageOf(error);
      return;
    }
    this.#is(inputs);
  }

  close(): void {
    this.#open?.watch.close();
    this.#open = null;
  }

  /** Its events wait from the moment it was opened, so nothing is missed between asking and watching. */
  #take(fd: number): PanelInputs {
    try {
      const inputs = inputsOf(this.#addon.inputState(fd));
      const watch = this.#addon.watch(
        fd,
        PER_TURN,
        (packets) => this.#heard(packets),
        (error) => this.#gone(error),
      );
      this.#open = { fd, watch };
      return inputs;
    } catch (error) {
      this.#addon.closeFd(fd);
      throw error;
    }
  }

  /** Two that bear the name are none: nobody could say which of them the person turned. */
  #find(): number {
    const found: number[] = [];
    const denied: string[] = [];
    for (const file of inputFiles(this.#directory)) {
      try {
        const fd = this.#addon.openInput(join(this.#directory, file));
        if (this.#isPanel(fd)) found.push(fd);
        else this.#addon.closeFd(fd);
      } catch (error) {
        // Gone since it was listed, or another's that niac has no business with.
        if (systemCode(error) === "EACCES") denied.push(file);
      }
    }
    const [only, ...others] = found;
    if (only !== undefined && others.length === 0) return only;
    for (const fd of found) this.#addon.closeFd(fd);
    if (only !== undefined)
      throw new Error(`${found.length} input devices of the board are named ${this.#name}`);
    const unread = denied.length === 0 ? "" : ` (${denied.join(", ")} may not be read)`;
    throw new Error(`no input device of the board is named ${this.#name}${unread}`);
  }

  #isPanel(fd: number): boolean {
    try {
      const { name, bus } = this.#addon.inputIdentity(fd);
      return name === this.#name && bus === BUS_HOST;
    } catch {
      return false;
    }
  }

  #heard(packets: readonly Buffer[]): void {
    const { events, rest } = parseInputEvents(Buffer.concat([this.#rest, ...packets]));
    this.#rest = rest;
    const { after, edges, dropped } = edgesOf(this.#inputs, events);
    this.#inputs = after;
    if (edges.length > 0) this.#changed(edges);
    if (!dropped || this.#open === null) return;
    try {
      this.#is(inputsOf(this.#addon.inputState(this.#open.fd)));
    } catch (error) {
      this.#gone(error);
    }
  }

  #is(inputs: PanelInputs): void {
    const edges = differences(this.#inputs, inputs);
    this.#inputs = inputs;
    if (edges.length > 0) this.#changed(edges);
  }

  #gone(error: unknown): void {
    this.close();
    this.#rest = Buffer.alloc(0);
    this.#problem = `it went away (${systemCode(error) || messageOf(error)})`;
    this.#is(UNKNOWN_INPUTS);
  }
}

function inputFiles(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => /^event\d{1,6}$/.test(name));
  } catch {
    // A computer without input devices has no such folder.
    return [];
  }
}
