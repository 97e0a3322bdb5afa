/** Where refused packets end: read from the TUN device, written into the book, and answered so that whoever asked fails fast. */
import { INNER } from "../base/index.ts";
import type { Native, Watch } from "../native/index.ts";
import { answerTo } from "./packet/answer.ts";
import { parseIpv4, type Ipv4Packet } from "./packet/ipv4.ts";
import { packetRefusal } from "./refusal.ts";
import type { RefusalBook } from "./refusals.ts";

/** Packets read in one turn of the event loop, between which requests of control are answered. */
const PER_TURN = 256;
/** Milliseconds from one turn to the next: a flood then wakes netd for many packets at once, which costs less than one by one. */
const PAUSE = 5;

/** What of the addon it needs. */
type Tun = Pick<Native, "openTun" | "watch" | "write">;

export class Sinkhole {
  readonly #native: Tun;
  readonly #book: RefusalBook;
  readonly #permits: (packet: Ipv4Packet) => boolean;
  readonly #fd: number;
  readonly #watch: Watch;
  #pause: NodeJS.Timeout | null = null;
  /** What is refused at the uplink gets no answer; a machine always does. */
  silent = false;

  /**
   * Opens the device; `failed` is called where it can no longer be read. Throws the kernel's error. `permits`: what the plan in force lets
   * pass. While one ruleset takes the place of another the kernel refuses such packets for a moment: its rules are in force before their
   * sets of ranges are (nf_tables_commit, Linux 6.18). It is no refusal, and an answer would end a connection that may go on: who sent
   * it sends it again.
   */
  constructor(
    native: Tun,
    book: RefusalBook,
    permits: (packet: Ipv4Packet) => boolean,
    failed: (error: Error) => void,
  ) {
    this.#native = native;
    this.#book = book;
    this.#permits = permits;
    this.#fd = native.openTun(INNER.sinkhole);
    this.#watch = native.watch(this.#fd, PER_TURN, (packets) => this.#turn(packets), failed);
  }

  close(): void {
    if (this.#pause) clearTimeout(this.#pause);
    this.#watch.close();
  }

  /** A packet that comes alone is answered at once; what follows it closely waits in the device's queue. */
  #turn(packets: readonly Buffer[]): void {
    for (const packet of packets) this.#refuse(packet);
    this.#watch.pause();
    this.#pause = setTimeout(() => this.#watch.resume(), PAUSE);
  }

  #refuse(bytes: Buffer): void {
    const packet = parseIpv4(bytes);
    if ("problem" in packet || this.#permits(packet)) return;
    // The ruleset lets only known machines' addresses in from the device port, and none of them from the uplink.
    const on = this.#book.around.byAddress.has(packet.source) ? "device" : "uplink";
    this.#book.add(packetRefusal(packet, bytes, on, this.#book.around));
    if (this.silent && on === "uplink") return;
    const answer = answerTo(packet, bytes, packet.destination);
    if (answer !== null) this.#native.write(this.#fd, answer);
  }
}
