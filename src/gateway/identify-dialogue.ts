import { connect, type Socket } from "node:net";
import { PeerError, systemCode, UnavailableError } from "../base/index.ts";

/** Milliseconds. */
export interface Patience {
  /** For a connection to open, and for each answer on it. */
  readonly answer: number;
  /** For all answers of a connection: a machine that sends byte by byte is not listened to for ever. */
  readonly connection: number;
}

export const PATIENCE: Patience = { answer: 1_500, connection: 5_000 };
/** Milliseconds a machine has to close its half. */
const CLOSING = 500;
/** Bytes a machine may send that nobody has asked for yet or that are not a whole answer. */
const MAX_HELD = 128 * 1024;

/** The machine's own word that nothing listens. */
const CLOSED: ReadonlySet<string> = new Set(["ECONNREFUSED", "ECONNRESET"]);

/** One connection on which questions are asked and whole answers awaited, one at a time. */
export class Dialogue {
  readonly #socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #ended: string | null = null;
  readonly #patience: Patience;
  readonly #until: number;
  #wake: () => void = () => {};

  private constructor(socket: Socket, patience: Patience) {
    this.#socket = socket;
    this.#patience = patience;
    this.#until = performance.now() + patience.connection;
    socket.on("data", (chunk: Buffer) => this.#took(chunk));
    socket.on("close", () => this.#end("the machine closed the connection"));
    socket.on("error", (error) => this.#end(systemCode(error)));
  }

  /** UnavailableError `port-closed`: nothing listens there, or nothing answers; `machine-unreachable`: no packet gets there. */
  static open(
    host: string,
    port: number,
    localAddress: string | null,
    patience: Patience,
  ): Promise<Dialogue> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, ...(localAddress === null ? {} : { localAddress }) });
      const fail = (code: string, message: string): void => {
        socket.destroy();
        reject(new UnavailableError(code, message));
      };
      const timer = setTimeout(
        () => fail("port-closed", `${host} port ${port} gave no answer within ${patience.answer} ms`),
        patience.answer,
      );
      const refused = (error: Error): void => {
        const code = systemCode(error);
        if (CLOSED.has(code)) fail("port-closed", `${host} port ${port} is closed (${code})`);
        else fail("machine-unreachable", `${host} cannot be reached (${code})`);
      };
      socket.once("close", () => clearTimeout(timer));
      socket.once("error", refused);
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.off("error", refused);
        resolve(new Dialogue(socket, patience));
      });
    });
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /**
   * The next whole answer; `length` says how long what begins with these bytes is, or 0 where that cannot be told yet, and throws where
   * it is none. UnavailableError `machine-silent`; PeerError `answer-size`.
   */
  async answer(length: (bytes: Uint8Array) => number): Promise<Buffer> {
    const until = Math.min(performance.now() + this.#patience.answer, this.#until);
    for (;;) {
      const whole = length(this.#held);
      if (whole > 0 && this.#held.length >= whole) {
        const answer = this.#held.subarray(0, whole);
        this.#held = this.#held.subarray(whole);
        return answer;
      }
      if (this.#ended !== null) throw new UnavailableError("machine-silent", this.#ended);
      await this.#more(until - performance.now());
    }
  }

  /** Closes as a client that is done does, and waits until it is. */
  async close(): Promise<void> {
    if (this.#socket.closed) return;
    const closed = new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
    const timer = setTimeout(() => this.#socket.destroy(), CLOSING);
    this.#socket.end();
    this.#socket.resume();
    await closed;
    clearTimeout(timer);
  }

  async #more(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const came = await new Promise<boolean>((resolve) => {
      this.#wake = () => resolve(true);
      timer = setTimeout(() => resolve(false), Math.max(0, milliseconds));
    });
    clearTimeout(timer);
    if (!came) throw new UnavailableError("machine-silent", "no whole answer came in time");
  }

  #took(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    if (this.#held.length > MAX_HELD) {
      this.#held = Buffer.alloc(0);
      this.#end(new PeerError("answer-size", `more than ${MAX_HELD} bytes came`).message);
      this.#socket.destroy();
    }
    this.#wake();
  }

  #end(why: string): void {
    this.#ended ??= why;
    this.#wake();
  }
}
