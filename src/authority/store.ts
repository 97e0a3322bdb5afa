/** The authority's tables as values. What they mean together (who stands, who issues) is AuthorityStore's to say. */
import * as z from "zod";
import type { Database } from "../audit/index.ts";
import { UnavailableError } from "../base/index.ts";
import { TIERS } from "../link/index.ts";
import { KEY_ALGORITHMS, type KeyAlgorithm } from "../x509/index.ts";
import type { Subject, Tier } from "./contract.ts";
import { prepareStatements, type AuthorityRow, type CertificateRow, type ListRow } from "./store-sql.ts";

export interface Plant {
  readonly name: string;
  readonly lifetimes: Readonly<Record<Tier, number>>;
  /** Revocation lists are below it, `<id>.crl` each; null: certificates name no place. */
  readonly crlUrl: string | null;
  readonly created: number;
}

export type AuthorityState = "current" | "retiring" | "retired" | "revoked";

export interface Authority {
  readonly id: number;
  readonly role: "root" | "issuing" | "infrastructure";
  readonly parent: number | null;
  readonly name: string;
  readonly tier: Tier | null;
  readonly tenant: string | null;
  readonly algorithm: KeyAlgorithm;
  /** DER. */
  readonly certificate: Buffer;
  readonly fingerprint: string;
  readonly serial: string;
  /** Sealed; null: gone. */
  readonly key: Buffer | null;
  readonly state: AuthorityState;
  readonly created: number;
  readonly notAfter: number;
  readonly revokedAt: number | null;
  readonly reason: string | null;
}

export interface StoredCertificate {
  readonly serial: string;
  readonly fingerprint: string;
  readonly authority: number;
  readonly kind: "laptop" | "appliance";
  readonly user: string;
  readonly device: string;
  /** Null: an appliance's. */
  readonly subject: Subject | null;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly issuedAt: number;
  readonly issuedBy: string;
  readonly revokedAt: number | null;
  readonly revokedBy: string | null;
  readonly reason: string | null;
}

/** One authority's revocation list as last made. `revocations`: how many it knew of, those past their end too. */
export interface StoredList {
  readonly number: number;
  readonly der: Buffer;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly entries: number;
  readonly revocations: number;
}

export interface Search {
  readonly user?: string | null;
  readonly device?: string | null;
  readonly serial?: string;
  readonly fingerprint?: string;
  readonly authority?: number;
}

const lifetimesSchema = z.record(z.enum(TIERS), z.int());
const subjectSchema: z.ZodType<Subject> = z.strictObject({
  tier: z.enum(TIERS),
  tenant: z.string().nullable(),
  user: z.string(),
  device: z.string(),
  groups: z.array(z.string()),
  role: z.string().nullable(),
  until: z.int().nullable(),
});
export { lifetimesSchema, subjectSchema };

/** Reads and writes; transactions are the caller's. Authorities are few and kept at hand. */
export class AuthorityStore {
  readonly #sql: ReturnType<typeof prepareStatements>;
  #authorities: ReadonlyMap<number, Authority> = new Map();
  #plant: Plant | null = null;

  constructor(db: Database) {
    this.#sql = prepareStatements(db);
    this.reload();
  }

  /** After every transaction that touched authorities. */
  reload(): void {
    this.#authorities = new Map(this.#sql.authorities.all().map((row) => [row.id, authorityOf(row)]));
    const row = this.#sql.plant.get();
    this.#plant =
      row === undefined
        ? null
        : {
            name: row.name,
            lifetimes: lifetimesSchema.parse(JSON.parse(row.lifetimes)),
            crlUrl: row.crl_url,
            created: row.created,
          };
  }

  get initialised(): boolean {
    return this.#plant !== null;
  }

  /** Throws an UnavailableError where there is no authority. */
  get plant(): Plant {
    if (this.#plant !== null) return this.#plant;
    throw new UnavailableError(
      "no-authority",
      "this appliance has no authority of its own yet",
      'Make one: niac authority init "Plant 7".',
    );
  }

  /** Throws an UnavailableError where there is no authority. */
  checkThere(): void {
    void this.plant;
  }

  get authorities(): readonly Authority[] {
    return [...this.#authorities.values()];
  }

  /** Those that stand, the oldest first. */
  standing(role: Authority["role"]): Authority[] {
    return this.authorities.filter((each) => each.role === role && this.stands(each));
  }

  authority(id: number): Authority | null {
    return this.#authorities.get(id) ?? null;
  }

  /** Whether what it issued is good, as far as it goes: it and those above it are neither retired nor revoked. */
  stands(authority: Authority): boolean {
    const { state, parent } = authority;
    if (state !== "current" && state !== "retiring") return false;
    const above = parent === null ? null : this.authority(parent);
    return above === null || this.stands(above);
  }

  /** Those above, the nearest first, the root last. */
  above(authority: Authority): Authority[] {
    const parent = authority.parent === null ? null : this.authority(authority.parent);
    return parent === null ? [] : [parent, ...this.above(parent)];
  }

  /** The number that the next authority gets. */
  get nextId(): number {
    return Math.max(0, ...this.#authorities.keys()) + 1;
  }

  putPlant(plant: Plant): void {
    this.#sql.putPlant.run({ ...plant, lifetimes: JSON.stringify(plant.lifetimes) });
  }

  putAuthority(authority: Authority): void {
    this.#sql.putAuthority.run(authority);
  }

  /** Of `from` alone: false where it has become something else meanwhile. */
  setState(id: number, from: AuthorityState, to: AuthorityState): boolean {
    return this.#sql.setState.run(to, id, from).changes === 1;
  }

  /** It signs nothing any more and its key goes. `revokedAt`: what it issued ends with it; null: nothing of it was good. */
  endAuthority(
    id: number,
    to: "retired" | "revoked",
    revokedAt: number | null,
    reason: string | null,
  ): boolean {
    return this.#sql.endAuthority.run(to, revokedAt, reason, id).changes === 1;
  }

  /** As it is in the database now, not as it was at the last reload. */
  stateNow(id: number): AuthorityState | null {
    return this.#sql.state.get(id)?.state ?? null;
  }

  putCertificate(certificate: StoredCertificate): void {
    this.#sql.putCertificate.run({ ...certificate, subject: JSON.stringify(certificate.subject) });
  }

  byFingerprint(fingerprint: string): StoredCertificate | null {
    const row = this.#sql.byFingerprint.get(fingerprint);
    return row === undefined ? null : certificateOf(row);
  }

  bySerial(serial: string): StoredCertificate | null {
    const row = this.#sql.bySerial.get(serial);
    return row === undefined ? null : certificateOf(row);
  }

  /** Good by themselves at `now`, whatever became of their authority; the latest issued first. */
  live(search: Search, now: number, limit: number): StoredCertificate[] {
    return this.#sql.search(search, { now }, limit).map(certificateOf);
  }

  /** Good or not. */
  all(search: Search, limit: number): StoredCertificate[] {
    return this.#sql.search(search, null, limit).map(certificateOf);
  }

  countLive(authority: number, now: number): number {
    return this.#sql.countLive.get(authority, now)?.count ?? 0;
  }

  /** False: it was revoked before. */
  revoke(serial: string, at: number, by: string, reason: string): boolean {
    return this.#sql.revoke.run(at, by, reason, serial).changes === 1;
  }

  /** How many an authority ever revoked. */
  revocations(authority: number): number {
    return this.#sql.revocations.get(authority)?.count ?? 0;
  }

  /** Of one authority and not past their end. */
  revoked(authority: number, now: number): { readonly serial: string; readonly revokedAt: number }[] {
    return this.#sql.revoked.all(authority, now).map(({ serial, at }) => ({ serial, revokedAt: at }));
  }

  list(authority: number): StoredList | null {
    const row = this.#sql.list.get(authority);
    return row === undefined ? null : listOf(row);
  }

  putList(authority: number, list: StoredList): void {
    this.#sql.putList.run({ ...list, authority });
  }

  /** Appliances' certificates that ended before; how many. */
  sweep(before: number): number {
    return this.#sql.sweep.run(before).changes;
  }
}

function authorityOf(row: AuthorityRow): Authority {
  const { not_after: notAfter, revoked_at: revokedAt, tier, algorithm, ...rest } = row;
  return {
    ...rest,
    tier: tier === null ? null : z.enum(TIERS).parse(tier),
    algorithm: z.enum(KEY_ALGORITHMS).parse(algorithm),
    notAfter,
    revokedAt,
  };
}

function certificateOf(row: CertificateRow): StoredCertificate {
  const { serial, fingerprint, authority, kind, user, device, reason } = row;
  return {
    serial,
    fingerprint,
    authority,
    kind,
    user,
    device,
    reason,
    subject: kind === "laptop" ? subjectSchema.parse(JSON.parse(row.subject)) : null,
    notBefore: row.not_before,
    notAfter: row.not_after,
    issuedAt: row.issued_at,
    issuedBy: row.issued_by,
    revokedAt: row.revoked_at,
    revokedBy: row.revoked_by,
  };
}

function listOf(row: ListRow): StoredList {
  const { number, der, entries, revocations } = row;
  return {
    number,
    der,
    entries,
    revocations,
    thisUpdate: row.this_update,
    nextUpdate: row.next_update,
  };
}
