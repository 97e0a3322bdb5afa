/** Counts connections, in all and by source address, and says no before a handshake costs anything. */
export class Admission {
  #total = 0;
  readonly #bySource = new Map<string, number>();

  get total(): number {
    return this.#total;
  }

  /** Null: let in, and leave() is owed. Else the reason. */
  enter(
    source: string,
    limits: { readonly connections: number; readonly connectionsPerSource: number },
  ): string | null {
    if (this.#total >= limits.connections)
      return `the appliance has ${limits.connections} connections open, its limit`;
    const held = this.#bySource.get(source) ?? 0;
    if (held >= limits.connectionsPerSource) {
      return `${source} has ${limits.connectionsPerSource} connections open, the limit for one source`;
    }
    this.#total++;
    this.#bySource.set(source, held + 1);
    return null;
  }

  leave(source: string): void {
    this.#total--;
    const held = (this.#bySource.get(source) ?? 0) - 1;
    if (held > 0) this.#bySource.set(source, held);
    else this.#bySource.delete(source);
  }
}
