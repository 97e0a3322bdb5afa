/** Updates in control's database: what was installed, and what became of it. It outlives the slots. */
import type { Database, Migration } from "../audit/index.ts";
import { updateSchema, type UpdateView } from "../link/index.ts";

/** `boot`: the kernel's boot id when the firmware was told to try it; empty: it was not. */
export const createUpdates: Migration = {
  name: "updates of the image",
  sql: `
    CREATE TABLE updates (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      begun INTEGER NOT NULL,
      changed INTEGER NOT NULL,
      source TEXT NOT NULL,
      by TEXT NOT NULL,
      "from" TEXT NOT NULL,
      version TEXT NOT NULL,
      hash TEXT NOT NULL,
      slot TEXT NOT NULL CHECK (slot IN ('A', 'B')),
      state TEXT NOT NULL,
      reason TEXT NOT NULL DEFAULT '',
      boot TEXT NOT NULL DEFAULT ''
    ) STRICT;`,
};

export interface StoredUpdate extends UpdateView {
  readonly boot: string;
}

/** What becomes of one; what is left out stays. */
export type UpdateChange = Partial<Pick<StoredUpdate, "state" | "reason" | "boot">>;

const storedSchema = updateSchema.extend({ boot: updateSchema.shape.reason });
const COLUMNS = 'id, begun, changed, source, by, "from", version, hash, slot, state, reason, boot';
/** Updates that are kept. */
const KEPT = 50;

export class UpdateStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** One that begins. What waited for a restart in the same slot, or was broken off there, is written over. */
  begin(update: Omit<UpdateView, "changed" | "state" | "reason">): StoredUpdate {
    this.#db.transaction(() => {
      this.#db
        .prepare(
          "UPDATE updates SET state = 'replaced', changed = ? WHERE state IN ('installed', 'installing')",
        )
        .run(update.begun);
      this.#db
        .prepare(
          "INSERT INTO updates (id, begun, changed, source, by, \"from\", version, hash, slot, state) VALUES (@id, @begun, @begun, @source, @by, @from, @version, @hash, @slot, 'installing')",
        )
        .run(update);
      this.#db.prepare("DELETE FROM updates WHERE number <= (SELECT max(number) FROM updates) - ?").run(KEPT);
    })();
    return { ...update, changed: update.begun, state: "installing", reason: "", boot: "" };
  }

  set(update: StoredUpdate, now: number, change: UpdateChange): StoredUpdate {
    const next = { ...update, ...change, changed: now };
    this.#db
      .prepare(
        "UPDATE updates SET state = @state, reason = @reason, boot = @boot, changed = @changed WHERE id = @id",
      )
      .run({ id: next.id, state: next.state, reason: next.reason, boot: next.boot, changed: next.changed });
    return next;
  }

  /** The newest; null: there was none. */
  last(): StoredUpdate | null {
    return this.list(1)[0] ?? null;
  }

  /** The newest of a bundle, by the hash of its manifest; null: there was none of it. */
  lastOf(hash: string): StoredUpdate | null {
    return this.list(KEPT).findLast((update) => update.hash === hash) ?? null;
  }

  /** The newest last. */
  list(most: number): StoredUpdate[] {
    const rows = this.#db.prepare(`SELECT ${COLUMNS} FROM updates ORDER BY number DESC LIMIT ?`).all(most);
    return rows.map((row) => storedSchema.parse(row)).toReversed();
  }
}

/** Without what is control's own. */
export function viewOf({ boot: _boot, ...view }: StoredUpdate): UpdateView {
  return view;
}
