/** What installing and trying an update need of the rest of control, and the records both make. */
import type { Logger } from "pino";
import type { ImageBox, Rauc } from "../appliance/index.ts";
import type { AuditLog, RecordDraft } from "../audit/index.ts";
import type { Clock } from "../base/index.ts";
import type { UpdateSettings } from "../settings/index.ts";
import { boxDraft } from "./panel.ts";
import type { StoredUpdate, UpdateStore } from "./update-store.ts";

/** Where sticks are mounted (image/rootfs/usr/lib/niac/usb). */
export const STICKS = "/run/niac-usb/";

export interface UpdateParts {
  readonly store: UpdateStore;
  readonly audit: Pick<AuditLog, "append" | "related">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly box: ImageBox;
  readonly rauc: Rauc;
  readonly settings: UpdateSettings;
  /** The version below which nothing is installed. */
  readonly floor: () => string;
  /** Why the slot on trial gave up, where its control could not record it; null: it left nothing. */
  readonly lastFailure: () => string | null;
  /** How many sessions are open. */
  readonly sessions: () => Promise<number>;
  /** What stands against calling this image good, for the reader; empty: nothing. */
  readonly unhealthy: () => Promise<string[]>;
  /** Asks for an orderly restart of the box. */
  readonly restart: () => void;
  /** What needs a person's eye; null: nothing any more. */
  readonly fault: (why: string | null, advice?: string) => void;
}

/** `detail.action` of records of updates; `update-` before it. */
export type UpdateAction =
  | "started"
  | "failed"
  | "installed"
  | "trial"
  | "good"
  | "rolled-back"
  | "dismissed";

/** All records of one update belong to the first, whose id is the update's. */
export function updateDraft(
  time: number,
  action: UpdateAction,
  reason: string,
  update: Pick<StoredUpdate, "id" | "from" | "version" | "slot" | "hash" | "by" | "source">,
): RecordDraft {
  const { id, from, version, slot, hash, by, source } = update;
  const detail = { from, version, slot, hash, by, source: source.slice(0, 300) };
  const draft = boxDraft(time, `update-${action}`, reason, detail);
  return action === "started" ? { ...draft, id } : { ...draft, ref: id };
}
