/** Who may come how often: failed attempts by source, and connections. Pure but for the clock that is handed in. */
import { isIPv6 } from "node:net";

/** Failed attempts that a source has at once, and milliseconds until it gets one of them back. */
const ATTEMPTS = 10;
const REFILL = 60_000;
/** Sources remembered; beyond it, the one that was heard of longest ago is forgotten. */
const MAX_SOURCES = 10_000;

/** A client has an IPv4 address, or 2^64 IPv6 addresses: its network is one source. */
export function sourceOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail = ""] = address.split("%")[0]!.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0");
  return `${[...left, ...zeros, ...right].slice(0, 4).join(":")}::/64`;
}

/** Failed attempts to show who one is. A success gives none back: not to others, and not to who has one good code and guesses another. */
export class Attempts {
  readonly #spent = new Map<string, { count: number; at: number }>();

  /** Milliseconds until the source may try again; 0: now. `now`: of a monotonic clock. */
  wait(source: string, now: number): number {
    const held = this.#left(source, now);
    return held.count < ATTEMPTS ? 0 : Math.max(1, held.at + REFILL - now);
  }

  failed(source: string, now: number): void {
    const { count, at } = this.#left(source, now);
    this.#spent.delete(source);
    this.#spent.set(source, { count: Math.min(count + 1, ATTEMPTS), at });
    if (this.#spent.size <= MAX_SOURCES) return;
    const [oldest] = this.#spent.keys();
    if (oldest !== undefined) this.#spent.delete(oldest);
  }

  /** `at`: when the first of the spent ones began to come back. */
  #left(source: string, now: number): { count: number; at: number } {
    const held = this.#spent.get(source);
    if (held === undefined) return { count: 0, at: now };
    const back = Math.floor((now - held.at) / REFILL);
    if (back >= held.count) return { count: 0, at: now };
    return { count: held.count - back, at: held.at + back * REFILL };
  }
}

export const MAX_CONNECTIONS = 64;
export const MAX_CONNECTIONS_PER_SOURCE = 8;

interface Held {
  readonly source: string;
  /** It has sent a whole request, and an answer is on its way. */
  busy: boolean;
  readonly cut: () => void;
}

/**
 * Connections open now. A client that says nothing makes room for the next: at the limit, in all or of one source, the oldest
 * that has not sent its request is cut, and so those who stall hold up nobody who does not.
 */
export class Connections {
  readonly #held = new Map<string, Held>();

  get count(): number {
    return this.#held.size;
  }

  /** `key`: `address:port`. False: there is no room, because all that there are have sent their requests. */
  enter(key: string, source: string, cut: () => void): boolean {
    const same = [...this.#held.values()].filter((held) => held.source === source);
    if (same.length >= MAX_CONNECTIONS_PER_SOURCE && !this.#makeRoom(source)) return false;
    if (this.#held.size >= MAX_CONNECTIONS && !this.#makeRoom(null)) return false;
    this.#held.set(key, { source, busy: false, cut });
    return true;
  }

  busy(key: string): void {
    const held = this.#held.get(key);
    if (held) held.busy = true;
  }

  leave(key: string): void {
    this.#held.delete(key);
  }

  cutAll(): void {
    for (const { cut } of this.#held.values()) cut();
    this.#held.clear();
  }

  #makeRoom(source: string | null): boolean {
    for (const [key, held] of this.#held) {
      if (held.busy || (source !== null && held.source !== source)) continue;
      this.#held.delete(key);
      held.cut();
      return true;
    }
    return false;
  }
}
