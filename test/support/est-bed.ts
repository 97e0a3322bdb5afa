/**
 * An enrolment listener on loopback with a database, a keyring, a record and a plant's authority of its own, for tests of EST:
 *
 *     const bed = await EstBed.open();
 *     const { code } = await bed.service.makeCode(subject("alice"), 3_600_000, "operator");
 *     ... https://127.0.0.1:${bed.port}/.well-known/est/cacerts, trusted by bed.rootFile ...
 *     await bed.close();
 */
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AuditLog,
  createRecords,
  openDatabase,
  type AuditRecord,
  type Database,
} from "../../src/audit/index.ts";
import { AuthorityKeys } from "../../src/authority/ca-keys.ts";
import { createEnrolment } from "../../src/enrolment/enrol-schema.ts";
import { EnrolService, type EnrolServiceParts } from "../../src/enrolment/enrol-service.ts";
import { TIERS, type Issued, type Issuer, type Subject } from "../../src/authority/contract.ts";
import type { ServerMaterial } from "../../src/enrolment/http-server.ts";
import { openKeyring, type Keyring } from "../../src/seal/keyring.ts";
import { PlantAuthority } from "../../src/authority/plant.ts";
import { createAuthority } from "../../src/authority/schema.ts";
import { systemClock } from "../../src/base/index.ts";
import * as x509 from "../../src/x509/index.ts";

export function subject(user: string, more: Partial<Subject> = {}): Subject {
  const nothing = { tenant: null, groups: [], role: null, until: null } as const;
  return { tier: "managed", user, device: `laptop-of-${user}`, ...nothing, ...more };
}

/** DER of a request for `user`, with its key. */
export async function requestFor(
  user: string | null,
  altNames: readonly x509.AltName[] = [],
  algorithm: x509.KeyAlgorithm = "p256",
): Promise<{ der: Buffer; keys: x509.KeyPair }> {
  const keys = await x509.generateKey(algorithm);
  const name = x509.makeName(user === null ? [] : [["CN", user]]);
  return { der: x509.makeRequest({ subject: name, altNames }, keys), keys };
}

/** The plant's own authority, with what tests need to see of it and to put in its way. */
export class BedIssuer implements Issuer {
  readonly plant: PlantAuthority;
  readonly #keys: AuthorityKeys;
  /** Whom certificates were issued for, and who let it happen. */
  readonly issuedFor: { readonly subject: Subject; readonly by: string }[] = [];
  /** Fingerprints of certificates that were followed by another. */
  readonly renewed: string[] = [];
  /** Thrown by the next `issue`. */
  failure: Error | null = null;
  /** Awaited before each certificate. */
  pause: Promise<void> = Promise.resolve();
  readonly #changed = new Map<string, Subject>();

  constructor(plant: PlantAuthority) {
    this.plant = plant;
    this.#keys = new AuthorityKeys(() => plant.keyring());
  }

  get root(): Buffer {
    return this.#standing("root").certificate;
  }

  get issuing(): Buffer {
    return this.#standing("issuing").certificate;
  }

  cacerts(): readonly Buffer[] {
    return this.plant.cacerts();
  }

  async issue(wish: x509.CertificationRequest, whom: Subject, by: string, renews?: string): Promise<Issued> {
    await this.pause;
    const { failure } = this;
    this.failure = null;
    if (failure !== null) throw failure;
    const issued = await this.plant.issue(wish, whom, by, renews);
    if (renews !== undefined) this.renewed.push(renews);
    this.issuedFor.push({ subject: whom, by });
    return issued;
  }

  holder(print: string) {
    const held = this.plant.holder(print);
    const subjectNow = this.#changed.get(print);
    return held === null || subjectNow === undefined ? held : { ...held, subject: subjectNow };
  }

  /** As an administrator changes him. */
  change(print: string, whom: Subject): void {
    this.#changed.set(print, whom);
  }

  async revoke(print: string): Promise<void> {
    await this.plant.revoke("fingerprint", print, "test", "operator");
  }

  /** What the authority of managed laptops would never issue, signed with its key. */
  async sign(name: Buffer, publicKey: Uint8Array, extensions: readonly Buffer[]): Promise<Buffer> {
    const issuing = x509.readCertificate(this.issuing);
    return x509.makeCertificate(
      {
        serialNumber: x509.randomSerial(),
        issuer: issuing.subjectDer,
        subject: name,
        notBefore: Date.now() - 60_000,
        notAfter: Date.now() + 86_400_000,
        publicKey,
        extensions: [
          x509.basicConstraints({ ca: false }),
          x509.keyUsage(["digitalSignature"]),
          x509.authorityKeyIdentifier(x509.keyIdOf(issuing.publicKeyInfo)),
          ...extensions,
        ],
      },
      await this.#keys.of(this.#standing("issuing")),
    );
  }

  /** The issuing authority itself as a client. */
  async credentials(): Promise<{ readonly cert: string; readonly key: string }> {
    const key = await this.#keys.of(this.#standing("issuing"));
    const pem = key.export({ type: "pkcs8", format: "pem" }).toString();
    return { cert: x509.certificatePem(this.issuing), key: pem };
  }

  #standing(role: "root" | "issuing") {
    const [first] = this.plant.store.standing(role);
    if (first === undefined) throw new Error(`there is no authority of the kind ${role}`);
    return first;
  }
}

export function fingerprint(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("hex");
}

export interface Got {
  readonly status: number;
  readonly text: string;
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** PEM: who asks. */
  readonly credentials?: { readonly cert: string; readonly key: string };
  readonly localAddress?: string;
}

interface BedTime {
  ahead: number;
  floor: number;
}

interface BedParts {
  readonly dir: string;
  readonly issuer: BedIssuer;
  readonly keyring: Keyring;
  readonly audit: AuditLog;
  readonly db: Database;
  readonly time: BedTime;
}

export class EstBed {
  readonly dir: string;
  readonly rootFile: string;
  readonly issuer: BedIssuer;
  readonly service: EnrolService;
  readonly db: Database;
  readonly #audit: AuditLog;
  readonly #time: BedTime;
  locked: string | null = null;
  port = 0;
  /** What the service called a fault of its own. */
  readonly faults: string[] = [];

  private constructor(parts: BedParts, more: Partial<EnrolServiceParts>) {
    const { dir, issuer, keyring, audit, db, time } = parts;
    const { plant } = issuer;
    this.dir = dir;
    this.issuer = issuer;
    this.db = db;
    this.#audit = audit;
    this.#time = time;
    this.rootFile = join(dir, "root.pem");
    writeFileSync(this.rootFile, x509.certificatePem(issuer.root));
    this.service = new EnrolService({
      db,
      keyring,
      issuer,
      append: (drafts) => audit.append(drafts, "now"),
      clock: {
        now: () => Date.now() + time.ahead,
        monotonic: () => systemClock.monotonic() + time.ahead,
      },
      floor: () => time.floor,
      signIn: () => null,
      userOf: (device) => plant.store.live({ device }, Date.now(), 1)[0]?.user ?? null,
      refuses: () => this.locked,
      authorities: () =>
        plant.authorities().map(({ certificate, ...authority }) => ({
          ...authority,
          certificate: new X509Certificate(certificate),
        })),
      tiers: () => TIERS.map((tier) => ({ tier, tenant: null })),
      clientCa: () => plant.trustedPem().clientCa,
      crl: (name) => (/^\d+$/.test(name) && Number(name) < 6 ? plant.crl(name) : null),
      fingerprint: () => plant.fingerprint(),
      posture: null,
      log: { error: (fields, message) => this.faults.push(`${message} ${JSON.stringify(fields)}`) },
      ...more,
    });
  }

  static async open(more: Partial<EnrolServiceParts> = {}): Promise<EstBed> {
    const dir = mkdtempSync(join(tmpdir(), "niac-est-"));
    const machineId = join(dir, "machine-id");
    writeFileSync(machineId, "0123456789abcdef0123456789abcdef\n");
    const seal = { tpm: "none", keyFile: null, passphraseFile: null };
    const keyring = await openKeyring({ seal, stateDir: dir, machineId });
    const db = openDatabase(join(dir, "niac.db"), [createRecords, createAuthority, createEnrolment]);
    const audit = new AuditLog(db, "box-1", {});
    const time = { ahead: 0, floor: 0 };
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const clock = {
      now: () => Math.max(Date.now() + time.ahead, time.floor),
      monotonic: () => systemClock.monotonic() + time.ahead,
    };
    const plant = new PlantAuthority({ db, audit, clock, keyring: () => Promise.resolve(keyring), log });
    const names = { name: "Plant 7", tenants: [], lifetimes: {}, crlUrl: null };
    await plant.init({ ...names, algorithm: "p256", by: "operator" });
    await plant.tend();
    const issuer = new BedIssuer(plant);
    const bed = new EstBed({ dir, issuer, keyring, audit, db, time }, more);
    bed.port = await bed.service.open("127.0.0.1", 0, await bed.material());
    return bed;
  }

  /** Milliseconds that the appliance's clocks are ahead of this computer's. */
  set ahead(milliseconds: number) {
    this.#time.ahead = milliseconds;
  }

  /** The latest time known. */
  set floor(time: number) {
    this.#time.floor = time;
  }

  async material(): Promise<ServerMaterial> {
    const keys = await x509.generateKey("p256");
    const wish = x509.readRequest(x509.makeRequest({ subject: x509.makeName([]) }, keys));
    const names = { commonName: "box-1", dns: ["localhost"], ip: ["127.0.0.1"] };
    const own = await this.issuer.plant.infrastructure(wish, names, 86_400_000, "test");
    const certificate = [own.certificate, ...own.chain].map((each) => x509.certificatePem(each)).join("");
    return { certificate, key: keyPem(keys) };
  }

  get base(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** All that is on record, in sentences. */
  get reasons(): string[] {
    return this.records.map(({ reason }) => reason ?? "");
  }

  get records(): readonly AuditRecord[] {
    return this.#audit.read({ limit: 1_000 });
  }

  send(path: string, sent: Sent = {}): Promise<Got> {
    const {
      method = sent.body === undefined ? "GET" : "POST",
      headers,
      body,
      credentials,
      localAddress,
    } = sent;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `${this.base}${path}`,
        {
          method,
          ca: x509.certificatePem(this.issuer.root),
          agent: false,
          // What the header Host says is no matter of the certificate's.
          servername: "localhost",
          headers: { ...headers },
          ...credentials,
          ...(localAddress === undefined ? {} : { localAddress }),
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.once("error", reject);
          incoming.once("end", () => {
            const bytes = Buffer.concat(chunks);
            const { statusCode: status = 0, headers: given } = incoming;
            resolve({ status, text: bytes.toString(), bytes, headers: given });
          });
        },
      );
      outgoing.once("error", reject);
      outgoing.end(body);
    });
  }

  /** Asks for a certificate as EST does. */
  enroll(der: Uint8Array, authorization: string | null, more: Sent & { path?: string } = {}): Promise<Got> {
    const headers = {
      "Content-Type": "application/pkcs10",
      ...(authorization === null ? {} : { Authorization: authorization }),
      ...more.headers,
    };
    const body = Buffer.from(der).toString("base64");
    const path = more.path ?? "/.well-known/est/simpleenroll";
    return this.send(path, { ...more, headers, body });
  }

  async close(): Promise<void> {
    await this.service.close();
    await this.issuer.plant.stop();
    await this.#audit.close();
    this.db.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export function basic(user: string, code: string): string {
  return `Basic ${Buffer.from(`${user}:${code}`).toString("base64")}`;
}

export function keyPem({ privateKey }: x509.KeyPair): string {
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The one certificate of an answer. */
export function certificateOf({ text }: Got): X509Certificate {
  const [certificate, ...more] = x509.readCertsOnly(Buffer.from(text, "base64"));
  if (certificate === undefined || more.length > 0) throw new Error("the answer has not one certificate");
  return new X509Certificate(certificate);
}
