/** A lamp of the box, by the kernel's LED class (Documentation/leds/leds-class.rst). */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, systemCode, UsageError } from "../base/index.ts";

export type LedState = "off" | "on" | "blink";

/** Milliseconds on, and off again. */
const BLINK = "500";

export class Led {
  readonly #name: string;
  readonly #directory: string;
  readonly #say: (problem: string) => void;
  #state: LedState | null = null;
  #said = false;

  /** `name`: as the kernel lists it, e.g. `fault` or `red:fault`. `say`: told once of a lamp that is missing or not to be set; both are no error. */
  constructor(name: string, say: (problem: string) => void, root = "/sys/class/leds") {
    if (!/^[\w:-]{1,64}$/.test(name)) {
      throw new UsageError(
        "led-name",
        `${JSON.stringify(name)} is no name of an LED: letters, digits, and _ : -`,
      );
    }
    this.#name = name;
    this.#directory = join(root, name);
    this.#say = say;
  }

  set(state: LedState): void {
    // Set again, it would blink out of step.
    if (state === this.#state) return;
    try {
      if (state === "blink") this.#blink();
      else this.#steady(state === "on");
      this.#state = state;
    } catch (error) {
      this.#state = null;
      if (this.#said) return;
      this.#said = true;
      const missing = systemCode(error) === "ENOENT";
      this.#say(
        missing
          ? `this box has no LED ${this.#name} (${this.#directory} is missing)`
          : `the LED ${this.#name} cannot be set ${state} (${systemCode(error) || messageOf(error)})`,
      );
    }
  }

  #steady(on: boolean): void {
    const full = readFileSync(join(this.#directory, "max_brightness"), "utf8").trim();
    this.#write("trigger", "none");
    this.#write("brightness", on ? full : "0");
  }

  #blink(): void {
    try {
      this.#write("trigger", "timer");
    } catch (error) {
      // A kernel without that trigger. A lamp that stays on still says that something is wrong.
      if (systemCode(error) !== "EINVAL") throw error;
      this.#steady(true);
      return;
    }
    this.#write("delay_on", BLINK);
    this.#write("delay_off", BLINK);
  }

  /** Only into what is there: an attribute is the kernel's to make. */
  #write(attribute: string, value: string): void {
    writeFileSync(join(this.#directory, attribute), value, { flag: "r+" });
  }
}
