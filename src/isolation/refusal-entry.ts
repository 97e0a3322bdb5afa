import type { RecordDraft } from "../audit/index.ts";
import { BugError } from "../base/index.ts";
import type { RefusedView } from "../link/index.ts";
import { RefusalSum, type Moment } from "./refusal-sum.ts";
import { reasonOf, whatWords } from "./refusal-words.ts";
import type { Refusal, Surroundings } from "./refusal.ts";

/** Milliseconds. */
export const QUIET = 5_000;
const FIRST_INTERVAL = 300_000;
export const LONGEST_INTERVAL = 3_600_000;
const FORGET = 3_600_000;

/** What may go into a sum of many while it is not on record: more than this is a story of its own. */
const SMALL_PACKETS = 3;
/** A sum with so many ports, and so many times more than the one on record, is news. */
const NEWS_PORTS = 16;
const NEWS_TIMES = 4;

/** One kind of refusal: what came of it since its last record, and when it is to be recorded. */
export class Entry {
  readonly sample: Refusal;
  readonly #many: boolean;
  /** Null: nothing since the last record. */
  #sum: RefusalSum | null = null;
  readonly #started: number;
  #last: Moment;
  #packets = 0;
  #recordedAt: number | null = null;
  #recordedPorts = 0;
  #interval = FIRST_INTERVAL;
  /** What the last record said, for the view. */
  #shown = { what: "", reason: "" };

  constructor(sample: Refusal, many: boolean, now: Moment) {
    this.sample = sample;
    this.#many = many;
    this.#started = now.wall;
    this.#last = now;
    if (sample.stage === "link-layer") this.#interval = LONGEST_INTERVAL;
  }

  add(refusal: Refusal, now: Moment): void {
    const sum = this.#open(now);
    sum.add(refusal, now);
    if (this.#many) sum.addFar(farSide(refusal));
    this.#seen(1, now);
  }

  /** Of a sum of many: takes over what another entry has not on record yet. */
  absorb(other: Entry): void {
    if (other.#sum === null) return;
    const sum = this.#open(other.#sum.first);
    sum.absorb(other.#sum);
    sum.addFar(farSide(other.sample));
    this.#seen(other.#sum.packets, sum.last);
  }

  get isPending(): boolean {
    return this.#sum !== null;
  }

  /** New, and so little that nothing is lost where it goes into a sum of many. */
  get isSmall(): boolean {
    const sum = this.#sum;
    return sum !== null && sum.packets <= SMALL_PACKETS && this.#recordedAt === null && !this.#many;
  }

  isDue(now: number): boolean {
    const sum = this.#sum;
    if (sum === null) return false;
    if (this.#recordedAt !== null && !isNews(sum.ports, this.#recordedPorts)) {
      return now - this.#recordedAt >= this.#interval;
    }
    const longest = this.sample.stage === "link-layer" ? QUIET : FIRST_INTERVAL;
    return now - sum.last.monotonic >= QUIET || now - sum.first.monotonic >= longest;
  }

  isForgotten(now: number): boolean {
    return this.#sum === null && now - this.#last.monotonic >= FORGET;
  }

  /** Only while pending. */
  record(id: string, around: Surroundings, now: number): RecordDraft {
    const sum = this.#sum;
    if (sum === null) throw new BugError("refusal-record", "nothing was refused that could be recorded");
    const draft = this.#draft(sum, id, around);
    this.#shown = { what: whatWords(sum), reason: draft.reason ?? "" };
    if (this.#recordedAt !== null) this.#interval = Math.min(this.#interval * 2, LONGEST_INTERVAL);
    this.#recordedAt = now;
    this.#recordedPorts = sum.ports;
    this.#sum = null;
    return draft;
  }

  view(around: Surroundings): RefusedView {
    const sum = this.#sum;
    const { source, target, machine } = this.sample;
    return {
      source: this.#many && farIsSource(this.sample) ? "many" : source,
      target: this.#many && !farIsSource(this.sample) ? "many" : target,
      machine,
      what: sum === null ? this.#shown.what : whatWords(sum),
      reason:
        sum === null ? this.#shown.reason : reasonOf({ sample: this.sample, many: this.#many, sum }, around),
      packets: this.#packets,
      first: this.#started,
      last: this.#last.wall,
    };
  }

  #open(now: Moment): RefusalSum {
    return (this.#sum ??= new RefusalSum(now));
  }

  #seen(packets: number, now: Moment): void {
    this.#packets += packets;
    this.#last = now;
  }

  #draft(sum: RefusalSum, id: string, around: Surroundings): RecordDraft {
    const { sample } = this;
    const source = this.#sourceText(sum);
    const version = around.snapshot?.version ?? 0;
    return {
      time: sum.first.wall,
      kind: "flow.refused",
      id,
      ...(source === "" ? {} : { source }),
      ...(sample.machine === null ? {} : { machine: sample.machine }),
      decision: "denial",
      stage: sample.stage,
      reason: reasonOf({ sample, many: this.#many, sum }, around),
      counts: countsOf(sum),
      duration: Math.round(sum.last.monotonic - sum.first.monotonic),
      ...(version > 0 ? { siteVersion: version } : {}),
      detail: this.#detail(sum),
    };
  }

  /** With the port where it is one packet's: of many, it is another with each. */
  #sourceText(sum: RefusalSum): string {
    const { source, sourcePort } = this.sample;
    if (this.#many && farIsSource(this.sample)) return "";
    return sum.packets === 1 && sourcePort >= 0 && !this.#many ? `${source}:${sourcePort}` : source;
  }

  #detail(sum: RefusalSum): Record<string, string> {
    const { target, name, on } = this.sample;
    const what = whatWords(sum);
    const one = !(this.#many && !farIsSource(this.sample)) && target !== "";
    return {
      port: on,
      ...(one ? { destination: target } : {}),
      ...(what === "" ? {} : { ports: what }),
      ...(name === null || this.#many ? {} : { dns: name }),
    };
  }
}

function isNews(ports: number, recorded: number): boolean {
  return ports >= NEWS_PORTS && ports >= recorded * NEWS_TIMES;
}

/** Whether it is the sources that differ in a sum of many; else it is what was asked for. */
function farIsSource({ stage }: Refusal): boolean {
  return stage === "unknown-port" || stage === "spoofed" || stage === "unknown-station";
}

function farSide(refusal: Refusal): string {
  if (farIsSource(refusal)) return refusal.source;
  return refusal.stage === "link-layer" ? refusal.what : refusal.target;
}

function countsOf(sum: RefusalSum): Record<string, number> {
  const counts = {
    packets: sum.packets,
    bytes: sum.bytes,
    tcpPorts: sum.tcp.size,
    udpPorts: sum.udp.size,
    odd: sum.odd,
    addresses: sum.far.size,
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
