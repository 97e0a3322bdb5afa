import type { Clock } from "../base/index.ts";

/** Milliseconds by which clock and monotonic clock may differ, and for how long they must agree. */
const AGREED = 2_000;
const STEADY = 10 * 60_000;

interface Mark {
  readonly wall: number;
  readonly monotonic: number;
}

/**
 * The latest time known. It follows the clock only once that has run steadily for ten minutes, so that a clock set a year ahead for a
 * moment poisons nothing; it never goes back by itself. All times in milliseconds since the epoch.
 */
export class KnownTime {
  readonly #clock: Clock;
  #floor: number;
  /** Ten to twenty minutes ago, and up to ten minutes ago, unless the clock jumped since. */
  #older: Mark;
  #younger: Mark;
  #jumped = false;

  constructor(clock: Clock, floor: number) {
    this.#clock = clock;
    this.#floor = floor;
    this.#older = this.#younger = this.#mark();
  }

  get floor(): number {
    return this.#floor;
  }

  /** Milliseconds by which the clock stands before the latest time known; 0: it does not. */
  get behind(): number {
    return Math.max(0, Math.floor(this.#floor - this.#clock.now()));
  }

  /** To be called every few seconds. */
  look(): void {
    const now = this.#mark();
    const { wall, monotonic } = this.#older;
    const passed = now.monotonic - monotonic;
    if (Math.abs(now.wall - wall - passed) > AGREED) {
      this.#older = this.#younger = now;
      this.#jumped = true;
      return;
    }
    if (passed >= STEADY) {
      this.#jumped = false;
      this.#floor = Math.max(this.#floor, Math.floor(now.wall));
    }
    if (now.monotonic - this.#younger.monotonic < STEADY) return;
    this.#older = this.#younger;
    this.#younger = now;
  }

  /** By which a lock expires: a clock that has just jumped ahead must not unlock. */
  sure(): number {
    return this.#jumped ? this.#floor : Math.max(this.#floor, this.#clock.now());
  }

  /** A time that something signed has proven to be past. */
  known(time: number): void {
    this.#floor = Math.max(this.#floor, Math.floor(time));
  }

  /** Somebody who is asked for it says that the clock is right. */
  accept(): void {
    this.#floor = Math.floor(this.#clock.now());
    this.#older = this.#younger = this.#mark();
    this.#jumped = false;
  }

  #mark(): Mark {
    return { wall: this.#clock.now(), monotonic: this.#clock.monotonic() };
  }
}
