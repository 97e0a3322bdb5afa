/**
 * Writes to one machine's service. Most may run side by side; one whose permission depends on the value the machine holds
 * (largest change, mask under a value limit) runs alone from the look at that value to the machine's answer, so that no other
 * session's write comes between.
 */
export class WriteGate {
  #shared = 0;
  #exclusive = false;
  readonly #waiting: Array<{ readonly alone: boolean; readonly start: () => void }> = [];

  /** Calls `start` now or when it may run; leave() with the same `alone` is owed afterwards. Order of arrival is kept. */
  enter(alone: boolean, start: () => void): void {
    if (this.#waiting.length === 0 && this.#free(alone)) {
      this.#take(alone);
      start();
    } else {
      this.#waiting.push({ alone, start });
    }
  }

  leave(alone: boolean): void {
    if (alone) this.#exclusive = false;
    else this.#shared--;
    for (let first = this.#waiting[0]; first && this.#free(first.alone); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#take(first.alone);
      first.start();
    }
  }

  #free(alone: boolean): boolean {
    return !this.#exclusive && (!alone || this.#shared === 0);
  }

  #take(alone: boolean): void {
    if (alone) this.#exclusive = true;
    else this.#shared++;
  }
}
