/** What of the box needs a person's eye, in words with what to do: `niac status`, the console and the lamp say the same. */
import type { Clock } from "../base/index.ts";
import type { BoxFault } from "../link/index.ts";

export class FaultBook {
  readonly #clock: Clock;
  readonly #faults = new Map<string, BoxFault>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `source`: what it is about, one fault each. `why`: null where nothing is wrong with it (any more). */
  set(source: string, why: string | null, advice = ""): void {
    if (why === null) {
      this.#faults.delete(source);
      return;
    }
    const since = this.#faults.get(source)?.since ?? this.#clock.now();
    this.#faults.set(source, { source, why, advice, since });
  }

  /** The oldest first. */
  get all(): BoxFault[] {
    return [...this.#faults.values()];
  }
}

/** What the serial console shows beside the name of the box: one line of how it stands, then each fault with what to do. */
export function stateText(standing: string, faults: readonly BoxFault[]): string {
  const lines = faults.flatMap(({ why, advice }) => [`! ${why}`, ...(advice === "" ? [] : [`  ${advice}`])]);
  return `${[standing, ...lines].join("\n")}\n`;
}
