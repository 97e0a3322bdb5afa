import { createHash } from "node:crypto";
import type { Database, Migration } from "../audit/index.ts";
import { messageOf, systemCode, UnavailableError, UsageError } from "../base/index.ts";
import type { SiteVersion } from "../link/index.ts";

/** `recorded` is 0 until the record that it was applied is committed; only then does a version count. */
export const createSite: Migration = {
  name: "site versions",
  sql: `
    CREATE TABLE site_versions (
      version INTEGER PRIMARY KEY CHECK (version >= 1),
      text TEXT NOT NULL,
      hash TEXT NOT NULL,
      applied_at INTEGER NOT NULL,
      applied_by TEXT NOT NULL,
      note TEXT NOT NULL,
      recorded INTEGER NOT NULL DEFAULT 0 CHECK (recorded IN (0, 1))
    ) STRICT;`,
};

interface Row {
  version: number;
  text: string;
  hash: string;
  applied_at: number;
  applied_by: string;
  note: string;
}

/** Every version of the site document ever applied. The newest recorded one is in force. */
export class SiteStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Keeps a text as the next version, which is not in force before confirm(). Both throw an UnavailableError, `site-full` or
   * `site-store`, where it cannot be written; nothing is changed then.
   */
  prepare(text: string, by: string, note: string, now: number): SiteVersion {
    const hash = createHash("sha256").update(text).digest("hex");
    return this.#writing(() => {
      // What was prepared and never recorded, after a crash or a full disk, leaves no trace.
      this.#db.prepare("DELETE FROM site_versions WHERE recorded = 0").run();
      const { next } = this.#db
        .prepare<[], { next: number }>("SELECT coalesce(max(version), 0) + 1 AS next FROM site_versions")
        .get() ?? { next: 1 };
      this.#db
        .prepare(
          "INSERT INTO site_versions (version, text, hash, applied_at, applied_by, note) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .run(next, text, hash, now, by, note);
      return { version: next, hash, appliedAt: now, appliedBy: by, note };
    });
  }

  confirm(version: number): void {
    this.#writing(() =>
      this.#db.prepare("UPDATE site_versions SET recorded = 1 WHERE version = ?").run(version),
    );
  }

  /** A version that was prepared when the process died; whether its record was committed, the audit log knows. */
  prepared(): SiteVersion | null {
    const row = this.#db.prepare<[], Row>("SELECT * FROM site_versions WHERE recorded = 0").get();
    return row ? view(row) : null;
  }

  current(): { version: SiteVersion; text: string } | null {
    const row = this.#db
      .prepare<[], Row>("SELECT * FROM site_versions WHERE recorded = 1 ORDER BY version DESC LIMIT 1")
      .get();
    return row ? { version: view(row), text: row.text } : null;
  }

  /** Throws a UsageError where there is no such version. */
  get(version: number): { version: SiteVersion; text: string } {
    const row = this.#db
      .prepare<[number], Row>("SELECT * FROM site_versions WHERE recorded = 1 AND version = ?")
      .get(version);
    if (row) return { version: view(row), text: row.text };
    throw new UsageError(
      "no-version",
      `there is no version ${version} of the site document`,
      "See `niac site history`.",
    );
  }

  /** Newest first. */
  history(): SiteVersion[] {
    return this.#db
      .prepare<[], Row>("SELECT * FROM site_versions WHERE recorded = 1 ORDER BY version DESC")
      .all()
      .map(view);
  }

  #writing<T>(write: () => T): T {
    try {
      return this.#db.transaction(write).immediate();
    } catch (error) {
      throw explained(error);
    }
  }
}

function explained(error: unknown): unknown {
  const code = systemCode(error);
  if (!code.startsWith("SQLITE_")) return error;
  const cause = { cause: error };
  if (code === "SQLITE_FULL" || code === "SQLITE_IOERR_SHMSIZE") {
    return new UnavailableError(
      "site-full",
      "the site document cannot be kept: the storage of niac's database is full. The old one stays in force",
      "Free some space there and apply it again.",
      cause,
    );
  }
  return new UnavailableError(
    "site-store",
    `the site document cannot be kept: ${messageOf(error)} (${code}). The old one stays in force`,
    "Check the storage for errors, and that niac control alone has its database open; then apply it again.",
    cause,
  );
}

function view(row: Row): SiteVersion {
  return {
    version: row.version,
    hash: row.hash,
    appliedAt: row.applied_at,
    appliedBy: row.applied_by,
    note: row.note,
  };
}
