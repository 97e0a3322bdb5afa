/** Authorities made with niac's own writers, their lists, and control's part that checks them, on a database of its own. */
import { createHash, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import {
  AuditLog,
  createRecords,
  openDatabase,
  type AuditRecord,
  type Database,
} from "../../../src/audit/index.ts";
import { createOutside } from "../../../src/revocation/crl-store.ts";
import { OutsideAuthorities } from "../../../src/revocation/outside.ts";
import type { OutsideAuthority } from "../../../src/site/index.ts";
import {
  basicConstraints,
  certificatePem,
  extendedKeyUsage,
  generateKey,
  keyIdOf,
  keyUsage,
  makeCertificate,
  makeCrl,
  makeExtension,
  makeName,
  publicKeyInfoOf,
  readPublicKey,
  randomSerial,
  subjectKeyIdentifier,
  type CrlReason,
  type KeyUsage,
  type RevokedSerial,
} from "../../../src/x509/index.ts";

export const NOW = 1_780_000_000_000;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** Stands still until the test moves it; both hands by the same. */
export class TestClock {
  time = NOW;
  now(): number {
    return this.time;
  }
  monotonic(): number {
    return this.time - NOW;
  }
}

export interface CrlWish {
  readonly number?: bigint;
  readonly thisUpdate?: number;
  readonly nextUpdate?: number;
  readonly revoked?: readonly (string | RevokedSerial)[];
  readonly delta?: bigint;
}

export class TestCa {
  readonly name: string;
  readonly der: Buffer;
  readonly serialNumber: string;
  readonly #key: KeyObject;
  readonly #subject: Buffer;
  readonly #publicKeyInfo: Buffer;
  readonly above: readonly TestCa[];

  private constructor(
    name: string,
    keys: { privateKey: KeyObject; publicKey: KeyObject },
    parent: TestCa | null,
    usages: readonly KeyUsage[],
  ) {
    this.name = name;
    this.#key = keys.privateKey;
    this.#subject = makeName([["CN", name]]);
    this.#publicKeyInfo = publicKeyInfoOf(keys.publicKey);
    const serialNumber = randomSerial();
    this.serialNumber = serialNumber.toString("hex");
    this.above = parent === null ? [] : [parent, ...parent.above];
    const extensions = [
      basicConstraints({ ca: true }),
      keyUsage(usages),
      subjectKeyIdentifier(this.#publicKeyInfo),
    ];
    this.der = makeCertificate(
      {
        serialNumber,
        issuer: parent === null ? this.#subject : parent.#subject,
        subject: this.#subject,
        notBefore: NOW - 365 * DAY,
        notAfter: NOW + 3_650 * DAY,
        publicKey: this.#publicKeyInfo,
        extensions,
      },
      parent === null ? this.#key : parent.#key,
    );
  }

  static async make(
    name: string,
    parent: TestCa | null = null,
    usages: readonly KeyUsage[] = ["keyCertSign", "cRLSign"],
  ): Promise<TestCa> {
    return new TestCa(name, await generateKey("p256"), parent, usages);
  }

  get issuer(): string {
    return createHash("sha256").update(this.der).digest("hex");
  }

  get key(): KeyObject {
    return this.#key;
  }

  /** For OCSP: whose certificate is meant. */
  get naming(): { readonly issuerName: Buffer; readonly issuerKey: Uint8Array } {
    return { issuerName: this.#subject, issuerKey: readPublicKey(this.#publicKeyInfo).bytes };
  }

  /** A responder's certificate, for instance. */
  certify(
    subject: string,
    publicKey: KeyObject,
    wish: { notAfter?: number; ocsp?: boolean; noCheck?: boolean } = {},
  ): Buffer {
    const { notAfter = NOW + DAY, ocsp = true, noCheck = true } = wish;
    return makeCertificate(
      {
        serialNumber: randomSerial(),
        issuer: this.#subject,
        subject: makeName([["CN", subject]]),
        notBefore: NOW - DAY,
        notAfter,
        publicKey: publicKeyInfoOf(publicKey),
        extensions: [
          keyUsage(["digitalSignature"]),
          extendedKeyUsage([ocsp ? "ocspSigning" : "clientAuth"]),
          ...(noCheck ? [makeExtension("1.3.6.1.5.5.7.48.1.5", Buffer.from("0500", "hex"), false)] : []),
        ],
      },
      this.#key,
    );
  }

  crl({
    number = 1n,
    thisUpdate = NOW - HOUR,
    nextUpdate = NOW + DAY,
    revoked = [],
    delta,
  }: CrlWish = {}): Buffer {
    const entries = revoked.map((each) => (typeof each === "string" ? entry(each) : each));
    const template = {
      issuer: this.#subject,
      thisUpdate,
      nextUpdate,
      number,
      entries,
      authorityKeyId: keyIdOf(this.#publicKeyInfo),
      ...(delta === undefined ? {} : { delta }),
    };
    return makeCrl(template, this.#key);
  }

  config(more: Partial<OutsideAuthority> = {}): OutsideAuthority {
    return {
      name: this.name,
      certificate: certificatePem(this.der),
      above: this.above.map(({ der }) => certificatePem(der)),
      tenant: null,
      tier: null,
      revocation: "crl",
      crlUrl: null,
      crlEvery: HOUR,
      ocspUrl: null,
      grace: null,
      ...more,
    };
  }
}

export function entry(
  serialNumber: string,
  revokedAt = NOW - DAY,
  reason: CrlReason = "keyCompromise",
): RevokedSerial {
  return { serialNumber, revokedAt, reason };
}

interface Teardown {
  teardown(finish: () => void | Promise<void>): void;
}

/** Control's part, on one database; after `again` another on the same. */
export class OutsideBed {
  readonly path: string;
  readonly clock: TestClock;
  readonly db: Database;
  readonly audit: AuditLog;
  readonly outside: OutsideAuthorities;
  floor = 0;
  changes = 0;

  constructor(path: string, clock: TestClock) {
    this.path = path;
    this.clock = clock;
    this.db = openDatabase(path, [createRecords, createOutside]);
    this.audit = new AuditLog(this.db, "box", { clock });
    this.outside = new OutsideAuthorities({
      db: this.db,
      clock,
      log: pino({ level: "silent" }),
      append: (drafts, urgency) => this.audit.append(drafts, urgency),
      floor: () => this.floor,
      changed: () => (this.changes += 1),
      // A responder of the tests answers, however much this computer has to do.
      patience: 60_000,
    });
  }

  static open(t: Teardown): OutsideBed {
    const dir = mkdtempSync(join(tmpdir(), "niac-outside-"));
    const bed = new OutsideBed(join(dir, "niac.db"), new TestClock());
    t.teardown(async () => {
      await bed.close();
      rmSync(dir, { recursive: true, force: true });
    });
    return bed;
  }

  /** A new process on the same database, without the old one having been stopped in order. */
  again(t: Teardown): OutsideBed {
    const bed = new OutsideBed(this.path, this.clock);
    t.teardown(() => bed.close());
    return bed;
  }

  async close(): Promise<void> {
    await this.outside.stop();
    if (!this.db.open) return;
    await this.audit.close();
    this.db.close();
  }

  /** "good", or the code of the refusal; a grace stands as it is. */
  async verdict(ca: TestCa, serialNumber: string, groups: readonly string[] = []): Promise<string | null> {
    const verdict = await this.outside.check({ authority: ca.name, serialNumber }, groups);
    if (verdict === null) return null;
    return verdict.refusal?.code ?? verdict.grace ?? "good";
  }

  async reasons(): Promise<string[]> {
    await this.audit.flush();
    return this.audit.read({ limit: 500 }).map((record: AuditRecord) => record.reason ?? "");
  }
}
