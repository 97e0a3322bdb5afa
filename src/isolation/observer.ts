/** Hears what no rule sees: ARP on both ports, and on the device port everything that is not IPv4 of a known machine. */
import type { Native, Watch } from "./native.ts";

/** Frames looked at in a span, in milliseconds; what comes beyond it is only counted, by the kernel. */
const SPAN = 100;
const PER_SPAN = 200;
const PER_TURN = 32;

export interface ObserverEvents {
  frame(bytes: Buffer): void;
  /** Frames that were not looked at. */
  missed(frames: number): void;
  /** It no longer hears; the port is gone or down. */
  failed(error: Error): void;
}

export class Observer {
  readonly #native: Native;
  readonly #events: ObserverEvents;
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #timer: NodeJS.Timeout;
  #left = PER_SPAN;

  /** Throws the kernel's error. */
  constructor(native: Native, port: string, filter: Buffer, events: ObserverEvents) {
    this.#native = native;
    this.#events = events;
    this.#fd = native.openPacket(port, filter);
    this.#watch = native.watch(
      this.#fd,
      PER_TURN,
      (frames) => {
        for (const frame of frames) events.frame(frame);
        this.#left -= frames.length;
        if (this.#left <= 0) this.#watch.pause();
      },
      (error) => events.failed(error),
    );
    this.#timer = setInterval(() => this.#span(), SPAN);
  }

  setFilter(filter: Buffer): void {
    this.#native.setFilter(this.#fd, filter);
  }

  /** False: there was no room for it, and it is lost. */
  send(frame: Buffer): boolean {
    return this.#native.write(this.#fd, frame);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#watch.close();
  }

  #span(): void {
    if (this.#left <= 0) {
      const missed = this.#native.packetDrops(this.#fd);
      if (missed > 0) this.#events.missed(missed);
      this.#watch.resume();
    }
    this.#left = PER_SPAN;
  }
}
