import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { messageOf } from "../base/index.ts";
import type { TcpService } from "../site/index.ts";
import { Session, type Opening, type Surroundings } from "./session.ts";

/** Milliseconds a machine has to accept a connection. */
const CONNECT_TIMEOUT = 10_000;

/** A session of a plain TCP service: bytes go through as they are, in both directions, with each side's own pace. */
export class RelaySession extends Session {
  readonly #laptop: TLSSocket;
  readonly #service: TcpService;
  #inside: Socket | null = null;

  constructor(opening: Opening, around: Surroundings, socket: TLSSocket, service: TcpService) {
    super(opening, around);
    this.#laptop = socket;
    this.#service = service;
  }

  start(): void {
    const { host, port } = this.#service.tcp;
    const laptop = this.#laptop;
    // A side that has said all it has to say still gets its answer.
    laptop.allowHalfOpen = true;
    const inside = connect({ host, port, noDelay: true, keepAlive: true, allowHalfOpen: true });
    this.#inside = inside;
    inside.setTimeout(CONNECT_TIMEOUT, () =>
      this.end(`${this.machine.name} did not accept a connection in ${CONNECT_TIMEOUT} ms`),
    );
    inside.once("connect", () => inside.setTimeout(0));
    laptop.on("data", (chunk: Buffer) => {
      this.bytesIn += chunk.length;
      this.lastActive = this.around.clock.now();
    });
    inside.on("data", (chunk: Buffer) => {
      this.bytesOut += chunk.length;
      this.lastActive = this.around.clock.now();
    });
    laptop.pipe(inside);
    inside.pipe(laptop);
    inside.on("error", (error) => this.end(`the machine's side failed: ${messageOf(error)}`));
    inside.on("close", () => this.#drained(laptop, "the machine closed the connection"));
    laptop.on("close", () => this.end("the client closed the connection"));
  }

  override report(): void {
    // What flowed is in the session's end: nothing is summed up on the way.
  }

  override openWrites(): string[] {
    return [];
  }

  protected override stop(): void {
    this.#laptop.destroy();
    this.#inside?.destroy();
  }

  /** The machine's last bytes still reach the laptop before the session ends. */
  #drained(laptop: TLSSocket, reason: string): void {
    if (laptop.writableFinished || laptop.destroyed) this.end(reason);
    else laptop.end(() => this.end(reason));
  }
}
