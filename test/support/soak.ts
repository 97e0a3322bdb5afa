/**
 * How long a test of test/soak goes on: so many minutes of its own (NIAC_SOAK_MINUTES, a decimal number), or so many short rounds
 * (NIAC_SOAK_ROUNDS); where neither is set, a dozen rounds. NIAC_SEED gives the same chance again.
 *
 *     const soak = Soak.fromEnvironment();
 *     t.timeout(soak.patience);
 *     while (soak.goesOn()) { ... soak.chance() ... }
 *     t.log(soak.summary("kills"));
 */
import { chance, SEED } from "./seed.ts";

const ROUNDS = 12;
const MINUTE = 60_000;
/** Milliseconds that a test may take beside its minutes: to begin, to end, and for its last round, on a slow computer, too. */
const BESIDE = 60 * MINUTE;
const MOST_ROUNDS = 1_000_000;
const MOST_MINUTES = 7 * 24 * 60;

export type SoakLength = { readonly minutes: number } | { readonly rounds: number };

export class Soak {
  readonly length: SoakLength;
  readonly seed: number;
  /** Numbers from 0 to below 1, the same for the same seed. */
  readonly chance: () => number;
  readonly #now: () => number;
  #rounds = 0;
  #until: number | null = null;

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(length: SoakLength, seed: number, now: () => number) {
    this.length = length;
    this.seed = seed;
    this.chance = chance(seed);
    this.#now = now;
  }

  static fromEnvironment(): Soak {
    return new Soak(soakLength(process.env), SEED, () => performance.now());
  }

  /** True while minutes or rounds are left, and the next round is counted; the first is always one. Minutes run from the first on. */
  goesOn(): boolean {
    this.#until ??= this.#now() + ("minutes" in this.length ? this.length.minutes * MINUTE : 0);
    const more =
      this.#rounds === 0 ||
      ("minutes" in this.length ? this.#now() < this.#until : this.#rounds < this.length.rounds);
    if (more) this.#rounds++;
    return more;
  }

  /** Rounds begun. */
  get rounds(): number {
    return this.#rounds;
  }

  /** Whether it is only a look: so many rounds, and no minutes. */
  get short(): boolean {
    return "rounds" in this.length;
  }

  /** Milliseconds for t.timeout(). */
  get patience(): number {
    return BESIDE + ("minutes" in this.length ? this.length.minutes * MINUTE : 0);
  }

  /** One of them, by chance. */
  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[Math.floor(this.chance() * items.length)] ?? items[0];
  }

  /** For t.log(). */
  summary(...done: readonly string[]): string {
    return `${[`${this.#rounds} rounds`, ...done].join(", ")}; NIAC_SEED=${this.seed}`;
  }
}

/** Throws an Error that says which setting is no number. */
export function soakLength(environment: Readonly<Record<string, string | undefined>>): SoakLength {
  const minutes = environment["NIAC_SOAK_MINUTES"];
  if (minutes !== undefined && minutes !== "")
    return { minutes: number("NIAC_SOAK_MINUTES", minutes, /^\d+(?:\.\d+)?$/, MOST_MINUTES) };
  const rounds = environment["NIAC_SOAK_ROUNDS"];
  if (rounds !== undefined && rounds !== "")
    return { rounds: number("NIAC_SOAK_ROUNDS", rounds, /^\d+$/, MOST_ROUNDS) };
  return { rounds: ROUNDS };
}

function number(name: string, text: string, pattern: RegExp, most: number): number {
  const value = pattern.test(text) ? Number(text) : 0;
  if (value > 0 && value <= most) return value;
  throw new Error(`${name} is "${text}"; it takes a number above 0 and up to ${most}`);
}
