import type { Grant } from "../site/index.ts";

/** Buckets kept at most before those that are full again are dropped. */
const MAX_BUCKETS = 4096;

interface Bucket {
  tokens: number;
  /** Monotonic milliseconds. */
  at: number;
}

/**
 * Token buckets, one for each grant and user, shared over all sessions of that user: `operationsPerSecond`, with a
 * burst of one second's worth and at least one operation. `monotonic` gives milliseconds of a clock that never goes back;
 * should it do so nevertheless, nothing is refilled for the step.
 */
export class RateBook {
  readonly #buckets = new Map<string, Map<string, Bucket>>();
  #size = 0;
  readonly #monotonic: () => number;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** Whether `take` would succeed. */
  has(grant: Grant, user: string): boolean {
    const rate = grant.rate?.operationsPerSecond ?? null;
    return rate === null || (rate > 0 && this.#fill(grant.name, rate, user).tokens >= 1);
  }

  /** Spends one operation; false, and nothing spent, where there is none left. */
  take(grant: Grant, user: string): boolean {
    const rate = grant.rate?.operationsPerSecond ?? null;
    if (rate === null) return true;
    if (!(rate > 0)) return false;
    const bucket = this.#fill(grant.name, rate, user);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #fill(name: string, rate: number, user: string): Bucket {
    const now = this.#monotonic();
    const burst = Math.max(1, rate);
    const known = this.#buckets.get(name)?.get(user);
    if (known !== undefined) {
      const passed = Math.max(0, now - known.at);
      known.tokens = Math.min(burst, known.tokens + (passed * rate) / 1000);
      known.at = now;
      return known;
    }
    if (this.#size >= MAX_BUCKETS) this.#forget(now);
    const bucket = { tokens: burst, at: now };
    const users = this.#buckets.get(name);
    if (users === undefined) this.#buckets.set(name, new Map([[user, bucket]]));
    else users.set(user, bucket);
    this.#size += 1;
    return bucket;
  }

  /** A bucket idle for long is full for every rate of one operation in ten minutes and up, so nothing is given away. */
  #forget(now: number): void {
    for (const [name, users] of this.#buckets) {
      for (const [user, bucket] of users) {
        if (now - bucket.at < 600_000) continue;
        users.delete(user);
        this.#size -= 1;
      }
      if (users.size === 0) this.#buckets.delete(name);
    }
  }
}
