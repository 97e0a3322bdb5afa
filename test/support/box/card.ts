/** The box's memory card as the bed holds it; the card itself is a thread (card-worker.ts). */
import { Worker } from "node:worker_threads";
import { z } from "zod";
import type { CardOrder } from "./card-worker.ts";
import { partitions } from "./medium.ts";
import type { Teardown } from "../processes.ts";

const answer = z.discriminatedUnion("what", [
  z.object({ what: z.literal("ready") }),
  z.object({ what: z.literal("stopped") }),
  z.object({
    what: z.literal("done"),
    lost: z.number(),
    reads: z.number(),
    writes: z.number(),
    flushes: z.number(),
    bytesWritten: z.number(),
    ranges: z.array(z.object({ name: z.string(), bytes: z.number() })),
  }),
]);
type Done = Extract<z.infer<typeof answer>, { what: "done" }>;
/** Since the card was made. Bytes are those of requests to write; `ranges`: by partition. */
export type CardCounts = Omit<Done, "what" | "lost">;

export class Card {
  /** The disk's content; only what settle() has stored. */
  readonly file: string;
  /** QEMU connects here. */
  readonly socket: string;
  readonly #worker: Worker;
  readonly #waiting: Array<(done: Done) => void> = [];
  #stopped: (() => void) | null = null;

  private constructor(file: string, socket: string, worker: Worker) {
    this.file = file;
    this.socket = socket;
    this.#worker = worker;
  }

  /** Over a file that is a whole disk. */
  static async insert(t: Teardown, file: string, socket: string): Promise<Card> {
    const ranges = partitions(file).map(({ name, start, length }) => ({ name, start, end: start + length }));
    const worker = new Worker(new URL("card-worker.ts", import.meta.url), {
      workerData: { file, socket, ranges },
    });
    t.teardown(async () => void (await worker.terminate()));
    const card = new Card(file, socket, worker);
    await new Promise<void>((resolve, reject) => {
      worker.on("error", reject);
      worker.on("message", (message: unknown) => {
        const said = answer.parse(message);
        if (said.what === "ready") resolve();
        else if (said.what === "stopped") card.#stopped?.();
        else card.#waiting.shift()?.(said);
      });
    });
    return card;
  }

  /** What was handed to the card is in its file. */
  async settle(): Promise<void> {
    await this.#ask({ what: "settle" });
  }

  async counts(): Promise<CardCounts> {
    const { what: _what, lost: _lost, ...counts } = await this.#ask({ what: "counts" });
    return counts;
  }

  /** The power goes. Of blocks (4096 bytes) that were not flushed, chance keeps some; returns the number of lost ones. */
  async cut(seed: number): Promise<number> {
    return (await this.#ask({ what: "cut", seed })).lost;
  }

  /** From the write that comes after so many more the card does nothing; resolves then. `partition`: of writes to it; left out: of all. */
  async stopsAfter(writes: number, partition: string | null = null): Promise<void> {
    const stopped = new Promise<void>((resolve) => (this.#stopped = resolve));
    await this.#ask({ what: "stop-at", writes, range: partition });
    return stopped;
  }

  /** Whether it is as slow as a card may be that a box is sold with. */
  async setSlow(slow: boolean): Promise<void> {
    await this.#ask({ what: "pace", slow });
  }

  #ask(order: CardOrder): Promise<Done> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(order);
    });
  }
}
