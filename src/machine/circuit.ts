/** Milliseconds: the first pause after a failure, and the longest. */
export const FIRST_BACKOFF = 250;
export const LONGEST_BACKOFF = 30_000;

/**
 * Whether a machine is worth asking now. A failure opens the circuit for a pause that doubles up to its longest; then one
 * attempt is let through (half-open), and a success closes it. Pure but for its own state: time is handed in.
 */
export class Circuit {
  #failures = 0;
  #retryAt = 0;
  #lastError: string | null = null;

  get failures(): number {
    return this.#failures;
  }

  get lastError(): string | null {
    return this.#lastError;
  }

  state(now: number): "closed" | "open" | "half-open" {
    if (this.#failures === 0) return "closed";
    return now < this.#retryAt ? "open" : "half-open";
  }

  /** `spread` (0..1) keeps a fleet of boxes from trying in step. */
  failed(now: number, reason: string, spread: number): void {
    const pause = Math.min(FIRST_BACKOFF * 2 ** this.#failures, LONGEST_BACKOFF);
    this.#failures++;
    this.#retryAt = now + pause * (0.75 + 0.25 * spread);
    this.#lastError = reason;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#lastError = null;
  }
}
