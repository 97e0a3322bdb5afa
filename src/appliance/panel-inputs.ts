/** What a person does at the panel by hand, as codes of the kernel's (input-event-codes.h). Pure. */
import { EV_KEY, EV_SW, EV_SYN, SYN_DROPPED, type InputEvent } from "./input-event.ts";

/** `console`: the jumper on the board that opens the serial console. */
export const PANEL_INPUTS = ["keySwitch", "button", "cover", "console"] as const;
export type PanelInput = (typeof PANEL_INPUTS)[number];

/** True: the key turned on, the button pressed, the cover open, the jumper set. Null: this panel has none, or it is not known now. */
export type PanelInputs = Readonly<Record<PanelInput, boolean | null>>;

export interface PanelEdge {
  readonly input: PanelInput;
  readonly on: boolean | null;
}

/** Bit n%8 of byte n/8 for code n: what the device has, and what of it is on. */
export interface InputBitmaps {
  readonly keys: Buffer;
  readonly keysOn: Buffer;
  readonly switches: Buffer;
  readonly switchesOn: Buffer;
}

export const UNKNOWN_INPUTS: PanelInputs = Object.freeze({
  keySwitch: null,
  button: null,
  cover: null,
  console: null,
});

/**
 * BTN_TRIGGER_HAPPY1 to 3: keys that mean nothing to anybody else. SW_MACHINE_COVER: the kernel's 1 is a cover that is closed, so 0, of a wire
 * that is cut or a contact that is not there, is one that is open. `on`: the value that is true here.
 */
const CODES: Readonly<
  Record<PanelInput, { readonly type: number; readonly code: number; readonly on: 0 | 1 }>
> = {
  keySwitch: { type: EV_KEY, code: 0x2c0, on: 1 },
  button: { type: EV_KEY, code: 0x2c1, on: 1 },
  console: { type: EV_KEY, code: 0x2c2, on: 1 },
  cover: { type: EV_SW, code: 0x10, on: 0 },
};

/** How all of it stands. */
export function inputsOf({ keys, keysOn, switches, switchesOn }: InputBitmaps): PanelInputs {
  const state = (input: PanelInput): boolean | null => {
    const { type, code, on } = CODES[input];
    const [has, set] = type === EV_KEY ? [keys, keysOn] : [switches, switchesOn];
    return bit(has, code) ? bit(set, code) === (on === 1) : null;
  };
  return {
    keySwitch: state("keySwitch"),
    button: state("button"),
    cover: state("cover"),
    console: state("console"),
  };
}

function bit(map: Buffer, code: number): boolean {
  const byte = map[code >> 3];
  return byte !== undefined && (byte & (1 << (code & 7))) !== 0;
}

/**
 * What changed, one edge after the other: a button is pressed and released in one batch. `dropped`: some were lost, and how things stand
 * is to be asked.
 */
export function edgesOf(
  before: PanelInputs,
  events: readonly InputEvent[],
): { readonly after: PanelInputs; readonly edges: PanelEdge[]; readonly dropped: boolean } {
  const edges: PanelEdge[] = [];
  let after = before;
  let dropped = false;
  for (const { type, code, value } of events) {
    if (type === EV_SYN && code === SYN_DROPPED) dropped = true;
    const input = PANEL_INPUTS.find((one) => CODES[one].type === type && CODES[one].code === code);
    // 2 is a key that is held down, and nothing new.
    if (input === undefined || (value !== 0 && value !== 1)) continue;
    const on = value === CODES[input].on;
    if (after[input] === on) continue;
    after = { ...after, [input]: on };
    edges.push({ input, on });
  }
  return { after, edges, dropped };
}

/** What is otherwise in `after`. */
export function differences(before: PanelInputs, after: PanelInputs): PanelEdge[] {
  return PANEL_INPUTS.filter((input) => before[input] !== after[input]).map((input) => ({
    input,
    on: after[input],
  }));
}
