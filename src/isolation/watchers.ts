/** Both ports' packet sockets, who was seen there, and asking them. */
import type { RecordDraft } from "../audit/index.ts";
import { messageOf, type Clock } from "../base/index.ts";
import type { Neighbour } from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";
import type { Native } from "./native.ts";
import { Observer } from "./observer.ts";
import type { Plan, Ports } from "./plan.ts";
import type { RefusalBook } from "./refusals.ts";

export interface WatcherEvents {
  drafts(drafts: readonly RecordDraft[]): void;
  /** Null: it hears again. */
  problem(port: string, text: string | null): void;
}

export class Watchers {
  constructor(
    _native: Native,
    _ports: Ports,
    _book: RefusalBook,
    _clock: Clock,
    _freshId: () => string,
    _events: WatcherEvents,
  ) {}
  use(_snapshot: Snapshot | null, _plan: Plan, _own: readonly string[]): void {}
  due(): RecordDraft[] {
    return [];
  }
  neighbours(_ask: string | null): Promise<Neighbour[]> {
    return Promise.resolve([]);
  }
  reach(_plan: Plan, _reach: unknown): Promise<void> {
    return Promise.resolve();
  }
  reopen(): void {}
  close(): void {}
}
void messageOf;
void Observer;
