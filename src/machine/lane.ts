import type { Transaction } from "./transaction.ts";

/**
 * One session's requests at one machine. While some are in flight they all use the same connection, so that the machine
 * sees them in the order in which the session sent them.
 */
export class Lane {
  readonly waiting: Transaction[] = [];
  inFlight = 0;
  /** Where its requests are in flight; meaningless while `inFlight` is 0. */
  connection: object | null = null;
  closed = false;
}

/** Lanes that have something waiting, served in turn: one request each, then to the back. */
export class LaneRing {
  readonly #lanes: Lane[] = [];
  #queued = 0;

  get queued(): number {
    return this.#queued;
  }

  push(lane: Lane, transaction: Transaction): void {
    if (lane.waiting.push(transaction) === 1) this.#lanes.push(lane);
    this.#queued++;
  }

  /** Back to the front of its lane, after a connection broke under it. */
  putBack(lane: Lane, transaction: Transaction): void {
    if (lane.waiting.unshift(transaction) === 1) this.#lanes.unshift(lane);
    this.#queued++;
  }

  /** The next request that may go over `connection`: its lane has nothing in flight elsewhere, and `ready` agrees. */
  takeFor(connection: object, ready?: (transaction: Transaction) => boolean): Transaction | null {
    for (let i = 0; i < this.#lanes.length; i++) {
      const lane = this.#lanes[i]!;
      if (lane.inFlight > 0 && lane.connection !== connection) continue;
      if (ready && !ready(lane.waiting[0]!)) continue;
      this.#lanes.splice(i, 1);
      const transaction = lane.waiting.shift()!;
      this.#queued--;
      if (lane.waiting.length > 0) this.#lanes.push(lane);
      return transaction;
    }
    return null;
  }

  /** Takes out all that the lane has waiting. */
  remove(lane: Lane): Transaction[] {
    this.#queued -= lane.waiting.length;
    const at = this.#lanes.indexOf(lane);
    if (at >= 0) this.#lanes.splice(at, 1);
    return lane.waiting.splice(0);
  }

  /** Takes out whatever `expired` says, in lane order. */
  takeWhere(expired: (transaction: Transaction) => boolean): Transaction[] {
    const taken: Transaction[] = [];
    for (const lane of this.#lanes.slice()) {
      const kept: Transaction[] = [];
      for (const transaction of lane.waiting) (expired(transaction) ? taken : kept).push(transaction);
      if (kept.length === lane.waiting.length) continue;
      lane.waiting.splice(0, lane.waiting.length, ...kept);
      if (kept.length === 0) this.#lanes.splice(this.#lanes.indexOf(lane), 1);
    }
    this.#queued -= taken.length;
    return taken;
  }
}
