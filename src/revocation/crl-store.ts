import type { Statement } from "better-sqlite3";
import type { Database, Migration } from "../audit/index.ts";
import { packedEntries, REMOVED } from "./crl-packed.ts";

/**
 * Revocation lists of other authorities. The entries of one list are one generation: they are written next to those in force, some
 * at a time, and count when the list's row names them, which is one commit. A delta is a generation of its own laid over its base.
 * `issuer` is the SHA-256 of the issuing certificate, hexadecimal; numbers are decimal, as they exceed SQLite's integers.
 */
export const createOutside: Migration = {
  name: "outside authorities",
  sql: `
    CREATE TABLE outside_generations (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;
    CREATE TABLE outside_entries (
      generation INTEGER NOT NULL,
      serial BLOB NOT NULL,
      revoked_at INTEGER NOT NULL,
      reason INTEGER NOT NULL,
      PRIMARY KEY (generation, serial)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE outside_lists (
      issuer TEXT PRIMARY KEY,
      generation INTEGER NOT NULL REFERENCES outside_generations (id),
      delta INTEGER REFERENCES outside_generations (id),
      base_number TEXT,
      number TEXT,
      this_update INTEGER NOT NULL,
      next_update INTEGER NOT NULL,
      base_hash TEXT NOT NULL,
      hash TEXT NOT NULL,
      entries INTEGER NOT NULL,
      changes INTEGER NOT NULL,
      received INTEGER NOT NULL,
      received_by TEXT NOT NULL
    ) STRICT;
    CREATE TABLE outside_revoked (
      issuer TEXT NOT NULL,
      serial BLOB NOT NULL,
      revoked_at INTEGER NOT NULL,
      reason INTEGER NOT NULL,
      said INTEGER NOT NULL,
      PRIMARY KEY (issuer, serial)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE outside_answers (issuer TEXT PRIMARY KEY, answered INTEGER NOT NULL) STRICT;`,
};

/** What is known of the list in force, without its entries. Times are milliseconds since the epoch. */
export interface HeldList {
  readonly number: bigint | null;
  /** Of the complete list underneath; the same as `number` where no delta is laid over it. */
  readonly baseNumber: bigint | null;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** SHA-256 of the complete list's DER, hexadecimal, and of the delta's where there is one. */
  readonly baseHash: string;
  readonly hash: string;
  /** In the complete list, and in the delta laid over it. */
  readonly entries: number;
  readonly changes: number;
  readonly received: number;
  /** `fetched`, or who brought it. */
  readonly receivedBy: string;
}

export interface Revoked {
  /** Milliseconds since the epoch; it may lie ahead. */
  readonly revokedAt: number;
  /** CRLReason (RFC 5280, section 5.3.1). */
  readonly reason: number;
}

/** Milliseconds that writing entries may hold up the loop before others have their turn. */
const TURN = 8;
/** Entries written between two looks at the clock. */
const STRIDE = 250;

interface Row {
  generation: number;
  delta: number | null;
  base_number: string | null;
  number: string | null;
  this_update: number;
  next_update: number;
  base_hash: string;
  hash: string;
  entries: number;
  changes: number;
  received: number;
  received_by: string;
}

/** `revoked_at` and `reason`, as they stand in more than one table. */
export interface EntryRow {
  revoked_at: number;
  reason: number;
}

export class CrlStore {
  readonly #db: Database;
  readonly #list: Statement<[string], Row>;
  readonly #entry: Statement<[number, Buffer], EntryRow>;
  /** Where entries are being written; nothing of it is in force. */
  #staging: number | null = null;
  #closed = false;

  constructor(db: Database) {
    this.#db = db;
    this.#list = db.prepare("SELECT * FROM outside_lists WHERE issuer = ?");
    this.#entry = db.prepare(
      "SELECT revoked_at, reason FROM outside_entries WHERE generation = ? AND serial = ?",
    );
  }

  held(issuer: string): HeldList | null {
    const row = this.#list.get(issuer);
    return row === undefined ? null : view(row);
  }

  /** What the list in force says of a certificate, the delta before its base; null: it is not on it, or there is no list. */
  find(issuer: string, serialNumber: string): Revoked | null {
    const row = this.#list.get(issuer);
    if (row === undefined) return null;
    const serial = Buffer.from(serialNumber, "hex");
    const changed = row.delta === null ? undefined : this.#entry.get(row.delta, serial);
    const found = changed ?? this.#entry.get(row.generation, serial);
    return found === undefined || found.reason === REMOVED ? null : revokedOf(found);
  }

  /**
   * Puts a list in force in place of the one held, or lays a delta over it. Entries are written a few milliseconds at a time; until
   * the last of them is there, and after a crash, the old list counts. Not to be called again before it has resolved. Rejects with what
   * SQLite throws, and with nothing changed.
   */
  async put(issuer: string, list: HeldList, delta: boolean, packed: Uint8Array): Promise<void> {
    const before = this.#list.get(issuer);
    const generation = Number(
      this.#db.prepare("INSERT INTO outside_generations DEFAULT VALUES").run().lastInsertRowid,
    );
    this.#staging = generation;
    try {
      await this.#write(generation, packed);
      if (this.#closed) return;
      this.#db
        .prepare<(string | number | null)[]>(
          "INSERT OR REPLACE INTO outside_lists VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .run(
          issuer,
          delta && before ? before.generation : generation,
          delta ? generation : null,
          textOf(list.baseNumber),
          textOf(list.number),
          list.thisUpdate,
          list.nextUpdate,
          list.baseHash,
          list.hash,
          list.entries,
          list.changes,
          list.received,
          list.receivedBy,
        );
    } finally {
      this.#staging = null;
    }
  }

  /** Removes entries that no list names: those replaced, and those of a list that was never finished. */
  async sweep(): Promise<void> {
    const unused = this.#db
      .prepare<[], { id: number }>(
        `SELECT id FROM outside_generations WHERE id NOT IN (SELECT generation FROM outside_lists)
         AND id NOT IN (SELECT delta FROM outside_lists WHERE delta IS NOT NULL)`,
      )
      .all();
    const some = this.#db.prepare<[number, number, number]>(
      `DELETE FROM outside_entries WHERE generation = ? AND serial IN
       (SELECT serial FROM outside_entries WHERE generation = ? LIMIT ?)`,
    );
    for (const { id } of unused) {
      if (id === this.#staging) continue;
      const removed = (): boolean => this.#closed || some.run(id, id, STRIDE).changes < STRIDE;
      while (!this.#turn(removed)) await nextTurn();
      if (this.#closed) return;
      this.#db.prepare<[number]>("DELETE FROM outside_generations WHERE id = ?").run(id);
    }
  }

  /** Ends what is being written or removed, before the database is closed. */
  close(): void {
    this.#closed = true;
  }

  async #write(generation: number, packed: Uint8Array): Promise<void> {
    const insert = this.#db.prepare<[number, Buffer, number, number]>(
      "INSERT INTO outside_entries VALUES (?, ?, ?, ?)",
    );
    const entries = packedEntries(packed);
    const some = (): boolean => {
      for (let count = 0; count < STRIDE; count++) {
        const { value, done } = entries.next();
        if (done) return true;
        insert.run(generation, value.serial, value.revokedAt, value.reason);
      }
      return false;
    };
    while (!this.#closed && !this.#turn(some)) await nextTurn();
  }

  /** Repeats `some` in one transaction for as long as a turn lasts; true when that says that all is done. */
  #turn(some: () => boolean): boolean {
    if (this.#closed) return true;
    const end = performance.now() + TURN;
    return this.#db
      .transaction(() => {
        while (!some()) if (performance.now() > end) return false;
        return true;
      })
      .immediate();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

export function revokedOf({ revoked_at: revokedAt, reason }: EntryRow): Revoked {
  return { revokedAt, reason };
}

function textOf(number: bigint | null): string | null {
  return number === null ? null : String(number);
}

function numberOf(text: string | null): bigint | null {
  return text === null ? null : BigInt(text);
}

function view(row: Row): HeldList {
  return {
    number: numberOf(row.number),
    baseNumber: numberOf(row.base_number),
    thisUpdate: row.this_update,
    nextUpdate: row.next_update,
    baseHash: row.base_hash,
    hash: row.hash,
    entries: row.entries,
    changes: row.changes,
    received: row.received,
    receivedBy: row.received_by,
  };
}
