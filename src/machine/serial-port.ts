import { SerialPort as SerialDevice } from "serialport";
import { messageOf, PeerError, type Clock } from "../base/index.ts";
import {
  crc16,
  decodeReply,
  decodeRtu,
  encodeRequest,
  encodeRtu,
  expectedReplyLength,
  RTU_MAX_FRAME,
  RTU_MIN_FRAME,
} from "../modbus/index.ts";
import { Circuit } from "./circuit.ts";
import type { Lane } from "./lane.ts";
import { LanedPort } from "./laned-port.ts";
import {
  GATEWAY_PATH_UNAVAILABLE,
  GATEWAY_TARGET_FAILED,
  type MachineFailure,
  type MachinePort,
  type PortEvents,
  type PortStatus,
  type Transaction,
} from "./transaction.ts";

export interface SerialPortOptions {
  readonly name: string;
  readonly serial: {
    readonly path: string;
    readonly baudRate: number;
    readonly parity: "none" | "even" | "odd";
    readonly stopBits: 1 | 2;
  };
  readonly maxQueued: number;
  /** Milliseconds: for the answer, from sending; and until it is sent. */
  readonly requestTimeout: number;
  readonly queueTimeout: number;
}

const BROADCAST = 0;
/** Milliseconds between two chunks of one frame at most: the operating system, and USB adapters more so, hand bytes on in pieces. */
const CHUNK_GAP = 25;

/**
 * Modbus RTU behind a serial line (MODBUS over Serial Line V1.02): one request at a time on the wire, 3.5 characters of
 * silence between frames, the reply's end known from its own length and not from silence alone.
 */
export class SerialPort extends LanedPort implements MachinePort {
  readonly #options: SerialPortOptions;
  readonly #clock: Clock;
  readonly #events: PortEvents;
  readonly #circuit = new Circuit();
  readonly #request = Buffer.alloc(RTU_MAX_FRAME);
  readonly #reply = Buffer.alloc(RTU_MAX_FRAME);
  #replyLength = 0;
  #device: SerialDevice | null = null;
  #opening = false;
  #current: Transaction | null = null;
  #timeout: NodeJS.Timeout | null = null;
  #quietUntil = 0;
  /**
   * Units whose answer is overdue, and until when it may still come. A serial line has no transaction ids: the late answer must
   * not be taken for the next request's, so that unit is not asked before; the others are.
   */
  readonly #overdue = new Map<number, number>();
  #quiet: NodeJS.Timeout | null = null;
  /** Ends a reply whose length its first bytes do not tell. */
  #frameEnd: NodeJS.Timeout | null = null;

  constructor(options: SerialPortOptions, clock: Clock, events: PortEvents) {
    super(options);
    this.#options = options;
    this.#clock = clock;
    this.#events = events;
  }

  submit(lane: Lane, transaction: Transaction): void {
    this.take(lane, transaction);
    const { name, queueTimeout } = this.#options;
    if (transaction.operation.unit === BROADCAST) {
      const reason = `unit 0 is a broadcast, which gets no reply on the serial line of ${name}; name one unit`;
      transaction.failed({ exception: GATEWAY_PATH_UNAVAILABLE, outcome: "not-sent", reason });
      return;
    }
    if (this.refusedAsFull(transaction)) return;
    if (!this.#device && this.#circuit.state(this.#clock.monotonic()) === "open") {
      transaction.failed(this.#away());
      return;
    }
    const now = this.#clock.monotonic();
    transaction.deadline = Math.max(now, this.#overdue.get(transaction.operation.unit) ?? 0) + queueTimeout;
    this.ring.push(lane, transaction);
    this.#next();
  }

  status(): PortStatus {
    return {
      circuit: this.#circuit.state(this.#clock.monotonic()),
      connections: this.#device ? 1 : 0,
      pending: this.#current ? 1 : 0,
      queued: this.ring.queued,
      failures: this.#circuit.failures,
      lastError: this.#circuit.lastError,
    };
  }

  close(): void {
    this.closed = true;
    if (this.#quiet) clearTimeout(this.#quiet);
    this.#quiet = null;
    this.#lost("niac closed the serial line");
  }

  #open(): void {
    if (this.#opening) return;
    this.#opening = true;
    const { path, baudRate, parity, stopBits } = this.#options.serial;
    const device = new SerialDevice({ path, baudRate, parity, stopBits, dataBits: 8, autoOpen: false });
    device.on("data", (chunk: Buffer) => this.#data(chunk));
    device.on("close", () => {
      if (this.#device === device) this.#lost("the serial line was closed");
    });
    device.on("error", (error) => {
      if (this.#device === device) this.#lost(messageOf(error));
    });
    device.open((error) => {
      this.#opening = false;
      if (error) {
        this.#lost(`${path} cannot be opened: ${messageOf(error)}`);
      } else if (this.closed) {
        device.close();
      } else {
        this.#device = device;
        this.#next();
      }
    });
  }

  #next(): void {
    if (this.#quiet) clearTimeout(this.#quiet);
    this.#quiet = null;
    if (this.#current || this.closed) return;
    const now = this.#clock.monotonic();
    this.failOverdue(now);
    // Who was told may have asked again.
    if (this.#current || this.ring.queued === 0) return;
    if (!this.#device) {
      this.#open();
      return;
    }
    if (now < this.#quietUntil) {
      this.#wait(this.#quietUntil - now);
      return;
    }
    for (const [unit, until] of this.#overdue) if (now >= until) this.#overdue.delete(unit);
    const transaction = this.ring.takeFor(this, ({ operation }) => !this.#overdue.has(operation.unit));
    if (!transaction) {
      this.#wait(Math.min(...this.#overdue.values()) - now);
      return;
    }
    if (transaction.lapsed()) this.#next();
    else this.#send(this.#device, transaction);
  }

  #wait(milliseconds: number): void {
    this.#quiet = setTimeout(() => this.#next(), Math.ceil(milliseconds));
  }

  #send(device: SerialDevice, transaction: Transaction): void {
    const pdu = Buffer.alloc(RTU_MAX_FRAME);
    const length = encodeRequest(transaction.operation, pdu, 0);
    const end = encodeRtu(transaction.operation.unit, pdu, 0, length, this.#request, 0);
    this.#current = transaction;
    this.#replyLength = 0;
    if (transaction.lane) transaction.lane.inFlight++;
    device.write(this.#request.subarray(0, end));
    const { name, requestTimeout } = this.#options;
    // The time a machine has to answer begins when it is asked, however long the line was busy before.
    this.#timeout = setTimeout(() => {
      const reason = `${name} (unit ${transaction.operation.unit}) did not answer within ${requestTimeout} ms`;
      const late = this.#done();
      this.#overdue.set(transaction.operation.unit, this.#clock.monotonic() + requestTimeout);
      late?.failed({ exception: GATEWAY_TARGET_FAILED, outcome: "timeout", reason });
      this.#next();
    }, requestTimeout);
  }

  #data(chunk: Buffer): void {
    const transaction = this.#current;
    // Bytes nobody asked for: noise, or an answer that came too late. The line must fall silent before the next request.
    if (!transaction) {
      this.#quietUntil = this.#clock.monotonic() + Math.max(this.#silence(), CHUNK_GAP);
      this.#next();
      return;
    }
    if (this.#frameEnd) clearTimeout(this.#frameEnd);
    this.#frameEnd = null;
    if (this.#replyLength + chunk.length > RTU_MAX_FRAME) {
      this.#bad(`the reply is longer than ${RTU_MAX_FRAME} bytes`);
      return;
    }
    chunk.copy(this.#reply, this.#replyLength);
    this.#replyLength += chunk.length;
    const expected = expectedReplyLength(transaction.operation, this.#reply, 0, this.#replyLength);
    if (expected === 0) {
      // A process that is late hears silence where there was none: only what is whole by its CRC has ended.
      this.#frameEnd = setTimeout(
        () => {
          if (this.#replyLength >= RTU_MIN_FRAME && crc16(this.#reply, 0, this.#replyLength) === 0)
            this.#complete(transaction);
        },
        Math.max(this.#silence(), CHUNK_GAP),
      );
    } else if (this.#replyLength >= expected) {
      this.#complete(transaction);
    }
  }

  #complete(transaction: Transaction): void {
    try {
      const end = decodeRtu(transaction.operation.unit, this.#reply, 0, this.#replyLength);
      const reply = decodeReply(transaction.operation, this.#reply, 1, end);
      this.#done()?.answered(reply);
      if (this.#circuit.failures > 0) this.#events.circuit(true, "the machine answers again");
      this.#circuit.succeeded();
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#bad(error.message);
      return;
    }
    this.#next();
  }

  #bad(what: string): void {
    const reason = `the reply of ${this.#options.name} does not fit its request: ${what}`;
    this.#events.violation(reason);
    this.#done()?.failed({ exception: GATEWAY_TARGET_FAILED, outcome: "unknown", reason });
    this.#next();
  }

  /** Ends the transaction on the wire and returns it. */
  #done(): Transaction | null {
    const transaction = this.#current;
    this.#current = null;
    if (this.#timeout) clearTimeout(this.#timeout);
    this.#timeout = null;
    if (this.#frameEnd) clearTimeout(this.#frameEnd);
    this.#frameEnd = null;
    this.#quietUntil = this.#clock.monotonic() + this.#silence();
    if (transaction?.lane) transaction.lane.inFlight--;
    return transaction;
  }

  #lost(reason: string): void {
    const device = this.#device;
    this.#device = null;
    if (device?.isOpen) device.close();
    if (!this.closed) {
      const working = this.#circuit.failures === 0;
      this.#circuit.failed(this.#clock.monotonic(), reason, Math.random());
      if (working) this.#events.circuit(false, reason);
    }
    this.#done()?.failed({ exception: GATEWAY_TARGET_FAILED, outcome: "unknown", reason });
    for (const transaction of this.ring.takeWhere(() => true)) transaction.failed(this.#away());
  }

  #away(): MachineFailure {
    const why = this.#circuit.lastError ?? "the line is closed";
    return {
      exception: GATEWAY_TARGET_FAILED,
      outcome: "not-sent",
      reason: `${this.#options.name} cannot be reached: ${why}`,
    };
  }

  /** 3.5 characters of 11 bits, and never under 1.75 ms (section 2.5.1.1); milliseconds. */
  #silence(): number {
    return Math.max((3.5 * 11 * 1000) / this.#options.serial.baudRate, 1.75);
  }
}
