import type { Clock } from "../base/index.ts";
import { Circuit } from "./circuit.ts";
import { Connection, type ConnectionEvents, type Loss } from "./connection.ts";
import { dialTcp, type Dial } from "./dial.ts";
import type { Lane } from "./lane.ts";
import { LanedPort } from "./laned-port.ts";
import {
  GATEWAY_TARGET_FAILED,
  type Flushers,
  type MachineFailure,
  type MachinePort,
  type PortEvents,
  type PortStatus,
  type Transaction,
} from "./transaction.ts";

export interface TcpPortOptions {
  readonly name: string;
  readonly tcp: { readonly host: string; readonly port: number };
  /** Left out: without TLS, and from whatever address the route gives. */
  readonly dial?: Dial;
  readonly maxConnections: number;
  readonly maxPending: number;
  readonly maxQueued: number;
  /** Milliseconds: for the answer, from sending; and until it is sent. */
  readonly requestTimeout: number;
  readonly queueTimeout: number;
}

/** Milliseconds that a machine may send rubbish and nothing good before it is away: others may well be answered. */
const RUBBISH = 10_000;

/**
 * A machine's Modbus TCP service: a few connections shared by all sessions. The first connection with room is used, so that
 * requests gather there; another is opened only when all are full. What finds no room waits, lanes served in turn.
 */
export class TcpPort extends LanedPort implements MachinePort {
  readonly #options: TcpPortOptions;
  readonly #flushers: Flushers;
  readonly #clock: Clock;
  readonly #events: PortEvents;
  readonly #circuit = new Circuit();
  /** Of connections beyond the first: a machine that takes only one is not away. */
  readonly #growth = new Circuit();
  readonly #connections: Connection[] = [];
  /** Of connections that are gone. */
  #lastGood = -Infinity;
  /** Since when it has sent rubbish, where nothing good came after that. */
  #rubbishSince = -Infinity;
  #sweep: NodeJS.Timeout | null = null;

  constructor(options: TcpPortOptions, flushers: Flushers, clock: Clock, events: PortEvents) {
    super(options);
    this.#options = options;
    this.#flushers = flushers;
    this.#clock = clock;
    this.#events = events;
  }

  submit(lane: Lane, transaction: Transaction): void {
    this.take(lane, transaction);
    if (this.ring.queued > 0) {
      // Room that has just come belongs to those who wait for it.
      this.#queue(lane, transaction);
      this.#serve();
      return;
    }
    const connection = this.#roomFor(lane);
    if (!connection || !this.#send(connection, lane, transaction)) this.#queue(lane, transaction);
  }

  status(): PortStatus {
    return {
      circuit: this.#circuit.state(this.#clock.monotonic()),
      connections: this.#connections.filter((connection) => connection.open).length,
      pending: this.#connections.reduce((sum, connection) => sum + connection.pending, 0),
      queued: this.ring.queued,
      failures: this.#circuit.failures,
      lastError: this.#circuit.lastError,
    };
  }

  close(): void {
    this.closed = true;
    if (this.#sweep) clearTimeout(this.#sweep);
    this.#sweep = null;
    for (const connection of this.#connections.slice()) connection.close("niac closed the connection");
    this.#failQueued();
  }

  #roomFor(lane: Lane): Connection | null {
    if (lane.inFlight > 0) {
      const bound = this.#connections.find((connection) => connection === lane.connection);
      return bound?.hasRoom() ? bound : null;
    }
    for (const connection of this.#connections) if (connection.hasRoom()) return connection;
    return null;
  }

  #send(connection: Connection, lane: Lane, transaction: Transaction): boolean {
    if (!connection.send(transaction)) return false;
    lane.connection = connection;
    lane.inFlight++;
    this.#watch();
    return true;
  }

  #queue(lane: Lane, transaction: Transaction): void {
    if (this.refusedAsFull(transaction)) return;
    if (!this.#growOrHave()) {
      transaction.failed(this.#away());
      return;
    }
    transaction.deadline = this.#clock.monotonic() + this.#options.queueTimeout;
    this.ring.push(lane, transaction);
    this.#watch();
  }

  /** True where a connection is there or on its way. */
  #growOrHave(): boolean {
    const opening = this.#connections.some((connection) => !connection.open);
    if (opening || this.#connections.length >= this.#options.maxConnections) return true;
    const first = this.#connections.length === 0;
    const circuit = first ? this.#circuit : this.#growth;
    if (circuit.state(this.#clock.monotonic()) === "open") return !first;
    this.#connect();
    return true;
  }

  #connect(): void {
    const events: ConnectionEvents = {
      opened: () => this.#serve(),
      answered: () => {
        if (this.#circuit.failures > 0) this.#events.circuit(true, "the machine answers again");
        this.#circuit.succeeded();
        this.#growth.succeeded();
      },
      room: () => this.#serve(),
      left: (transaction) => {
        if (transaction.lane) transaction.lane.inFlight--;
      },
      misfit: (reason) => this.#events.violation(reason),
      lost: (connection, loss) => this.#lost(connection, loss),
    };
    const { tcp, dial = dialTcp(tcp), maxPending, requestTimeout } = this.#options;
    this.#connections.push(
      new Connection(dial, {
        maxPending,
        requestTimeout,
        flushers: this.#flushers,
        clock: this.#clock,
        events,
      }),
    );
  }

  #serve(): void {
    if (this.ring.queued === 0) return;
    for (const connection of this.#connections) {
      while (connection.hasRoom()) {
        const transaction = this.ring.takeFor(connection);
        if (!transaction?.lane) break;
        if (transaction.lapsed()) continue;
        if (!this.#send(connection, transaction.lane, transaction)) {
          this.ring.putBack(transaction.lane, transaction);
          break;
        }
      }
    }
    if (this.ring.queued > 0) this.#growOrHave();
  }

  #lost(connection: Connection, loss: Loss): void {
    this.#connections.splice(this.#connections.indexOf(connection), 1);
    const { ending, reason, inFlight, lastGood, wasOpen } = loss;
    this.#lastGood = Math.max(this.#lastGood, lastGood);
    const violation = ending === "violation";
    // A machine that closes a connection it has served, or an idle one, may simply be restarting: it is asked again at once.
    const failed = violation
      ? this.#onlyRubbish()
      : lastGood === -Infinity && (ending === "silent" || inFlight.length > 0 || !wasOpen);
    if (violation) this.#events.violation(reason);
    if (failed && !this.closed) this.#failed(reason);
    // What alone was under way has led to it; of several nobody knows which, and they are asked once more.
    const guilty = violation && inFlight.length === 1 && !loss.blamed;
    for (const transaction of inFlight.toReversed()) {
      const lane = transaction.lane;
      if (lane) lane.inFlight--;
      // A read that was under way does no harm when it is asked once more; a write might.
      if (
        lane &&
        !lane.closed &&
        !this.closed &&
        !guilty &&
        !transaction.retried &&
        isPlainRead(transaction)
      ) {
        transaction.retried = true;
        transaction.deadline = this.#clock.monotonic() + this.#options.queueTimeout;
        this.ring.putBack(lane, transaction);
      } else {
        transaction.failed({ exception: GATEWAY_TARGET_FAILED, outcome: "unknown", reason });
      }
    }
    if (this.ring.queued > 0 && !this.closed && !this.#growOrHave()) this.#failQueued();
  }

  /** Called at each violation: whether nothing good has come for a while. */
  #onlyRubbish(): boolean {
    const now = this.#clock.monotonic();
    const good = Math.max(this.#lastGood, ...this.#connections.map((connection) => connection.lastGood));
    // Of those since the last good answer this is the first.
    if (this.#rubbishSince <= good) this.#rubbishSince = now;
    return now - this.#rubbishSince >= RUBBISH;
  }

  #failed(reason: string): void {
    const others = this.#connections.length > 0;
    const working = this.#circuit.failures === 0;
    (others ? this.#growth : this.#circuit).failed(this.#clock.monotonic(), reason, Math.random());
    if (working && !others) this.#events.circuit(false, reason);
  }

  #failQueued(): void {
    for (const transaction of this.ring.takeWhere(() => true)) transaction.failed(this.#away());
  }

  #away(): MachineFailure {
    const why = this.#circuit.lastError ?? "no connection";
    return {
      exception: GATEWAY_TARGET_FAILED,
      outcome: "not-sent",
      reason: `${this.#options.name} does not answer (${why}); niac tries again shortly`,
    };
  }

  /** Deadlines are looked after by one timer for all, which rests while nothing is under way. */
  #watch(): void {
    if (this.#sweep) return;
    const { requestTimeout, queueTimeout } = this.#options;
    const period = Math.min(Math.max(Math.min(requestTimeout, queueTimeout) / 8, 10), 250);
    this.#sweep = setTimeout(() => {
      this.#sweep = null;
      this.#expire();
    }, period);
  }

  #expire(): void {
    const now = this.#clock.monotonic();
    const { name, requestTimeout } = this.#options;
    const reason = `${name} did not answer within ${requestTimeout} ms`;
    for (const connection of this.#connections.slice()) connection.expire(now, reason);
    this.failOverdue(now);
    this.#serve();
    if (this.ring.queued > 0 || this.#connections.some((connection) => connection.pending > 0)) this.#watch();
  }
}

function isPlainRead(transaction: Transaction): boolean {
  return transaction.operation.functionCode <= 4;
}
