/** Distinct ports, up to all 65,536 of them: a short list for the common case, a bit for each once there are many. */

const LISTED = 16;
const PORTS = 0x1_0000;

export class PortSet {
  #listed: number[] = [];
  #bits: Uint8Array | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `port`: 0 to 65535. */
  add(port: number): void {
    const bits = this.#bits;
    if (bits !== null) {
      const mask = 1 << (port & 7);
      if ((bits[port >> 3]! & mask) !== 0) return;
      bits[port >> 3]! |= mask;
      this.#size++;
      return;
    }
    if (this.#listed.includes(port)) return;
    if (this.#listed.length < LISTED) {
      this.#listed.push(port);
      this.#size++;
      return;
    }
    const listed = this.#listed;
    this.#bits = new Uint8Array(PORTS / 8);
    this.#listed = [];
    this.#size = 0;
    for (const known of listed) this.add(known);
    this.add(port);
  }

  /** The lowest `most` of them, ascending. */
  lowest(most: number): number[] {
    const ports: number[] = [];
    for (const port of this) {
      if (ports.length >= most) break;
      ports.push(port);
    }
    return ports;
  }

  /** Ascending. */
  *[Symbol.iterator](): Generator<number, undefined> {
    const bits = this.#bits;
    if (bits === null) {
      yield* this.#listed.toSorted((a, b) => a - b);
      return;
    }
    for (const [i, byte] of bits.entries()) {
      for (let bit = 0; byte >> bit !== 0; bit++) if ((byte >> bit) & 1) yield i * 8 + bit;
    }
  }
}
