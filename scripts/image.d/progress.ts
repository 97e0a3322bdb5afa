/** What is under way, for the person who waits: a line a step, with its time. */
export class Progress {
  readonly #total: number;
  readonly #print: (text: string) => void;
  readonly #times: { readonly step: string; readonly seconds: number }[] = [];
  #step = 0;

  constructor(total: number, print: (text: string) => void) {
    this.#total = total;
    this.#print = print;
  }

  get times(): readonly { readonly step: string; readonly seconds: number }[] {
    return this.#times;
  }

  async step<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#step++;
    const began = performance.now();
    this.#print(`[${this.#step}/${this.#total}] ${what} ...`);
    const done = await work();
    const seconds = (performance.now() - began) / 1000;
    this.#times.push({ step: what, seconds });
    this.#print(` ${seconds.toFixed(1)} s\n`);
    return done;
  }
}
