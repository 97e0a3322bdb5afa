/** What is kept of a site's own authority: where it is, who this appliance is to it, and what it issued through this appliance. */
import * as z from "zod";
import type { Database, Migration } from "../audit/index.ts";
import { type Subject, TIERS } from "./contract.ts";

/**
 * One row of `upstream` at most. While `certificates` is null the request waits for approval. Lengths of PEM and of sealed keys are
 * bounded by who writes them.
 */
export const createUpstream: Migration = {
  name: "upstream authority",
  sql: `
    CREATE TABLE upstream (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      url TEXT NOT NULL,
      ca TEXT NOT NULL,
      name TEXT NOT NULL,
      key BLOB NOT NULL,
      request BLOB NOT NULL,
      certificates TEXT,
      authorities TEXT NOT NULL,
      not_after INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE upstream_issued (
      fingerprint TEXT PRIMARY KEY,
      serial TEXT NOT NULL,
      subject TEXT NOT NULL,
      not_after INTEGER NOT NULL,
      issued_by TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX upstream_issued_end ON upstream_issued (not_after);`,
};

export interface UpstreamRow {
  readonly url: string;
  /** PEM of what the server is verified by. */
  readonly ca: string;
  /** The appliance's DNS name at the time: a renewal must ask for the same. */
  readonly name: string;
  /** Sealed. */
  readonly key: Buffer;
  /** DER of the request that the key signed. */
  readonly request: Buffer;
  /** PEM: the appliance's identity and its chain; null: it waits for approval. */
  readonly certificates: string | null;
  /** PEM of all authorities that it names, roots first. */
  readonly authorities: string;
  readonly notAfter: number;
}

const subjectSchema = z.strictObject({
  tier: z.enum(TIERS),
  tenant: z.string().nullable(),
  user: z.string(),
  device: z.string(),
  groups: z.array(z.string()),
  role: z.string().nullable(),
  until: z.number().nullable(),
});

export interface UpstreamIssued {
  readonly fingerprint: string;
  readonly serialNumber: string;
  readonly subject: Subject;
  readonly notAfter: number;
}

interface Row {
  url: string;
  ca: string;
  name: string;
  key: Buffer;
  request: Buffer;
  certificates: string | null;
  authorities: string;
  not_after: number;
}

export class UpstreamStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  read(): UpstreamRow | null {
    const row = this.#db.prepare<[], Row>("SELECT * FROM upstream").get();
    if (!row) return null;
    const { url, ca, name, key, request, certificates, authorities } = row;
    return { url, ca, name, key, request, certificates, authorities, notAfter: row.not_after };
  }

  write(row: UpstreamRow): void {
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO upstream (one, url, ca, name, key, request, certificates, authorities, not_after)
         VALUES (1, @url, @ca, @name, @key, @request, @certificates, @authorities, @notAfter)`,
      )
      .run(row);
  }

  /** Of those that are over by `now` nothing is kept. */
  issued({ fingerprint, serialNumber, subject, notAfter }: UpstreamIssued, by: string, now: number): void {
    this.#db.prepare("DELETE FROM upstream_issued WHERE not_after < ?").run(now);
    this.#db
      .prepare(
        "INSERT INTO upstream_issued (fingerprint, serial, subject, not_after, issued_by) VALUES (?, ?, ?, ?, ?)",
      )
      .run(fingerprint, serialNumber, JSON.stringify(subject), notAfter, by);
  }

  /** The user of a certificate that is not over and says this device; null: nobody's. */
  userOf(device: string, now: number): string | null {
    const row = this.#db
      .prepare<[string, number], { user: string }>(
        `SELECT json_extract(subject, '$.user') AS user FROM upstream_issued
         WHERE json_extract(subject, '$.device') = ? AND not_after >= ? ORDER BY not_after DESC LIMIT 1`,
      )
      .get(device, now);
    return row?.user ?? null;
  }

  holder(fingerprint: string): { subject: Subject; notAfter: number } | null {
    const row = this.#db
      .prepare<[string], { subject: string; not_after: number }>(
        "SELECT subject, not_after FROM upstream_issued WHERE fingerprint = ?",
      )
      .get(fingerprint);
    return row ? { subject: subjectSchema.parse(JSON.parse(row.subject)), notAfter: row.not_after } : null;
  }
}
