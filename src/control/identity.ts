/**
 * Who the box is, for its life: a P-256 key pair, made once and sealed by the keyring, and the claim code, which proves to whoever takes the
 * box over that he has it in his hands: it stands on its label and can be read at its console.
 */
import { createHash, generateKeyPairSync } from "node:crypto";
import * as z from "zod";
import type { Database, Migration, RecordDraft } from "../audit/index.ts";
import type { Clock } from "../base/index.ts";
import { newCode } from "../enrolment/index.ts";
import { keyWords } from "../est/index.ts";
import type { Keyring } from "../seal/index.ts";
import { boxDraft } from "./panel-words.ts";

export const createIdentity: Migration = {
  name: "the box's identity",
  sql: `
    CREATE TABLE box_identity (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      public BLOB NOT NULL,
      key BLOB NOT NULL,
      made INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE claim_code (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      code BLOB NOT NULL,
      made INTEGER NOT NULL
    ) STRICT;`,
};

export interface Identity {
  /** SHA-256 of the key's SubjectPublicKeyInfo, hexadecimal. */
  readonly fingerprint: string;
  /** The same for people, see keyWords() of est/. */
  readonly words: string;
  /** Milliseconds since the epoch. */
  readonly made: number;
}

/** Bound into what is sealed. */
const KEY_PURPOSE = "box identity";
const CODE_PURPOSE = "claim code";
const CODE_LENGTH = 19;

const identityRow = z.strictObject({ public: z.instanceof(Buffer), made: z.int() });
const codeRow = z.strictObject({ code: z.instanceof(Buffer), made: z.int() });

export class BoxIdentity {
  readonly #db: Database;
  readonly #keyring: () => Promise<Keyring>;
  readonly #clock: Pick<Clock, "now">;
  #making: Promise<Identity> | null = null;

  constructor(db: Database, keyring: () => Promise<Keyring>, clock: Pick<Clock, "now">) {
    this.#db = db;
    this.#keyring = keyring;
    this.#clock = clock;
  }

  /** Null: it was not made yet. Needs no keyring. */
  get known(): Identity | null {
    const row = this.#db.prepare("SELECT public, made FROM box_identity").get();
    if (row === undefined) return null;
    const { public: key, made } = identityRow.parse(row);
    return { fingerprint: createHash("sha256").update(key).digest("hex"), words: keyWords(key), made };
  }

  /** Made at the first call of the box's life. Rejects with an UnavailableError or UsageError where the keyring does not open. */
  open(): Promise<Identity> {
    const { known } = this;
    if (known !== null) return Promise.resolve(known);
    this.#making ??= this.#make().finally(() => (this.#making = null));
    return this.#making;
  }

  async code(): Promise<{ readonly code: string; readonly made: number }> {
    await this.open();
    const keyring = await this.#keyring();
    const { code, made } = codeRow.parse(this.#db.prepare("SELECT code, made FROM claim_code").get());
    const plain = keyring.open(CODE_PURPOSE, code);
    try {
      return { code: plain.toString("latin1", 0, CODE_LENGTH), made };
    } finally {
      plain.fill(0);
    }
  }

  /** A code in the place of the one there is. `change` puts it there, and is to run with the record of it. */
  async newCode(): Promise<{ readonly code: string; readonly made: number; change(): void }> {
    await this.open();
    const keyring = await this.#keyring();
    const [code, made] = [newCode(), this.#clock.now()];
    const sealed = keyring.seal(CODE_PURPOSE, Buffer.from(code, "latin1"));
    return { code, made, change: () => this.#keepCode(sealed, made) };
  }

  async #make(): Promise<Identity> {
    const keyring = await this.#keyring();
    const { publicKey, privateKey } = generateKeyPairSync("ec", {
      namedCurve: "P-256",
      publicKeyEncoding: { type: "spki", format: "der" },
      privateKeyEncoding: { type: "pkcs8", format: "der" },
    });
    const sealed = keyring.seal(KEY_PURPOSE, privateKey);
    privateKey.fill(0);
    const code = keyring.seal(CODE_PURPOSE, Buffer.from(newCode(), "latin1"));
    const made = this.#clock.now();
    this.#db.transaction(() => {
      this.#db
        .prepare("INSERT INTO box_identity (one, public, key, made) VALUES (1, ?, ?, ?)")
        .run(publicKey, sealed, made);
      this.#keepCode(code, made);
    })();
    return {
      fingerprint: createHash("sha256").update(publicKey).digest("hex"),
      words: keyWords(publicKey),
      made,
    };
  }

  #keepCode(sealed: Buffer, made: number): void {
    this.#db
      .prepare("INSERT OR REPLACE INTO claim_code (one, code, made) VALUES (1, ?, ?)")
      .run(sealed, made);
  }
}

const ORIGIN_DIGITS = 8;

/** The box's name where nobody gave it another. */
export function originOf({ fingerprint }: Identity): string {
  return `niac-${fingerprint.slice(0, ORIGIN_DIGITS)}`;
}

/** That it was made. The same draft each time: handed in at every start, it is stored once. */
export function identityDraft({ fingerprint, words, made }: Identity): RecordDraft {
  return {
    ...boxDraft(made, "identity", `the box's identity was made: ${words}`, { fingerprint }),
    id: `identity-${fingerprint}`,
  };
}
