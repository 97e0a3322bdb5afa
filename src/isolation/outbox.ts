import type { RecordDraft } from "../audit/index.ts";
import { PeerError } from "../base/index.ts";

/** Drafts kept while control is away; what comes beyond is counted, and the count is recorded. */
const MOST_KEPT = 5_000;
/** Drafts in one append. */
const BATCH = 500;

export type Append = (drafts: readonly RecordDraft[]) => Promise<unknown>;

/** netd's records on their way to control: kept until they are acknowledged, handed in again after a break under the same ids. */
export class Outbox {
  readonly #freshId: () => string;
  #append: Append | null = null;
  #kept: RecordDraft[] = [];
  #lost = 0;
  #sending: Promise<void> | null = null;

  constructor(freshId: () => string) {
    this.#freshId = freshId;
  }

  /** Null: control is away. */
  connect(append: Append | null): void {
    this.#append = append;
    this.#send();
  }

  add(drafts: readonly RecordDraft[]): void {
    for (const draft of drafts) {
      if (this.#kept.length < MOST_KEPT) this.#kept.push(draft);
      else this.#lost++;
    }
    this.#send();
  }

  /** Resolves once nothing waits, or control is away. */
  async drain(): Promise<void> {
    while (this.#sending) await this.#sending;
  }

  #send(): void {
    if (this.#sending || !this.#append || this.#kept.length === 0) return;
    const append = this.#append;
    this.#sending = this.#sendAll(append).finally(() => {
      this.#sending = null;
      if (this.#append !== append) this.#send();
    });
  }

  async #sendAll(append: Append): Promise<void> {
    while (this.#kept.length > 0 && this.#append === append) {
      const batch = this.#kept.slice(0, BATCH);
      if (!(await this.#handIn(append, batch))) return;
      this.#kept.splice(0, batch.length);
      this.#tellLost(batch);
    }
  }

  /** False: not now. A draft that control never takes must not keep back those behind it: it alone is left out, and its reason is kept. */
  async #handIn(append: Append, batch: readonly RecordDraft[]): Promise<boolean> {
    try {
      await append(batch);
      return true;
    } catch (error) {
      // Otherwise the channel's end says the same, and a new one sends again.
      if (!(error instanceof PeerError)) return false;
    }
    const [first] = batch;
    if (batch.length === 1 && first !== undefined) {
      const reason = `a record of kind ${first.kind} was refused by control and is lost: ${first.reason ?? ""}`;
      this.#kept.push({
        time: first.time,
        kind: "network",
        id: this.#freshId(),
        reason: reason.slice(0, 500),
      });
      return true;
    }
    for (const draft of batch) if (!(await this.#handIn(append, [draft]))) return false;
    return true;
  }

  #tellLost([last]: readonly RecordDraft[]): void {
    if (this.#lost === 0 || last === undefined) return;
    const reason = `${this.#lost} records of refused packets and flows were lost while control was away`;
    this.#lost = 0;
    this.#kept.push({ time: last.time, kind: "network", id: this.#freshId(), reason });
  }
}
