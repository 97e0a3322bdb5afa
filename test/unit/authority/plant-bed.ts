/** A plant's authority in a directory of its own, with a clock that is set by hand. */
import { createHash, createSecretKey, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import {
  AuditLog,
  createRecords,
  openDatabase,
  type AuditRecord,
  type Database,
} from "../../../src/audit/index.ts";
import {
  createAuthority,
  type Issued,
  PlantAuthority,
  type Revocation,
  type Subject,
} from "../../../src/authority/index.ts";
import type { Keyring } from "../../../src/seal/index.ts";
import { openWith, sealWith } from "../../../src/seal/seal.ts";
import { UnavailableError } from "../../../src/base/index.ts";
import {
  der,
  generateKey,
  makeName,
  publicKeyInfoOf,
  readRequest,
  signed,
  subjectAltName,
  type AltName,
  type CertificationRequest,
  type KeyAlgorithm,
  type KeyPair,
} from "../../../src/x509/index.ts";

export const DAY = 86_400_000;

export interface Bed {
  readonly db: Database;
  readonly audit: AuditLog;
  readonly plant: PlantAuthority;
  readonly time: { now: number };
  readonly revoked: Revocation[];
  /** The file that all of it is in. */
  readonly path: string;
  changes: number;
  records(): AuditRecord[];
}

export interface BedOptions {
  readonly keyring?: () => Promise<Keyring>;
  readonly path?: string;
  readonly now?: number;
}

/** Seals with a key of its own; nothing of it is a TPM's or on a disk. */
export function memoryKeyring(): Keyring {
  const key = createSecretKey(randomBytes(32));
  return {
    kind: "machine",
    protects: "nothing: a test's",
    seal: (purpose, plain) => sealWith(key, purpose, plain),
    open(purpose, sealed) {
      const plain = openWith(key, purpose, sealed);
      if (plain === null) throw new UnavailableError("sealed-damaged", `${purpose} does not open`);
      return plain;
    },
  };
}

/** Nothing is initialised. */
export function openBed(t: ExecutionContext, options: BedOptions = {}): Bed {
  const path = options.path ?? join(directory(t), "niac.db");
  const ring = memoryKeyring();
  const { keyring = () => Promise.resolve(ring), now = Date.now() } = options;
  const time = { now };
  const clock = { now: () => time.now, monotonic: () => time.now };
  const db = openDatabase(path, [createRecords, createAuthority]);
  const audit = new AuditLog(db, "box", { clock });
  const quiet = { info: () => {}, warn: () => {}, error: () => {} };
  const plant = new PlantAuthority({ db, audit, clock, keyring, log: quiet });
  const revoked: Revocation[] = [];
  const bed: Bed = {
    db,
    audit,
    plant,
    time,
    revoked,
    path,
    changes: 0,
    records: () => audit.read({ limit: 1000 }),
  };
  plant.subscribe({
    revoked: (list) => void revoked.push(...list),
    changed: () => (bed.changes += 1),
  });
  t.teardown(async () => {
    await plant.stop();
    if (audit.state !== "closed") await audit.close();
    db.close();
  });
  return bed;
}

export async function initialised(
  t: ExecutionContext,
  options: BedOptions & { readonly algorithm?: KeyAlgorithm; readonly tenants?: readonly string[] } = {},
): Promise<Bed> {
  const bed = openBed(t, options);
  await bed.plant.init({
    name: "Plant 7",
    algorithm: options.algorithm ?? "p256",
    tenants: options.tenants ?? [],
    lifetimes: {},
    crlUrl: null,
    by: "admin",
  });
  return bed;
}

export function directory(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), "niac-authority-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export const ALICE: Subject = {
  tier: "managed",
  tenant: null,
  user: "alice",
  device: "laptop-7",
  groups: ["maintenance"],
  role: null,
  until: null,
};

export interface Asked {
  readonly request: CertificationRequest;
  readonly keys: KeyPair;
}

export interface Asking {
  /** Without: an empty subject. */
  readonly commonName?: string;
  /** In place of the common name. */
  readonly subject?: Buffer;
  readonly altNames?: readonly AltName[];
  /** DER of each. */
  readonly extensions?: readonly Buffer[];
  /** DER of each, beside the request for extensions. */
  readonly attributes?: readonly Buffer[];
  readonly algorithm?: KeyAlgorithm;
  readonly keys?: KeyPair;
}

/** A request as readRequest took it, with the key it is for. */
export async function asked(asking: Asking = {}): Promise<Asked> {
  const { commonName, altNames = [], extensions = [], attributes = [] } = asking;
  const keys = asking.keys ?? (await generateKey(asking.algorithm ?? "p256"));
  const subject = asking.subject ?? makeName(commonName === undefined ? [] : [["CN", commonName]]);
  const all = [...extensions, ...(altNames.length === 0 ? [] : [subjectAltName(altNames)])];
  const wanted = der.sequence(der.oid("1.2.840.113549.1.9.14"), der.set(der.sequence(...all)));
  const info = der.sequence(
    der.integer(0),
    subject,
    publicKeyInfoOf(keys.publicKey),
    der.tagged(0xa0, ...(all.length === 0 ? [] : [wanted]), ...attributes),
  );
  return { request: readRequest(signed(info, keys.privateKey)), keys };
}

/** A certificate of alice's, or of somebody else, and what identity/ would say of it. */
export async function issued(bed: Bed, subject: Subject = ALICE): Promise<Issued & { fingerprint: string }> {
  const { request } = await asked({ commonName: subject.user });
  const made = await bed.plant.issue(request, subject, "admin");
  return { ...made, fingerprint: createHash("sha256").update(made.certificate).digest("hex") };
}
