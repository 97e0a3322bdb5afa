/** What is under way, for the person who waits: a line a step, with its time. */
export class Progress {
  readonly #total: number;
  readonly #print: (text: string) => void;
  #step = 0;

  constructor(total: number, print: (text: string) => void) {
    this.#total = total;
    this.#print = print;
  }

  async step<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#step++;
    const began = performance.now();
    this.#print(`[${this.#step}/${this.#total}] ${what} ...`);
    const done = await work();
    this.#print(` ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
    return done;
  }

  /** What the step under way is at, where that takes minutes. */
  note(text: string): void {
    this.#print(` ${text} ...`);
  }
}
