import type { Transaction } from "./transaction.ts";

/**
 * Requests in flight on one connection, by the transaction id niac gave them: a flat table indexed by the id's low bits, so
 * neither sending nor matching searches or allocates. An id is never given again while its slot is taken.
 */
export class Slots {
  readonly #mask: number;
  readonly #ids: Uint16Array;
  readonly #sentAt: Float64Array;
  readonly #transactions: Array<Transaction | null>;
  /** Slots whose request timed out and whose answer may still come. */
  readonly #expired: Uint8Array;
  #next = 0;
  #pending = 0;
  #late = 0;

  constructor(maxPending: number) {
    let size = 64;
    while (size < maxPending * 2) size *= 2;
    this.#mask = size - 1;
    this.#ids = new Uint16Array(size);
    this.#sentAt = new Float64Array(size);
    this.#transactions = Array.from({ length: size }, () => null);
    this.#expired = new Uint8Array(size);
  }

  get pending(): number {
    return this.#pending;
  }

  /** Answers that may still come: what is pending, and late ones. */
  get outstanding(): number {
    return this.#pending + this.#late;
  }

  /** Takes a slot and returns the transaction id; -1 where late answers hold so many that the connection should go. */
  take(transaction: Transaction, now: number): number {
    if (this.outstanding > this.#mask) return -1;
    let id = this.#next;
    while (this.#transactions[id & this.#mask] !== null || this.#expired[id & this.#mask] === 1)
      id = (id + 1) & 0xffff;
    this.#next = (id + 1) & 0xffff;
    const slot = id & this.#mask;
    this.#ids[slot] = id;
    this.#sentAt[slot] = now;
    this.#transactions[slot] = transaction;
    this.#pending++;
    return id;
  }

  /** The transaction an answer belongs to; `late` for one that has timed out; null for an id nobody is waiting for. */
  match(id: number): Transaction | "late" | null {
    const slot = id & this.#mask;
    if (this.#ids[slot] !== id) return null;
    const transaction = this.#transactions[slot];
    if (transaction) {
      this.#transactions[slot] = null;
      this.#pending--;
      return transaction;
    }
    if (this.#expired[slot] === 0) return null;
    this.#expired[slot] = 0;
    this.#late--;
    return "late";
  }

  /** Marks what is past its deadline and returns it, with the earliest time at which any of it was sent. */
  expire(now: number): { transactions: Transaction[]; oldest: number } {
    const transactions: Transaction[] = [];
    let oldest = Infinity;
    for (let slot = 0; slot <= this.#mask; slot++) {
      const transaction = this.#transactions[slot];
      if (!transaction || now < transaction.deadline) continue;
      transactions.push(transaction);
      oldest = Math.min(oldest, this.#sentAt[slot]!);
      this.#transactions[slot] = null;
      this.#expired[slot] = 1;
      this.#pending--;
      this.#late++;
    }
    return { transactions, oldest };
  }

  /** Empties the table; in the order in which they were sent. */
  drain(): Transaction[] {
    const held: Array<{ transaction: Transaction; sentAt: number; order: number }> = [];
    for (let slot = 0; slot <= this.#mask; slot++) {
      const transaction = this.#transactions[slot];
      // Ids rise up to the next one to be given, so they order what was sent in the same moment.
      const order = (this.#ids[slot]! - this.#next) & 0xffff;
      if (transaction) held.push({ transaction, sentAt: this.#sentAt[slot]!, order });
      this.#transactions[slot] = null;
    }
    this.#pending = 0;
    held.sort((a, b) => a.sentAt - b.sentAt || a.order - b.order);
    return held.map(({ transaction }) => transaction);
  }
}
