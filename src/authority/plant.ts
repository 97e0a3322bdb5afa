import type { Logger } from "pino";
import type { AuditLog, Database } from "../audit/index.ts";
import { messageOf, UnavailableError, type Clock } from "../base/index.ts";
import type {
  CertificateInUse,
  IssuingAuthority,
  OwnNames,
  RevocationVerdict,
  RotationScope,
} from "../link/index.ts";
import { certificatePem, type CertificationRequest, type KeyAlgorithm } from "../x509/index.ts";
import { AuthorityKeys } from "./ca-keys.ts";
import type { Issued, Issuer, Revocation, Subject } from "./contract.ts";
import { exportAuthority, importAuthority } from "./export.ts";
import { issueAppliance, issueLaptop, type AuthorityParts } from "./issue.ts";
import type { Keyring } from "../seal/index.ts";
import { renewLists } from "./own-crl.ts";
import {
  authorityNamed,
  retire,
  retirePast,
  revocationOfCertificate,
  revokeAuthority,
  revokeCertificates,
  type RevokeWhat,
} from "./plant-end.ts";
import { addTenant, init, rotate, type InitOptions } from "./plant-make.ts";
import { infrastructureInUse } from "./plant-in-use.ts";
import { verdictOf } from "./plant-verdict.ts";
import { AuthorityStore, type Authority, type StoredCertificate } from "./store.ts";

export interface PlantOptions {
  /** Control's database, with createAuthority among its migrations. */
  readonly db: Database;
  readonly audit: Pick<AuditLog, "append">;
  /** What it says counts: hand in one that never goes back behind the latest time known. */
  readonly clock: Clock;
  /** Opens the keyring at the first call and gives the same one after; may be asked again where it could not. */
  readonly keyring: () => Promise<Keyring>;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
}

export interface PlantListener {
  /** On record and in force: who holds sessions of these open ends them, and may say how many it ended. */
  revoked?(list: readonly Revocation[]): void | Promise<number>;
  /** Other authorities, so other certificates to trust. */
  changed?(): void;
}

export interface Revoked {
  readonly certificates: readonly StoredCertificate[];
  /** Sessions ended with them; null: who holds them could not be asked, and ends them when it can. */
  readonly sessions: number | null;
  /** Why a revocation list could not be made anew; null: they were. */
  readonly list: string | null;
}

const HOUR = 3_600_000;
/** Appliances' certificates are kept that long after their end. */
const KEPT = 30 * 24 * HOUR;

/**
 * The plant's own authority: a root, an authority for each tier of the plant and of each tenant, and one for the appliance's own
 * certificates. Before init() it knows nobody, and says so.
 *
 * **A root that follows another is not cross-signed.** Both roots are in cacerts while anything under the old one is good. Laptops get the
 * new root when they renew; until the last of them has, or the old root is retired, the appliance shows certificates from under the old
 * root, which every laptop knows. So nobody is locked out, no client has to build paths through two roots, and a root of an algorithm
 * that a client does not know never stands above one that it does.
 */
export class PlantAuthority implements Issuer {
  readonly #parts: AuthorityParts;
  readonly #log: PlantOptions["log"];
  readonly #listeners = new Set<PlantListener>();
  #timer: NodeJS.Timeout | undefined;
  /** The end of the line: what makes or ends authorities goes one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #problem: string | null = null;

  constructor({ db, audit, clock, keyring, log }: PlantOptions) {
    this.#parts = { store: new AuthorityStore(db), keys: new AuthorityKeys(keyring), audit, clock };
    this.#log = log;
  }

  /** Makes lists that are due, now and every hour, and ends what is past. */
  start(): void {
    this.#timer ??= setInterval(() => void this.tend(), HOUR).unref();
    void this.tend();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#turn;
  }

  subscribe(listener: PlantListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get store(): AuthorityStore {
    return this.#parts.store;
  }

  get initialised(): boolean {
    return this.store.initialised;
  }

  /** Why a revocation list could not be made at the last attempt; null: they were. */
  get problem(): string | null {
    return this.#problem;
  }

  keyring(): Promise<Keyring> {
    return this.#parts.keys.keyring();
  }

  init(options: InitOptions): Promise<void> {
    return this.#changing(() => init(this.#parts, options));
  }

  /** The names of those made. */
  rotate(scope: RotationScope, algorithm: KeyAlgorithm | null, by: string): Promise<readonly string[]> {
    return this.#changing(() => rotate(this.#parts, scope, algorithm, by));
  }

  addTenant(tenant: string, by: string): Promise<readonly string[]> {
    return this.#changing(() => addTenant(this.#parts, tenant, by));
  }

  async retire(
    scope: RotationScope,
    by: string,
  ): Promise<{ readonly retired: readonly string[]; readonly cut: number }> {
    const { retired, cut } = await this.#changing(() => retire(this.#parts, scope, by));
    await this.#tellRevoked(cut, "its authority was retired");
    await this.#renewLists();
    return { retired: retired.map(({ name }) => name), cut: cut.length };
  }

  /** Whatever else fails afterwards, they are revoked once this resolves. Throws a UsageError where nothing is there to revoke. */
  async revoke(what: RevokeWhat | "authority", value: string, reason: string, by: string): Promise<Revoked> {
    if (what === "authority") {
      const cut = await this.#changing(() => revokeAuthority(this.#parts, value, reason, by));
      const sessions = await this.#tellRevoked(cut, reason);
      return { certificates: cut, sessions, list: await this.#renewLists() };
    }
    const told: Promise<number | null>[] = [];
    const certificates = await revokeCertificates(this.#parts, what, value, reason, by, (batch) =>
      told.push(this.#tellRevoked(batch, reason)),
    );
    const sessions = sumOf(await Promise.all(told));
    return { certificates, sessions, list: await this.#renewLists() };
  }

  async issue(
    request: CertificationRequest,
    subject: Subject,
    by: string,
    renews: string | null = null,
  ): Promise<Issued> {
    return issueLaptop(this.#parts, request, subject, by, renews);
  }

  /** Signs the appliance's own certificate with exactly `names`, whatever less the request asks for. `life` in milliseconds. */
  async infrastructure(
    request: CertificationRequest,
    names: OwnNames,
    life: number,
    by: string,
  ): Promise<Issued> {
    return issueAppliance(this.#parts, this.#infrastructure(), request, names, life, by);
  }

  /** All of it, keys too, as text under the passphrase; see backup.ts. */
  export(passphrase: string, by: string): Promise<Buffer> {
    return this.#inTurn(() => exportAuthority(this.#parts, passphrase, by));
  }

  /**
   * When the backup was made: what was issued after it is unknown here and refused, what was revoked after it is in force again.
   * Throws a UsageError where there is an authority already.
   */
  async import(file: Uint8Array, passphrase: string, by: string): Promise<number> {
    const made = await this.#changing(() => importAuthority(this.#parts, file, passphrase, by));
    await this.#renewLists();
    return made;
  }

  holder(fingerprint: string): { readonly subject: Subject; readonly notAfter: number } | null {
    const { store, clock } = this.#parts;
    const found = store.byFingerprint(fingerprint);
    if (found === null || found.subject === null || found.revokedAt !== null) return null;
    const authority = store.authority(found.authority);
    if (authority === null || !store.stands(authority) || found.notAfter < clock.now()) return null;
    return { subject: found.subject, notAfter: found.notAfter };
  }

  /** Whether a certificate is revoked, from the database and nothing else; null: it is not of this authority. */
  check(certificate: CertificateInUse): RevocationVerdict | null {
    return verdictOf(this.store, certificate);
  }

  /** Those whose certificates clients are let in with. */
  authorities(): IssuingAuthority[] {
    return this.store.standing("issuing").map(({ name, certificate, fingerprint, tenant, tier }) => ({
      name,
      fingerprint,
      tenant,
      tier,
      certificate: certificatePem(certificate),
      outside: false,
    }));
  }

  /** Roots first, then those that sign the appliance's certificates, then those that issue now. */
  cacerts(): readonly Buffer[] {
    this.store.checkThere();
    const issuing = this.store.standing("issuing").filter(({ state }) => state === "current");
    return [...this.store.standing("root"), ...this.store.standing("infrastructure"), ...issuing].map(
      ({ certificate }) => certificate,
    );
  }

  /** PEM: `clientCa`, against which clients' certificates are verified; `serverCa`, the roots. Empty texts before init(). */
  trustedPem(): { readonly clientCa: string; readonly serverCa: string } {
    const roots = this.store.standing("root");
    return { clientCa: pemOf([...this.store.standing("issuing"), ...roots]), serverCa: pemOf(roots) };
  }

  /** SHA-256, hexadecimal, of the root above the appliance's own certificates: what laptops compare. */
  fingerprint(): string {
    const root = this.store.above(this.#infrastructure())[0];
    return root?.fingerprint ?? "";
  }

  /** DER of the revocation list as last made; null: there is no such authority, or no list of it. `id`: number, name or fingerprint. */
  crl(id: string): Buffer | null {
    return this.initialised ? (this.store.list(authorityNamed(this.store, id).id)?.der ?? null) : null;
  }

  /** What start() does every hour. Never rejects. */
  async tend(): Promise<void> {
    if (!this.initialised) return;
    try {
      const inUse = infrastructureInUse(this.#parts)?.id ?? null;
      const ended = await this.#inTurn(() => retirePast(this.#parts, inUse));
      if (ended) this.#tellChanged();
      this.store.sweep(this.#parts.clock.now() - KEPT);
    } catch (error) {
      this.#log.error({ reason: messageOf(error) }, "the authority could not be tended");
    }
    await this.#renewLists();
  }

  /** Runs after what was asked before it, and makes known that authorities changed. */
  async #changing<T>(work: () => Promise<T>): Promise<T> {
    const result = await this.#inTurn(work);
    this.#tellChanged();
    return result;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  #infrastructure(): Authority {
    this.store.checkThere();
    const authority = infrastructureInUse(this.#parts);
    if (authority !== null) return authority;
    throw new UnavailableError(
      "no-infrastructure",
      "no authority signs the appliance's own certificates: the last one was revoked or retired",
      "Make a new one: niac authority rotate --infrastructure",
    );
  }

  /** Makes every list that is due; what stood in the way, for the reader. */
  async #renewLists(): Promise<string | null> {
    const problem = await this.#inTurn(() => renewLists(this.#parts));
    this.#problem = problem;
    if (problem !== null)
      this.#log.warn({ reason: problem }, "revocations are in force here, and not known elsewhere yet");
    return problem;
  }

  /** How many sessions that ended. Never rejects: they are revoked, whoever fails to hear of it. */
  async #tellRevoked(certificates: readonly StoredCertificate[], reason: string): Promise<number | null> {
    if (certificates.length === 0) return 0;
    const list = certificates.map((each) => revocationOfCertificate(each, reason));
    const told = [...this.#listeners].map(async (listener) => {
      try {
        return (await listener.revoked?.(list)) ?? 0;
      } catch (error) {
        this.#log.warn(
          { reason: messageOf(error) },
          "sessions of revoked certificates could not be ended yet",
        );
        return null;
      }
    });
    return sumOf(await Promise.all(told));
  }

  #tellChanged(): void {
    for (const listener of this.#listeners) listener.changed?.();
  }
}

function sumOf(counts: readonly (number | null)[]): number | null {
  return counts.reduce((sum, count) => (sum === null || count === null ? null : sum + count), 0);
}

function pemOf(authorities: readonly Authority[]): string {
  return authorities.map(({ certificate }) => certificatePem(certificate)).join("");
}
