/**
 * An enrolment listener on loopback with a database, a keyring and a record of its own, for tests of EST:
 *
 *     const bed = await EstBed.open();
 *     const { code } = await bed.service.makeCode(subject("alice"), 3_600_000, "operator");
 *     ... https://127.0.0.1:${bed.port}/.well-known/est/cacerts, trusted by bed.rootFile ...
 *     await bed.close();
 */
import { createHash, X509Certificate, type KeyObject } from "node:crypto";
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
import { createEnrolment } from "../../src/authority/enrol-schema.ts";
import { EnrolService, type EnrolServiceParts } from "../../src/authority/enrol-service.ts";
import type { Issued, Issuer, Subject } from "../../src/authority/contract.ts";
import type { ServerMaterial } from "../../src/authority/http-server.ts";
import { openKeyring } from "../../src/authority/keyring.ts";
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

const DAY = 86_400_000;

/** One root and one authority beneath it that issues whatever it is asked for. */
export class TestIssuer implements Issuer {
  readonly root: Buffer;
  readonly issuing: Buffer;
  readonly key: KeyObject;
  /** Whom certificates were issued for, and who let it happen. */
  readonly issuedFor: { readonly subject: Subject; readonly by: string }[] = [];
  readonly #holders = new Map<string, { readonly subject: Subject; readonly notAfter: number }>();
  /** Fingerprints of certificates that were followed by another. */
  readonly renewed: string[] = [];
  /** Thrown by the next `issue`. */
  failure: Error | null = null;
  /** Awaited before each certificate. */
  pause: Promise<void> = Promise.resolve();

  private constructor(rootKeys: x509.KeyPair, keys: x509.KeyPair) {
    this.root = authority("Test Root", rootKeys, null);
    this.issuing = authority("Test Issuing", keys, { key: rootKeys.privateKey, name: "Test Root" });
    this.key = keys.privateKey;
  }

  static async create(): Promise<TestIssuer> {
    return new TestIssuer(await x509.generateKey("p256"), await x509.generateKey("p256"));
  }

  cacerts(): Buffer[] {
    return [this.root, this.issuing];
  }

  async issue(wish: x509.CertificationRequest, whom: Subject, by: string, renews?: string): Promise<Issued> {
    await this.pause;
    if (renews !== undefined) this.renewed.push(renews);
    const { failure } = this;
    this.failure = null;
    if (failure !== null) throw failure;
    const names = [
      { uri: `urn:niac:device:${encodeURIComponent(whom.device)}` },
      { uri: `urn:niac:tier:${whom.tier}` },
    ];
    const groups = whom.groups.map((group) => ({ uri: `urn:niac:group:${encodeURIComponent(group)}` }));
    const extensions = [x509.extendedKeyUsage(["clientAuth"]), x509.subjectAltName([...names, ...groups])];
    const issued = this.sign(x509.makeName([["CN", whom.user]]), wish.publicKeyInfo, extensions);
    this.issuedFor.push({ subject: whom, by });
    this.#holders.set(fingerprint(issued.certificate), { subject: whom, notAfter: issued.notAfter });
    return issued;
  }

  sign(name: Buffer, publicKey: Uint8Array, extensions: readonly Buffer[], life = DAY): Issued {
    const serial = x509.randomSerial();
    const notBefore = Date.now() - 60_000;
    const notAfter = Date.now() + life;
    const template = { serialNumber: serial, issuer: x509.makeName([["CN", "Test Issuing"]]), subject: name };
    const certificate = x509.makeCertificate(
      {
        ...template,
        notBefore,
        notAfter,
        publicKey,
        extensions: [
          x509.basicConstraints({ ca: false }),
          x509.keyUsage(["digitalSignature"]),
          ...extensions,
        ],
      },
      this.key,
    );
    const chain = [this.issuing, this.root];
    return { certificate, chain, serialNumber: serial.toString("hex"), notBefore, notAfter };
  }

  holder(print: string) {
    return this.#holders.get(print) ?? null;
  }

  /** As an administrator changes him; null: revoked. */
  change(print: string, whom: Subject | null): void {
    const held = this.#holders.get(print);
    if (whom === null || held === undefined) this.#holders.delete(print);
    else this.#holders.set(print, { subject: whom, notAfter: held.notAfter });
  }

  userOf(device: string): string | null {
    return [...this.#holders.values()].find((held) => held.subject.device === device)?.subject.user ?? null;
  }
}

export function fingerprint(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("hex");
}

function authority(name: string, keys: x509.KeyPair, above: { key: KeyObject; name: string } | null): Buffer {
  const publicKey = x509.publicKeyInfoOf(keys.publicKey);
  return x509.makeCertificate(
    {
      serialNumber: x509.randomSerial(),
      issuer: x509.makeName([["CN", above?.name ?? name]]),
      subject: x509.makeName([["CN", name]]),
      notBefore: Date.now() - DAY,
      notAfter: Date.now() + 365 * DAY,
      publicKey,
      extensions: [
        x509.basicConstraints({ ca: true }),
        x509.keyUsage(["keyCertSign", "cRLSign"]),
        x509.subjectKeyIdentifier(publicKey),
      ],
    },
    above?.key ?? keys.privateKey,
  );
}

export interface Got {
  readonly status: number;
  readonly text: string;
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

export class EstBed {
  readonly dir: string;
  readonly rootFile: string;
  readonly issuer: TestIssuer;
  readonly service: EnrolService;
  readonly db: Database;
  readonly #audit: AuditLog;
  /** Milliseconds that the appliance's clock is ahead of this computer's. */
  ahead = 0;
  floor = 0;
  locked: string | null = null;
  port = 0;

  private constructor(
    dir: string,
    issuer: TestIssuer,
    keyring: EnrolServiceParts["keyring"],
    more: Partial<EnrolServiceParts>,
  ) {
    this.dir = dir;
    this.issuer = issuer;
    this.rootFile = join(dir, "root.pem");
    writeFileSync(this.rootFile, x509.certificatePem(issuer.root));
    this.db = openDatabase(join(dir, "niac.db"), [createRecords, createEnrolment]);
    this.#audit = new AuditLog(this.db, "box-1", {});
    const listed = x509.certificatePem(issuer.issuing);
    const tiers = ["managed", "byod", "contractor"] as const;
    this.service = new EnrolService({
      db: this.db,
      keyring,
      issuer,
      append: (drafts) => this.#audit.append(drafts, "now"),
      clock: { now: () => Date.now() + this.ahead, monotonic: () => systemClock.monotonic() + this.ahead },
      floor: () => this.floor,
      signIn: () => null,
      userOf: (device) => issuer.userOf(device),
      refuses: () => this.locked,
      // One authority stands for every tier here; identity takes the tier that a certificate claims.
      authorities: () => [
        { name: "test", certificate: new X509Certificate(listed), tenant: null, tier: null },
      ],
      tiers: () => tiers.map((tier) => ({ tier, tenant: null })),
      clientCa: () =>
        issuer
          .cacerts()
          .map((each) => x509.certificatePem(each))
          .join(""),
      crl: (name) => (name === "test" ? Buffer.from("a list") : null),
      fingerprint: () => fingerprint(issuer.root),
      posture: null,
      log: { error: (fields, message) => this.faults.push(`${message} ${JSON.stringify(fields)}`) },
      ...more,
    });
  }

  /** What the service called a fault of its own. */
  readonly faults: string[] = [];

  static async open(more: Partial<EnrolServiceParts> = {}): Promise<EstBed> {
    const dir = mkdtempSync(join(tmpdir(), "niac-est-"));
    const machineId = join(dir, "machine-id");
    writeFileSync(machineId, "0123456789abcdef0123456789abcdef\n");
    const seal = { tpm: "none", keyFile: null, passphraseFile: null };
    const keyring = await openKeyring({ seal, stateDir: dir, machineId });
    const issuer = await TestIssuer.create();
    const bed = new EstBed(dir, issuer, keyring, more);
    bed.port = await bed.service.open("127.0.0.1", 0, await bed.material());
    return bed;
  }

  async material(): Promise<ServerMaterial> {
    const keys = await x509.generateKey("p256");
    const extensions = [
      x509.extendedKeyUsage(["serverAuth"]),
      x509.subjectAltName([{ ip: "127.0.0.1" }, { dns: "localhost" }]),
    ];
    const own = this.issuer.sign(
      x509.makeName([["CN", "box-1"]]),
      x509.publicKeyInfoOf(keys.publicKey),
      extensions,
    );
    const certificate = [own.certificate, ...own.chain].map((each) => x509.certificatePem(each)).join("");
    return { certificate, key: keyPem(keys) };
  }

  /** The issuing authority itself as a client. */
  get authorityCredentials(): { readonly cert: string; readonly key: string } {
    const { issuing, key } = this.issuer;
    return {
      cert: x509.certificatePem(issuing),
      key: key.export({ type: "pkcs8", format: "pem" }).toString(),
    };
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
          incoming.once("end", () =>
            resolve({
              status: incoming.statusCode ?? 0,
              text: Buffer.concat(chunks).toString(),
              headers: incoming.headers,
            }),
          );
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
