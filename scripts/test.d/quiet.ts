/** Keeps what must run alone apart from what may run beside other work. */
export class Quiet {
  #running = 0;
  /** Who runs alone or waits to. */
  #alone = 0;
  #last: Promise<unknown> = Promise.resolve();
  #idle = Promise.withResolvers<void>();

  /** Runs `work` beside others of its kind, once nobody runs alone or waits to. */
  async beside<Result>(work: () => Promise<Result>): Promise<Result> {
    while (this.#alone > 0) await this.#last;
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
      if (this.#running === 0) {
        this.#idle.resolve();
        this.#idle = Promise.withResolvers();
      }
    }
  }

  /** Runs `work` once nothing else runs; nothing begins before it has ended. For nobody within `beside`, who would wait for himself. */
  async alone<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#alone++;
    const mine = this.#last.then(() => this.#whenIdle()).then(work);
    // Whether it failed is for who asked for it.
    this.#last = Promise.allSettled([mine]);
    try {
      return await mine;
    } finally {
      this.#alone--;
    }
  }

  async #whenIdle(): Promise<void> {
    if (this.#running > 0) await this.#idle.promise;
  }
}
