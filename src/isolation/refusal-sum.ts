import { PortSet } from "./port-set.ts";
import type { Refusal } from "./refusal.ts";

/** Addresses told apart in a sum of many. */
export const MAX_FAR = 4_096;
/** Words kept for what is no TCP or UDP. */
const MAX_WHATS = 16;
const OTHERS = "others";

/** When something happened: `monotonic` for how long it took, `wall` for the record. Milliseconds. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/** Alike refusals since the last record of them. */
export class RefusalSum {
  first: Moment;
  last: Moment;
  packets = 0;
  bytes = 0;
  odd = 0;
  readonly tcp = new PortSet();
  readonly udp = new PortSet();
  /** In the order they came, up to MAX_WHATS; then OTHERS, where there were more. */
  readonly whats = new Set<string>();
  /** Of a sum of many: the addresses on the side that differs, up to MAX_FAR. */
  readonly far = new Set<string>();

  constructor(now: Moment) {
    this.first = now;
    this.last = now;
  }

  get ports(): number {
    return this.tcp.size + this.udp.size;
  }

  add(refusal: Refusal, now: Moment): void {
    this.last = now;
    this.packets++;
    this.bytes += refusal.bytes;
    if (refusal.odd) this.odd++;
    if (refusal.transport === "tcp") this.tcp.add(refusal.targetPort);
    else if (refusal.transport === "udp") this.udp.add(refusal.targetPort);
    else this.#addWhat(refusal.what);
  }

  addFar(address: string): void {
    if (this.far.size < MAX_FAR) this.far.add(address);
  }

  absorb(other: RefusalSum): void {
    if (other.first.monotonic < this.first.monotonic) this.first = other.first;
    if (other.last.monotonic > this.last.monotonic) this.last = other.last;
    this.packets += other.packets;
    this.bytes += other.bytes;
    this.odd += other.odd;
    for (const port of other.tcp) this.tcp.add(port);
    for (const port of other.udp) this.udp.add(port);
    for (const what of other.whats) this.#addWhat(what);
  }

  #addWhat(what: string): void {
    this.whats.add(this.whats.size < MAX_WHATS || this.whats.has(what) ? what : OTHERS);
  }
}
