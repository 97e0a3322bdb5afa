import { createHmac, randomBytes } from "node:crypto";
import type { Database } from "../audit/index.ts";
import { UsageError } from "../base/index.ts";
import { enrolmentSubjectSchema, type OpenCode } from "../link/index.ts";
import type { Subject } from "../authority/index.ts";
import type { Keyring } from "../seal/index.ts";
import { newCode, readCode } from "./enrol-code.ts";
import type { Once } from "./enrol-once.ts";

/** Milliseconds. */
const LONGEST = 30 * 86_400_000;
/** Codes open at once: more than that were made by a script that went wrong. */
const MAX_OPEN = 1_000;
const KEY_PURPOSE = "enrolment codes";
const KEY_BYTES = 32;

interface Row {
  id: number;
  hash: Buffer;
  subject: string;
  made_by: string;
  expires_at: number;
}

/** A code that is good, and what its use is known by. */
export interface GoodCode {
  readonly id: number;
  readonly subject: Subject;
  readonly by: string;
  readonly credential: Buffer;
  readonly expires: number;
}

/**
 * Codes that administrators give to people. Kept is HMAC-SHA256 under a key that the keyring seals: whoever reads the database
 * cannot try codes, and looking one up takes the same time whether its user, its code or nothing is right.
 */
export class Codes {
  readonly #db: Database;
  readonly #once: Once;
  readonly #key: Buffer;

  constructor(db: Database, keyring: Keyring, once: Once) {
    this.#db = db;
    this.#once = once;
    this.#key = keyOf(db, keyring);
  }

  /** `expires`, `now`: milliseconds since the epoch. Throws a UsageError for times that make no sense. */
  make(
    subject: Subject,
    by: string,
    valid: number,
    now: number,
  ): { readonly id: number; readonly code: string; readonly expires: number } {
    if (valid > LONGEST) {
      const days = LONGEST / 86_400_000;
      throw new UsageError(
        "code-valid",
        `a code is valid for ${days} days at most`,
        "Choose a shorter --valid.",
      );
    }
    this.#db.prepare("DELETE FROM enrolment_codes WHERE expires_at < ?").run(now);
    if (this.open(now).length >= MAX_OPEN) {
      throw new UsageError(
        "codes-open",
        `${MAX_OPEN} codes are open, which is the limit`,
        "Withdraw those that nobody needs: niac enrolment codes, niac enrolment withdraw.",
      );
    }
    const code = newCode();
    const expires = now + valid;
    const { lastInsertRowid } = this.#db
      .prepare("INSERT INTO enrolment_codes (hash, subject, made_by, expires_at) VALUES (?, ?, ?, ?)")
      .run(this.#hash(code.replaceAll("-", "")), JSON.stringify(subject), by, expires);
    return { id: Number(lastInsertRowid), code, expires };
  }

  /** Null: the code is none, another user's, or expired; the caller cannot tell which and neither can the client. */
  find(user: string, typed: string, now: number): GoodCode | null {
    const hash = this.#hash(readCode(typed) ?? "");
    const row = this.#db.prepare<[Buffer], Row>("SELECT * FROM enrolment_codes WHERE hash = ?").get(hash);
    if (row === undefined || now > row.expires_at) return null;
    const subject = subjectOf(row.subject);
    if (subject.user !== user) return null;
    return { id: row.id, subject, by: row.made_by, credential: hash, expires: row.expires_at };
  }

  /** Neither used nor expired, the oldest first. */
  open(now: number): OpenCode[] {
    return this.#db
      .prepare<[number], Row>("SELECT * FROM enrolment_codes WHERE expires_at >= ? ORDER BY id")
      .all(now)
      .filter(({ hash }) => !this.#once.used(hash))
      .map(({ id, subject, made_by: by, expires_at: expires }) => ({
        id,
        subject: { ...subjectOf(subject) },
        by,
        expires,
      }));
  }

  /** Throws a UsageError where there is no such open code. */
  withdraw(id: number, now: number): OpenCode {
    const code = this.open(now).find((open) => open.id === id);
    if (code === undefined) {
      throw new UsageError("no-code", `there is no open code ${id}`, "See `niac enrolment codes`.");
    }
    this.#db.prepare("DELETE FROM enrolment_codes WHERE id = ?").run(id);
    return code;
  }

  #hash(code: string): Buffer {
    return createHmac("sha256", this.#key).update(code).digest();
  }
}

function subjectOf(json: string): { [Field in keyof Subject]: Subject[Field] } & { groups: string[] } {
  return enrolmentSubjectSchema.parse(JSON.parse(json));
}

function keyOf(db: Database, keyring: Keyring): Buffer {
  const row = db
    .prepare<[string], { value: Buffer }>("SELECT value FROM enrolment_settings WHERE name = ?")
    .get(KEY_PURPOSE);
  if (row !== undefined) return keyring.open(KEY_PURPOSE, row.value);
  const key = randomBytes(KEY_BYTES);
  db.prepare("INSERT INTO enrolment_settings (name, value) VALUES (?, ?)").run(
    KEY_PURPOSE,
    keyring.seal(KEY_PURPOSE, key),
  );
  return key;
}
