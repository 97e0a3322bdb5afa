/** A board's pin table (hw/<board>/pins.yaml): read, and refused where its form is not this. What it says is judged in checks.ts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { UsageError } from "../../src/base/index.ts";
import { HEADER_GPIOS, PINS } from "./header.ts";

export const BOARDS = ["rpi4", "rpi5", "qemu-arm64"] as const;

const text = z.string().min(1).max(120);
const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);
const gpio = z.int().min(0).max(63);
const pin = z.int().min(1).max(PINS);
const ohms = z.number().positive();
/** A place that a wire is connected at: strip or jumper, and number. */
export const TERMINAL = /^(X|JP)\d+:\d+$/;
const terminal = z.string().regex(TERMINAL);

const lamp = z.strictObject({
  name,
  colour: z.enum(["green", "blue", "amber", "red"]),
  gpio,
  /** What the kernel has it do until niac tends it. */
  atStart: z.enum(["off", "blink"]).default("off"),
  /**
   * The pin drives a transistor through `gate`, which draws the LED's current through `resistor`. The LED's cathode is at `to`, its anode at
   * `far`, the +5 V. `forward`: volts over the LED.
   */
  wired: z
    .strictObject({
      pin,
      forward: z.number().positive(),
      resistor: ohms,
      gate: ohms,
      pullDown: ohms,
      to: terminal,
      far: terminal,
    })
    .optional(),
});

const contact = z.strictObject({
  name,
  /** What 1 means. */
  what: text,
  /** An event of the kernel's (input-event-codes.h): EV_KEY or EV_SW. */
  event: z.strictObject({ type: z.enum(["key", "switch"]), code: z.int().min(0).max(0x2ff) }),
  gpio,
  pull: z.enum(["up", "down"]),
  /** The pin's level at which the kernel reports 1. */
  active: z.enum(["low", "high"]),
  /** Milliseconds. */
  debounce: z.int().min(5).max(500),
  wired: z
    .strictObject({
      pin,
      volts: z.number(),
      contact: z.enum(["normally-open", "closed-while-shut", "jumper"]),
      pullUp: ohms,
      series: ohms,
      /** Nanofarads to 0 V. */
      filter: z.number().positive(),
      /** The pin's side of the contact, and its 0 V. */
      to: terminal,
      far: terminal,
    })
    .optional(),
});

const bus = z.strictObject({
  /** Lines of one name belong together. */
  name,
  part: text,
  signal: text,
  gpio,
  direction: z.enum(["in", "out", "both"]),
  /** Last part of the path of the device that has the pin, in the tree with the overlay on it. */
  node: text,
  wired: z.strictObject({
    pin,
    volts: z.number(),
    /** From the line to 0 V. */
    pullDown: ohms.optional(),
    to: text,
    note: text.optional(),
  }),
});

const supply = z.strictObject({
  pin,
  net: z.union([z.literal(0), z.literal(3.3), z.literal(5)]),
  to: text,
});

const boardSchema = z.strictObject({
  board: z.enum(BOARDS),
  what: text,
  /** What of it may be in a box, by a short name: a label's plate says which. */
  models: z.record(name, z.string().min(1).max(28)).refine((models) => Object.keys(models).length > 0),
  /** The overlay's source, beside it. */
  overlay: text,
  /** Of the pins: its label for the overlay, and its path. */
  controller: z.strictObject({ label: z.string().regex(/^[a-z][a-z0-9_]*$/), node: text }),
  /** Debian's trees that the overlay is for, below dtb/ of the kernel package. None: QEMU's own. */
  trees: z.array(text),
  lamps: z.array(lamp),
  contacts: z.array(contact),
  buses: z.array(bus),
  supply: z.array(supply),
});

export type Board = z.infer<typeof boardSchema>;
export type BoardLamp = Board["lamps"][number];
export type BoardContact = Board["contacts"][number];
export type BoardBus = Board["buses"][number];

/** Throws a ZodError or a YAMLParseError with the place. */
export function parseBoard(yaml: string): Board {
  return boardSchema.parse(parse(yaml, { maxAliasCount: 0 }));
}

export function readBoard(hw: string, board: string): Board {
  return parseBoard(readFileSync(join(hw, board, "pins.yaml"), "utf8"));
}

/** What a label calls the board. Throws a UsageError where `model` is none of its, or is left out and there are several. */
export function modelOf(board: Board, model: string | undefined): string {
  const models = Object.entries(board.models);
  const [found, ...others] = models.filter(([short]) => model === undefined || short === model);
  if (found !== undefined && others.length === 0) return found[1];
  const what = model === undefined ? `say which ${board.board} it is.` : `${board.board} is no ${model}.`;
  const names = models.map(([short]) => short).join(", ");
  throw new UsageError("hw-model", what, `--model is one of ${names}.`);
}

/** Something is soldered to it; else its lines are simulated. */
export function hasHeader(board: Board): boolean {
  return board.trees.length > 0;
}

/** A thing at a line of the board, whatever it is. */
export interface Use {
  /** For the reader: `lamp fault`, `tpm MISO`. */
  readonly who: string;
  readonly gpio: number;
  readonly pin: number | undefined;
  /** Highest level at the pin; null: simulated. */
  readonly volts: number | null;
  /** End of the path of the node that has the pin. */
  readonly node: string;
}

export function usesOf(board: Board): Use[] {
  return [
    ...board.lamps.map((one) => ({
      who: `lamp ${one.name}`,
      gpio: one.gpio,
      pin: one.wired?.pin,
      // The 5 V are behind the transistor.
      volts: one.wired === undefined ? null : 3.3,
      node: `niac-leds/led-${one.name}`,
    })),
    ...board.contacts.map((one) => ({
      who: one.name,
      gpio: one.gpio,
      pin: one.wired?.pin,
      volts: one.wired?.volts ?? null,
      node: `niac-panel/${one.name}`,
    })),
    ...board.buses.map((one) => ({
      who: `${one.name} ${one.signal}`,
      gpio: one.gpio,
      pin: one.wired.pin,
      volts: one.wired.volts,
      node: one.node,
    })),
  ];
}

/** GPIOs of the header that nothing uses. */
export function freeGpios(board: Board): number[] {
  const used = new Set(usesOf(board).map((use) => use.gpio));
  return Array.from({ length: HEADER_GPIOS }, (_, number) => number).filter((one) => !used.has(one));
}
