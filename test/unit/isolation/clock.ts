import type { Clock } from "../../../src/base/index.ts";

/** A clock that a test sets; it starts on a day in 2026. Milliseconds. */
export class TestClock implements Clock {
  readonly start = Date.UTC(2026, 10, 22, 8);
  #passed = 0;

  now(): number {
    return this.start + this.#passed;
  }

  monotonic(): number {
    return 1_000_000 + this.#passed;
  }

  pass(milliseconds: number): void {
    this.#passed += milliseconds;
  }
}
