/** Hears what no rule sees: ARP on both ports, and on the device port everything that is not IPv4 of a known machine. */
import type { Native, Watch } from "../native/index.ts";

/** Frames looked at in a turn of the event loop, and milliseconds from one to the next: 2,000 a second, whatever comes. */
const PER_TURN = 50;
const PAUSE = 25;

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
  #pause: NodeJS.Timeout | null = null;

  /** Throws the kernel's error. */
  constructor(native: Native, port: string, filter: Buffer, events: ObserverEvents) {
    this.#native = native;
    this.#events = events;
    this.#fd = native.openPacket(port, filter);
    this.#watch = native.watch(
      this.#fd,
      PER_TURN,
      (frames) => this.#turn(frames),
      (error) => events.failed(error),
    );
  }

  setFilter(filter: Buffer): void {
    this.#native.setFilter(this.#fd, filter);
  }

  /** False: there was no room for it, and it is lost. */
  send(frame: Buffer): boolean {
    return this.#native.write(this.#fd, frame);
  }

  close(): void {
    if (this.#pause) clearTimeout(this.#pause);
    this.#watch.close();
  }

  #turn(frames: readonly Buffer[]): void {
    for (const frame of frames) this.#events.frame(frame);
    // What found no room did so while turns were full.
    const missed = frames.length < PER_TURN ? 0 : this.#native.packetDrops(this.#fd);
    if (missed > 0) this.#events.missed(missed);
    this.#watch.pause();
    this.#pause = setTimeout(() => this.#watch.resume(), PAUSE);
  }
}
