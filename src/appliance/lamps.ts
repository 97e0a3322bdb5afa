/**
 * What the lamps say. The person who reads them stands before the machine and has no screen.
 *
 * | lamp      | off                                 | blinks                                             | on                                       |
 * | --------- | ----------------------------------- | -------------------------------------------------- | ---------------------------------------- |
 * | power     | no power, or niac does not run      | starts or stops                                    | niac runs                                |
 * | protected | the box does not stand in the cable | closed, or something of the protection is missing  | the site's rules are in force            |
 * | session   | nobody is connected                 | somebody has changed something in the last 5 s     | somebody with a certificate is connected |
 * | refused   | nothing was refused                 |                                                    | something was refused in the last 5 s    |
 * | fault     | nothing is wrong                    | something needs a person's eye: `niac status`      | the cover is or was open, not acknowledged |
 *
 * Where control ends without being asked, its unit sets them: power off, fault blinking (image/rootfs/usr/lib/niac/lamp).
 */
import { Led, type LedState } from "./led.ts";

export const LAMPS = ["power", "protected", "session", "refused", "fault"] as const;
export type Lamp = (typeof LAMPS)[number];

export interface BoxLight {
  readonly phase: "starting" | "running" | "stopping";
  /** none: does not stand in the cable. whole: the site's rules are in force and laptops are let in; part: anything between. */
  readonly protection: "none" | "part" | "whole";
  /** Of people with a certificate. */
  readonly sessions: "none" | "open" | "writing";
  /** Something was refused a moment ago. */
  readonly refused: boolean;
  readonly fault: "none" | "some" | "tampered";
}

const PROTECTED = { none: "off", part: "blink", whole: "on" } as const;
const SESSION = { none: "off", open: "on", writing: "blink" } as const;
const FAULT = { none: "off", some: "blink", tampered: "on" } as const;

export function lampsOf({
  phase,
  protection,
  sessions,
  refused,
  fault,
}: BoxLight): Readonly<Record<Lamp, LedState>> {
  return {
    power: phase === "running" ? "on" : "blink",
    protected: PROTECTED[protection],
    session: SESSION[sessions],
    refused: refused ? "on" : "off",
    fault: FAULT[fault],
  };
}

/** All five; those that the box does not have are told once. */
export class Lamps {
  readonly #leds: Readonly<Record<Lamp, Led>>;

  constructor(box: string, say: (problem: string) => void, root?: string) {
    const led = (lamp: Lamp): Led => new Led(box, lamp, say, root);
    this.#leds = {
      power: led("power"),
      protected: led("protected"),
      session: led("session"),
      refused: led("refused"),
      fault: led("fault"),
    };
  }

  show(light: BoxLight): void {
    const states = lampsOf(light);
    for (const lamp of LAMPS) this.#leds[lamp].set(states[lamp]);
  }
}
