import { BugError } from "../base/index.ts";
import { Lane, LaneRing } from "./lane.ts";
import { LANE_CLOSED, mayBeSent, SERVER_DEVICE_BUSY, type Transaction } from "./transaction.ts";

interface QueueOptions {
  /** The machine's, for messages. */
  readonly name: string;
  readonly maxQueued: number;
  /** Milliseconds. */
  readonly queueTimeout: number;
}

/** What both kinds of ports do with lanes: opening and closing them, what may be submitted, and how much may wait. */
export abstract class LanedPort {
  protected readonly ring = new LaneRing();
  protected closed = false;
  readonly #name: string;
  readonly #maxQueued: number;
  readonly #queueTimeout: number;
  #lanes = 0;

  constructor({ name, maxQueued, queueTimeout }: QueueOptions) {
    this.#name = name;
    this.#maxQueued = maxQueued;
    this.#queueTimeout = queueTimeout;
  }

  get lanes(): number {
    return this.#lanes;
  }

  openLane(): Lane {
    this.#lanes++;
    return new Lane();
  }

  closeLane(lane: Lane): void {
    lane.closed = true;
    this.#lanes--;
    for (const transaction of this.ring.remove(lane)) transaction.failed(LANE_CLOSED);
  }

  /** Takes the transaction in; throws a BugError for one that should not have come. */
  protected take(lane: Lane, transaction: Transaction): void {
    if (this.closed || lane.closed)
      throw new BugError("port-closed", `${this.#name} was asked after it was closed`);
    mayBeSent(transaction);
    transaction.lane = lane;
  }

  /** True where too many wait already; the transaction has then failed. */
  protected refusedAsFull(transaction: Transaction): boolean {
    if (this.ring.queued < this.#maxQueued) return false;
    const reason = `${this.#name} has ${this.#maxQueued} requests waiting, which is its limit`;
    transaction.failed({ exception: SERVER_DEVICE_BUSY, outcome: "not-sent", reason });
    return true;
  }

  /** Fails what has waited too long for its turn. */
  protected failOverdue(now: number): void {
    const reason = `it waited ${this.#queueTimeout} ms for its turn at ${this.#name}, its queueTimeout`;
    for (const transaction of this.ring.takeWhere((waiting) => now >= waiting.deadline))
      transaction.failed({ exception: SERVER_DEVICE_BUSY, outcome: "not-sent", reason });
  }
}
