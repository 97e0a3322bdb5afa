import type { Socket } from "node:net";
import type { Dial } from "../machine/index.ts";
import { cut } from "./cut.ts";
import { placeOf } from "./served.ts";
import { Session, type Opening, type Surroundings } from "./session.ts";

/** Milliseconds a machine has to accept a connection, its TLS handshake included. */
const CONNECT_TIMEOUT = 10_000;

/** A session of a plain TCP service: bytes go through as they are, in both directions, with each side's own pace. */
export class RelaySession extends Session {
  readonly #laptop: Socket;
  readonly #dial: Dial;
  #inside: Socket | null = null;

  constructor(opening: Opening, around: Surroundings, socket: Socket, dial: Dial) {
    super(opening, around);
    this.#laptop = socket;
    this.#dial = dial;
  }

  start(): void {
    const place = placeOf(this.opening);
    const side = this.opening.destination === null ? "the machine" : place;
    const laptop = this.#laptop;
    // A side that has said all it has to say still gets its answer.
    laptop.allowHalfOpen = true;
    const { socket: inside, ready, explain } = this.#dial({ allowHalfOpen: true });
    this.#inside = inside;
    inside.setTimeout(CONNECT_TIMEOUT, () =>
      this.end(`${place} did not accept a connection in ${CONNECT_TIMEOUT} ms`),
    );
    inside.once(ready, () => inside.setTimeout(0));
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
    inside.on("error", (error) => this.end(`${side}'s side failed: ${explain(error)}`));
    inside.on("close", () => this.#drained(laptop, `${side} closed the connection`));
    laptop.on("close", () => this.end("the client closed the connection"));
  }

  override report(): void {
    // What flowed is in the session's end: nothing is summed up on the way.
  }

  override openWrites(): string[] {
    return [];
  }

  override condemn(): void {
    super.condemn();
    if (this.#inside === null) return;
    this.#laptop.unpipe(this.#inside);
    this.#inside.unpipe(this.#laptop);
  }

  protected override stop(): void {
    cut(this.#laptop);
    this.#inside?.destroy();
  }

  /** The machine's last bytes still reach the laptop before the session ends. */
  #drained(laptop: Socket, reason: string): void {
    if (laptop.writableFinished || laptop.destroyed) this.end(reason);
    else laptop.end(() => this.end(reason));
  }
}
