import type { Database } from "../audit/index.ts";
import { revokedOf, type EntryRow, type Revoked } from "./crl-store.ts";

/** What a responder said. */
export interface SaidRevoked extends Revoked {
  /** The thisUpdate of its answer: an older one cannot take it back. Milliseconds since the epoch. */
  readonly said: number;
}

/** What of responders' answers outlives the process: whom they called revoked, and when they last answered. See `createOutside`. */
export class OcspStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** What a responder said last of a certificate that it called revoked; null: nothing of that kind. */
  saidRevoked(issuer: string, serialNumber: string): SaidRevoked | null {
    const row = this.#db
      .prepare<[string, Buffer], EntryRow & { said: number }>(
        "SELECT revoked_at, reason, said FROM outside_revoked WHERE issuer = ? AND serial = ?",
      )
      .get(issuer, Buffer.from(serialNumber, "hex"));
    return row === undefined ? null : { ...revokedOf(row), said: row.said };
  }

  /** Null: a responder called it good again. */
  sayRevoked(issuer: string, serialNumber: string, answer: SaidRevoked | null): void {
    const serial = Buffer.from(serialNumber, "hex");
    if (answer === null) {
      this.#db.prepare("DELETE FROM outside_revoked WHERE issuer = ? AND serial = ?").run(issuer, serial);
      return;
    }
    this.#db
      .prepare("INSERT OR REPLACE INTO outside_revoked VALUES (?, ?, ?, ?, ?)")
      .run(issuer, serial, answer.revokedAt, answer.reason, answer.said);
  }

  /** When a responder of this issuer last gave a good answer; null: never. Milliseconds since the epoch. */
  answered(issuer: string): number | null {
    const row = this.#db
      .prepare<[string], { answered: number }>("SELECT answered FROM outside_answers WHERE issuer = ?")
      .get(issuer);
    return row?.answered ?? null;
  }

  sayAnswered(issuer: string, now: number): void {
    this.#db.prepare("INSERT OR REPLACE INTO outside_answers VALUES (?, ?)").run(issuer, now);
  }
}
