/** Something with bytes to write that wants to be asked once a turn. */
export interface Flushable {
  flush(): void;
}

/**
 * One write per socket and event-loop turn: whoever has bytes to send says so, and is flushed after all input of the turn was
 * read. Thirty sessions' requests that arrived together leave in one write to the machine.
 */
export class Flusher {
  #dirty: Flushable[] = [];
  #spare: Flushable[] = [];
  #scheduled = false;
  readonly #run = (): void => this.flush();

  /** The caller keeps track of whether it is already in. */
  add(flushable: Flushable): void {
    this.#dirty.push(flushable);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  flush(): void {
    this.#scheduled = false;
    const dirty = this.#dirty;
    this.#dirty = this.#spare;
    for (const flushable of dirty) flushable.flush();
    dirty.length = 0;
    this.#spare = dirty;
  }
}
