/** A lamp of the box, by the kernel's LED class (Documentation/leds/leds-class.rst). */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, systemCode } from "../base/index.ts";

export type LedState = "off" | "on" | "blink";

export class Led {
  readonly #box: string;
  readonly #lamp: string;
  readonly #say: (problem: string) => void;
  readonly #root: string;
  #state: LedState | null = null;
  #said = false;

  /**
   * The LED that the kernel lists as BOX:COLOUR:LAMP, whatever its colour. `say`: told once of a lamp that is missing or not to be set; both
   * are no error.
   */
  constructor(box: string, lamp: string, say: (problem: string) => void, root = "/sys/class/leds") {
    this.#box = box;
    this.#lamp = lamp;
    this.#say = say;
    this.#root = root;
  }

  set(state: LedState): void {
    // Set again, it would blink out of step.
    if (state === this.#state) return;
    try {
      const directory = this.#find();
      if (state === "blink") blink(directory);
      else steady(directory, state === "on");
      this.#state = state;
    } catch (error) {
      this.#state = null;
      if (this.#said) return;
      this.#said = true;
      this.#say(
        systemCode(error) === "ENOENT"
          ? `this box has no LED ${this.#box}:*:${this.#lamp} in ${this.#root}`
          : `the LED ${this.#box}:*:${this.#lamp} cannot be set ${state} (${systemCode(error) || messageOf(error)})`,
      );
    }
  }

  #find(): string {
    const [name] = readdirSync(this.#root)
      .filter((one) => one.startsWith(`${this.#box}:`) && one.endsWith(`:${this.#lamp}`))
      .toSorted();
    if (name === undefined) throw Object.assign(new Error("there is none"), { code: "ENOENT" });
    return join(this.#root, name);
  }
}

function steady(directory: string, on: boolean): void {
  const full = readFileSync(join(directory, "max_brightness"), "utf8").trim();
  write(directory, "trigger", "none");
  write(directory, "brightness", on ? full : "0");
}

/** The kernel's own pace, half a second on and half a second off: files to set another come with the trigger, and are root's. */
function blink(directory: string): void {
  try {
    write(directory, "trigger", "timer");
  } catch (error) {
    // A kernel without that trigger. A lamp that stays on still says that something is wrong.
    if (systemCode(error) !== "EINVAL") throw error;
    steady(directory, true);
  }
}

/** Only into what is there: an attribute is the kernel's to make. */
function write(directory: string, attribute: string, value: string): void {
  writeFileSync(join(directory, attribute), value, { flag: "r+" });
}
