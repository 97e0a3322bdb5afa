/** What must be renewed again and again before it ends: when, and what of failures. */
import type { Clock } from "./clock.ts";
import { messageOf, NiacError } from "./errors.ts";

/** What is to be had; compared as JSON. */
export interface Wish {
  /** Milliseconds between renewals, as far as what is renewed lives that long. */
  readonly every: number;
}

/** How it stands. `notAfter` null: there has been none yet. `problem`: of the last attempt, null where it succeeded. */
export interface RenewalState {
  readonly notAfter: number | null;
  readonly problem: string | null;
}

export interface RenewalHost<W extends Wish> {
  readonly clock: Clock;
  /** Gets it and puts it into use; how long it lasts. Rejects, and leaves the old one in use, where that fails. */
  renew(wish: W): Promise<{ readonly notAfter: number }>;
  /** After every attempt. `turned`: the first failure after a success or at the start, or the first success after failures. */
  tell(state: RenewalState, turned: boolean): void;
  /** The part of what is left of its life after which it is renewed, from 0 to 1, where that is sooner than `every`. */
  readonly share: number;
  /** Milliseconds between two tries at most; default: a sixth of `every`. */
  readonly patience?: number;
}

/** Milliseconds until the first try after a failure; it doubles from there. */
const SOONEST = 1_000;
const PART = 6;
/** Milliseconds between looks at the clock at most: longer timers overflow, and a clock that was set is seen at once. */
const LOOK = 1_000;

/**
 * Milliseconds until the next try after so many failures, `most` at most, the upper half of them by chance (`random`, from 0 to
 * 1), so that boxes which failed together do not try together.
 */
export function backOff(failures: number, most: number, random: number): number {
  const pause = Math.min(SOONEST * 2 ** Math.min(failures - 1, 30), most);
  return pause / 2 + (pause / 2) * random;
}

export class Renewal<W extends Wish> {
  readonly #host: RenewalHost<W>;
  #wish: W | null = null;
  #state: RenewalState = { notAfter: null, problem: null };
  #failures = 0;
  #turning = false;
  #stopped = false;
  #timer: NodeJS.Timeout | null = null;
  /** Of the monotonic clock. */
  #due = 0;
  /** What the wall clock was ahead of the monotonic one at the last attempt. */
  #ahead = 0;

  constructor(host: RenewalHost<W>) {
    this.#host = host;
  }

  get state(): RenewalState {
    return this.#state;
  }

  /** One that is in use already, from before this process: it is renewed when its time comes. */
  resume(wish: W, notAfter: number): void {
    this.#wish = wish;
    this.#state = { notAfter, problem: null };
    this.#schedule(wish);
  }

  /**
   * What is wished from now on; another wish than the last is fulfilled at once, and so is the same one where its last attempt failed.
   * Null: nothing is renewed any more.
   */
  wish(wish: W | null): void {
    const changed = !same(this.#wish, wish);
    this.#wish = wish;
    if (changed || this.#failures > 0) this.now();
  }

  /** Renews now, unless that is under way. */
  now(): void {
    if (!this.#turning && !this.#stopped && this.#wish !== null) void this.#turn();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  async #turn(): Promise<void> {
    this.#turning = true;
    for (let wish = this.#wish; wish !== null && !this.#stopped; wish = this.#wish) {
      const problem = await this.#attempt(wish);
      // Something else was wished for meanwhile: whatever came of this is of no interest.
      if (!same(wish, this.#wish)) continue;
      this.#turning = false;
      if (!this.#stopped) this.#settle(wish, problem);
      return;
    }
    this.#turning = false;
  }

  /** The words for what went wrong, or null. */
  async #attempt(wish: W): Promise<string | null> {
    try {
      const { notAfter } = await this.#host.renew(wish);
      this.#state = { notAfter, problem: null };
      return null;
    } catch (error) {
      const advice = error instanceof NiacError ? error.advice : undefined;
      return advice === undefined ? messageOf(error) : `${messageOf(error)} (${advice})`;
    }
  }

  #settle(wish: W, problem: string | null): void {
    const failed = this.#failures > 0;
    this.#failures = problem === null ? 0 : this.#failures + 1;
    this.#state = { notAfter: this.#state.notAfter, problem };
    this.#schedule(wish);
    this.#host.tell(this.#state, failed === (problem === null));
  }

  #schedule({ every }: Wish): void {
    const { clock, share } = this.#host;
    const now = clock.monotonic();
    const left = Math.max(0, (this.#state.notAfter ?? 0) - clock.now());
    const failed = this.#failures > 0;
    this.#ahead = clock.now() - now;
    this.#due =
      now +
      (failed ? backOff(this.#failures, this.#patience(), Math.random()) : Math.min(every, left * share));
    this.#wait();
  }

  #patience(): number {
    return this.#host.patience ?? (this.#wish?.every ?? 0) / PART;
  }

  #wait(): void {
    if (this.#timer) clearTimeout(this.#timer);
    const left = Math.max(0, this.#due - this.#host.clock.monotonic());
    this.#timer = setTimeout(() => this.#look(), Math.min(left, LOOK));
  }

  #look(): void {
    const { clock } = this.#host;
    const jump = Math.abs(clock.now() - clock.monotonic() - this.#ahead);
    // What was made by a clock that has been set since may not be valid any more, or not yet.
    if (clock.monotonic() >= this.#due || jump > this.#patience()) this.now();
    else this.#wait();
  }
}

function same(one: Wish | null, other: Wish | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
