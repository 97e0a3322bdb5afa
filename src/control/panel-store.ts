import * as z from "zod";
import type { Database, Migration } from "../audit/index.ts";

/** An opened cover stays known until somebody has acknowledged it, whatever becomes of the power meanwhile. */
export const createPanel: Migration = {
  name: "opened cover",
  sql: `CREATE TABLE opened_cover (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL) STRICT;`,
};

const rowSchema = z.strictObject({ since: z.int() });

export class PanelStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Since when, milliseconds since the epoch; null: it was not opened, or that is acknowledged. */
  opened(): number | null {
    const row = this.#db.prepare("SELECT since FROM opened_cover").get();
    return row === undefined ? null : rowSchema.parse(row).since;
  }

  /** The first opening stands. */
  open(since: number): void {
    this.#db.prepare("INSERT OR IGNORE INTO opened_cover (one, since) VALUES (1, ?)").run(since);
  }

  acknowledge(): void {
    this.#db.prepare("DELETE FROM opened_cover").run();
  }
}
