/** Something with bytes to write that wants to be asked once. */
export interface Flushable {
  flush(): void;
}

/**
 * One write per socket and event-loop turn: whoever has bytes to send says so, and is flushed after all input of the turn was
 * read. Thirty sessions' requests that arrived together leave in one write to the machine. Between hold() and release() nothing
 * is flushed, and at the last release() everything is at once: for who knows that it has all that will come.
 */
export class Flusher {
  #dirty: Flushable[] = [];
  #spare: Flushable[] = [];
  #scheduled = false;
  #holds = 0;
  readonly #run = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  /** The caller keeps track of whether it is already in. */
  add(flushable: Flushable): void {
    this.#dirty.push(flushable);
    if (this.#scheduled || this.#holds > 0) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  /** release() is owed, in a finally. */
  hold(): void {
    this.#holds++;
  }

  release(): void {
    this.#holds--;
    if (this.#holds === 0) this.flush();
  }

  flush(): void {
    const dirty = this.#dirty;
    if (dirty.length === 0) return;
    this.#dirty = this.#spare;
    for (const flushable of dirty) flushable.flush();
    dirty.length = 0;
    this.#spare = dirty;
  }
}
