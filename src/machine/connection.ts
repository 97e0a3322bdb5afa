import type { Socket } from "node:net";
import { PeerError, type Clock } from "../base/index.ts";
import {
  decodeReply,
  encodeRequest,
  FrameBuffer,
  MBAP_HEADER,
  MBAP_MAX_FRAME,
  transactionId,
  unitId,
  writeHeader,
} from "../modbus/index.ts";
import type { Dial } from "./dial.ts";
import type { Flushable } from "./flusher.ts";
import { Slots } from "./slots.ts";
import { GATEWAY_TARGET_FAILED, mayBeSent, type Flushers, type Transaction } from "./transaction.ts";

/** Bytes read from a machine at once, and collected for it in one turn before they are written. */
const READ_BUFFER = 65_536;
const WRITE_BUFFER = 65_536;

export interface ConnectionEvents {
  opened(): void;
  /** The first good answer on this connection. */
  answered(): void;
  /** Answers came, so there is room. */
  room(): void;
  /** A transaction has left the connection, one way or the other. Called before its own answered or failed. */
  left(transaction: Transaction): void;
  /** An answer that does not fit its request, which alone has failed over it. */
  misfit(reason: string): void;
  lost(connection: Connection, loss: Loss): void;
}

/** `violation`: the machine sent what is no answer to anything asked; `silent`: it said nothing in time; `closed`: whatever else. */
export type Ending = "closed" | "silent" | "violation";

/** How a connection went. */
export interface Loss {
  readonly ending: Ending;
  readonly reason: string;
  /** What was under way, in the order it was sent. */
  readonly inFlight: readonly Transaction[];
  readonly wasOpen: boolean;
  /** When it gave its last good answer, on the monotonic clock; -Infinity: it gave none. */
  readonly lastGood: number;
  /** The request that led to it has failed already: it is not the fault of what is under way. */
  readonly blamed: boolean;
}

/** One TCP connection to a Modbus machine. Encodes afresh, with ids of its own, and checks every reply against its request. */
export class Connection implements Flushable {
  readonly #socket: Socket;
  readonly #flushers: Flushers;
  readonly #clock: Clock;
  readonly #events: ConnectionEvents;
  readonly #slots: Slots;
  readonly #frames = new FrameBuffer();
  readonly #maxPending: number;
  readonly #requestTimeout: number;
  #out = Buffer.allocUnsafeSlow(WRITE_BUFFER);
  #outLength = 0;
  #dirty = false;
  /** TLS takes its time to encrypt, and reads the bytes then: it gets bytes of its own. */
  readonly #copies: boolean;
  #open = false;
  #gone = false;
  #lastGood = -Infinity;
  /** The request that the machine answered last has failed over that answer. */
  #blamed = false;
  #lastReply = 0;

  constructor(
    dial: Dial,
    options: {
      maxPending: number;
      /** Milliseconds, for each answer and for the connection itself. */
      requestTimeout: number;
      flushers: Flushers;
      clock: Clock;
      events: ConnectionEvents;
    },
  ) {
    this.#flushers = options.flushers;
    this.#clock = options.clock;
    this.#events = options.events;
    this.#maxPending = options.maxPending;
    this.#requestTimeout = options.requestTimeout;
    this.#slots = new Slots(options.maxPending);
    const buffer = Buffer.allocUnsafeSlow(READ_BUFFER);
    const { socket, ready, explain } = dial({
      onread: {
        buffer,
        callback: (length) => {
          this.#read(buffer, length);
          return true;
        },
      },
    });
    this.#socket = socket;
    this.#copies = ready === "secureConnect";
    this.#socket.setTimeout(options.requestTimeout, () => {
      if (!this.#open) this.close(`no answer to the connection attempt in ${options.requestTimeout} ms`);
    });
    this.#socket.once(ready, () => {
      this.#open = true;
      this.#socket.setTimeout(0);
      this.#lastReply = this.#clock.monotonic();
      this.#events.opened();
    });
    this.#socket.on("error", (error) => this.close(explain(error)));
    this.#socket.on("end", () => this.close("the machine closed the connection"));
    this.#socket.on("close", () => this.close("the connection was closed"));
  }

  get open(): boolean {
    return this.#open && !this.#gone;
  }

  get lastGood(): number {
    return this.#lastGood;
  }

  get pending(): number {
    return this.#slots.pending;
  }

  hasRoom(): boolean {
    return this.#open && !this.#gone && this.#slots.pending < this.#maxPending;
  }

  /** The caller has asked hasRoom(). False where the connection had to be given up instead. */
  send(transaction: Transaction): boolean {
    mayBeSent(transaction);
    if (this.#outLength + MBAP_MAX_FRAME > WRITE_BUFFER) this.flush();
    const now = this.#clock.monotonic();
    const id = this.#slots.take(transaction, now);
    if (id < 0) {
      this.close("too many of its answers are overdue");
      return false;
    }
    transaction.deadline = now + this.#requestTimeout;
    const at = this.#outLength;
    const end = encodeRequest(transaction.operation, this.#out, at + MBAP_HEADER);
    writeHeader(this.#out, at, id, transaction.operation.unit, end - at - MBAP_HEADER);
    this.#outLength = end;
    if (!this.#dirty) {
      this.#dirty = true;
      this.#flushers.requests.add(this);
    }
    return true;
  }

  flush(): void {
    this.#dirty = false;
    if (this.#outLength === 0 || this.#gone) return;
    const bytes = this.#out.subarray(0, this.#outLength);
    this.#outLength = 0;
    if (this.#copies) {
      this.#socket.write(Buffer.from(bytes));
      return;
    }
    this.#socket.write(bytes);
    // What the kernel did not take at once is still read from the buffer, so that one is left to it.
    if (this.#socket.writableLength > 0) this.#out = Buffer.allocUnsafeSlow(WRITE_BUFFER);
  }

  /** Fails what is past its deadline; a connection that has said nothing since, or half an answer, is given up. */
  expire(now: number, reason: string): void {
    const { transactions, oldest } = this.#slots.expire(now);
    if (transactions.length === 0) return;
    // Before they fail: what is asked next in answer to that must not go into a connection that is given up.
    if (this.#lastReply < oldest) this.close(reason, "silent");
    else if (this.#frames.held > 0) {
      this.#blamed = true;
      this.close("the machine stopped in the middle of an answer", "violation");
    }
    for (const transaction of transactions) {
      this.#events.left(transaction);
      transaction.failed({ exception: GATEWAY_TARGET_FAILED, outcome: "timeout", reason });
    }
  }

  close(reason: string, ending: Ending = "closed"): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#socket.destroy();
    const inFlight = this.#slots.drain();
    this.#events.lost(this, {
      ending,
      reason,
      inFlight,
      wasOpen: this.#open,
      lastGood: this.#lastGood,
      blamed: this.#blamed,
    });
  }

  #read(buffer: Buffer, length: number): void {
    if (this.#gone) return;
    const frames = this.#frames;
    this.#lastReply = this.#clock.monotonic();
    this.#flushers.answers.hold();
    try {
      frames.push(buffer.subarray(0, length));
      while (!this.#gone && frames.next()) this.#reply(frames.bytes, frames.start, frames.end);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.close(`the machine sent a malformed frame: ${error.message}`, "violation");
    } finally {
      this.#flushers.answers.release();
    }
    if (this.#gone) return;
    if (frames.held > 0 && this.#slots.outstanding === 0)
      this.close("the machine sent bytes after its last answer", "violation");
    else this.#events.room();
  }

  #reply(bytes: Uint8Array, start: number, end: number): void {
    const transaction = this.#slots.match(transactionId(bytes, start));
    if (transaction === "late") return;
    if (transaction === null) {
      this.close("the machine sent a reply to a transaction that was not asked", "violation");
      return;
    }
    this.#events.left(transaction);
    const { operation } = transaction;
    const unit = unitId(bytes, start);
    if (unit !== operation.unit) {
      const reason = `the machine sent a reply of unit ${unit} to a request to unit ${operation.unit}`;
      this.#blamed = true;
      transaction.failed({ exception: GATEWAY_TARGET_FAILED, outcome: "unknown", reason });
      this.close(reason, "violation");
      return;
    }
    let reply;
    try {
      reply = decodeReply(operation, bytes, start + MBAP_HEADER, end);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      // Frame, id and unit were right, so what comes next on this connection can still be told apart.
      const reason = `the machine's reply does not fit its request: ${error.message}`;
      this.#blamed = true;
      this.#events.misfit(reason);
      transaction.failed({ exception: GATEWAY_TARGET_FAILED, outcome: "unknown", reason });
      return;
    }
    transaction.answered(reply);
    const first = this.#lastGood === -Infinity;
    this.#lastGood = this.#lastReply;
    this.#blamed = false;
    if (first) this.#events.answered();
  }
}
