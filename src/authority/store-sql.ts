/** The statements over the authority's tables. */
import type { Database } from "../audit/index.ts";
import type { AuthorityState, Search } from "./store.ts";

export interface AuthorityRow {
  readonly id: number;
  readonly role: "root" | "issuing" | "infrastructure";
  readonly parent: number | null;
  readonly name: string;
  readonly tier: string | null;
  readonly tenant: string | null;
  readonly algorithm: string;
  readonly certificate: Buffer;
  readonly fingerprint: string;
  readonly serial: string;
  readonly key: Buffer | null;
  readonly state: AuthorityState;
  readonly created: number;
  readonly not_after: number;
  readonly revoked_at: number | null;
  readonly reason: string | null;
}

export interface CertificateRow {
  readonly serial: string;
  readonly fingerprint: string;
  readonly authority: number;
  readonly kind: "laptop" | "appliance";
  readonly user: string;
  readonly device: string;
  /** JSON. */
  readonly subject: string;
  readonly not_before: number;
  readonly not_after: number;
  readonly issued_at: number;
  readonly issued_by: string;
  readonly revoked_at: number | null;
  readonly revoked_by: string | null;
  readonly reason: string | null;
}

export interface ListRow {
  readonly number: number;
  readonly der: Buffer;
  readonly this_update: number;
  readonly next_update: number;
  readonly entries: number;
  readonly revocations: number;
}

interface PlantRow {
  readonly name: string;
  readonly lifetimes: string;
  readonly crl_url: string | null;
  readonly created: number;
}

interface Count {
  readonly count: number;
}

type Value = string | number | Buffer | null;

const AUTHORITY = [
  "id",
  "role",
  "parent",
  "name",
  "tier",
  "tenant",
  "algorithm",
  "certificate",
  "fingerprint",
  "serial",
  "key",
  "state",
  "created",
  "notAfter",
  "revokedAt",
  "reason",
];
const CERTIFICATE = [
  "serial",
  "fingerprint",
  "authority",
  "kind",
  "user",
  "device",
  "subject",
  "notBefore",
  "notAfter",
  "issuedAt",
  "issuedBy",
  "revokedAt",
  "revokedBy",
  "reason",
];
const LIST = ["authority", "number", "der", "thisUpdate", "nextUpdate", "entries", "revocations"];

function columnOf(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function prepareStatements(db: Database) {
  const write = (sql: string) => db.prepare<Value[]>(sql);
  // Named as the values' fields are; columns are the same in SQL's way of writing.
  const insert = (verb: string, table: string, fields: readonly string[]) =>
    db.prepare<[object]>(
      `${verb} INTO ${table} (${fields.map(columnOf).join(", ")}) VALUES (${fields.map((field) => `@${field}`).join(", ")})`,
    );
  return {
    plant: db.prepare<[], PlantRow>("SELECT name, lifetimes, crl_url, created FROM plant"),
    putPlant: db.prepare<[object]>(
      "INSERT INTO plant (one, name, lifetimes, crl_url, created) VALUES (1, @name, @lifetimes, @crlUrl, @created)",
    ),
    authorities: db.prepare<[], AuthorityRow>("SELECT * FROM authorities ORDER BY id"),
    putAuthority: insert("INSERT", "authorities", AUTHORITY),
    state: db.prepare<[number], { readonly state: AuthorityState }>(
      "SELECT state FROM authorities WHERE id = ?",
    ),
    setState: write("UPDATE authorities SET state = ? WHERE id = ? AND state = ?"),
    endAuthority: write(
      "UPDATE authorities SET state = ?, revoked_at = ?, reason = ?, key = NULL WHERE id = ? AND state IN ('current', 'retiring')",
    ),
    putCertificate: insert("INSERT", "certificates", CERTIFICATE),
    byFingerprint: db.prepare<[string], CertificateRow>("SELECT * FROM certificates WHERE fingerprint = ?"),
    bySerial: db.prepare<[string], CertificateRow>("SELECT * FROM certificates WHERE serial = ?"),
    search: searcher(db),
    countLive: db.prepare<[number, number], Count>(
      "SELECT count(*) AS count FROM certificates WHERE authority = ? AND not_after >= ? AND revoked_at IS NULL",
    ),
    revoke: write(
      "UPDATE certificates SET revoked_at = ?, revoked_by = ?, reason = ? WHERE serial = ? AND revoked_at IS NULL",
    ),
    revocations: db.prepare<[number], Count>(
      "SELECT count(*) AS count FROM certificates WHERE authority = ? AND revoked_at IS NOT NULL",
    ),
    revoked: db.prepare<[number, number], { readonly serial: string; readonly at: number }>(
      "SELECT serial, revoked_at AS at FROM certificates WHERE authority = ? AND revoked_at IS NOT NULL AND not_after >= ?",
    ),
    list: db.prepare<[number], ListRow>("SELECT * FROM own_lists WHERE authority = ?"),
    putList: insert("INSERT OR REPLACE", "own_lists", LIST),
    sweep: write("DELETE FROM certificates WHERE kind = 'appliance' AND not_after < ?"),
  };
}

const COLUMNS: readonly (keyof Search)[] = ["user", "device", "serial", "fingerprint", "authority"];

/** `good`: only those that are good at that time. */
function searcher(db: Database) {
  return (search: Search, good: { readonly now: number } | null, limit: number): CertificateRow[] => {
    const asked = COLUMNS.flatMap((column) => {
      const value = search[column];
      return value === undefined || value === null ? [] : [{ column, value }];
    });
    const where = [
      "TRUE",
      ...asked.map(({ column }) => `${column} = ?`),
      ...(good === null ? [] : ["not_after >= ?", "revoked_at IS NULL"]),
    ];
    return db
      .prepare<Value[], CertificateRow>(
        `SELECT * FROM certificates WHERE ${where.join(" AND ")} ORDER BY issued_at DESC, serial LIMIT ?`,
      )
      .all(...asked.map(({ value }) => value), ...(good === null ? [] : [good.now]), limit);
  };
}
