import { createHash } from "node:crypto";
import type { Database } from "../audit/index.ts";

/** Milliseconds in which one credential and one key are answered with the certificate they got before. */
const AGAIN = 10 * 60_000;

interface Row {
  key: Buffer;
  used_at: number;
  certificate: Buffer | null;
}

/**
 * Exactly one certificate for each credential. A client whose answer was lost sends code and key again, and gets the same
 * certificate for ten minutes: only who has the key could use it, and he has it by right. If issuing fails, the credential is not
 * used up.
 */
export class Once {
  readonly #db: Database;
  readonly #running = new Map<string, { readonly key: Buffer; readonly outcome: Promise<Buffer> }>();

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * DER of the certificate; null: the credential was used, or is being used, for another key. `credential`: what is kept of it;
   * `forget`: until when its use is remembered, milliseconds since the epoch. Rejects with what `issue` rejects with.
   */
  async take(
    credential: Buffer,
    publicKeyInfo: Uint8Array,
    times: { readonly now: number; readonly forget: number },
    issue: () => Promise<Buffer>,
  ): Promise<Buffer | null> {
    const key = keyHash(publicKeyInfo);
    const name = credential.toString("hex");
    const running = this.#running.get(name);
    if (running !== undefined) return running.key.equals(key) ? running.outcome : null;
    const used = this.#db
      .prepare<[Buffer], Row>("SELECT key, used_at, certificate FROM enrolment_uses WHERE credential = ?")
      .get(credential);
    if (used !== undefined) {
      if (!used.key.equals(key)) return null;
      if (used.certificate !== null) return times.now - used.used_at <= AGAIN ? used.certificate : null;
      // A crash while it was issued: for this key alone it may go on.
    }
    const outcome = this.#issue(credential, key, times, issue);
    this.#running.set(name, { key, outcome });
    try {
      return await outcome;
    } finally {
      this.#running.delete(name);
    }
  }

  /** Whether a credential was used, or is being used. */
  used(credential: Buffer): boolean {
    if (this.#running.has(credential.toString("hex"))) return true;
    return (
      this.#db.prepare("SELECT 1 FROM enrolment_uses WHERE credential = ?").get(credential) !== undefined
    );
  }

  async #issue(
    credential: Buffer,
    key: Buffer,
    { now, forget }: { readonly now: number; readonly forget: number },
    issue: () => Promise<Buffer>,
  ): Promise<Buffer> {
    this.#db.prepare("DELETE FROM enrolment_uses WHERE forget_at < ?").run(now);
    this.#db
      .prepare(
        "INSERT OR REPLACE INTO enrolment_uses (credential, key, used_at, forget_at) VALUES (?, ?, ?, ?)",
      )
      .run(credential, key, now, forget);
    try {
      const certificate = await issue();
      this.#db
        .prepare("UPDATE enrolment_uses SET certificate = ? WHERE credential = ?")
        .run(certificate, credential);
      return certificate;
    } catch (error) {
      this.#db.prepare("DELETE FROM enrolment_uses WHERE credential = ?").run(credential);
      throw error;
    }
  }
}

/** What a key is known by: SHA-256 of its SubjectPublicKeyInfo. */
export function keyHash(publicKeyInfo: Uint8Array): Buffer {
  return createHash("sha256").update(publicKeyInfo).digest();
}
