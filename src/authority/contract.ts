/** What the parts of the authority owe each other. */
import { TIERS, type Tier } from "../link/index.ts";
import type { CertificationRequest } from "../x509/index.ts";

export { TIERS, type Tier };

/** For whom, as decided by whoever let him enrol, never by the request. */
export interface Subject {
  readonly tier: Tier;
  /** Null: the plant itself. */
  readonly tenant: string | null;
  readonly user: string;
  readonly device: string;
  readonly groups: readonly string[];
  /** MODBUS/TCP Security role; null: none. */
  readonly role: string | null;
  /** Milliseconds since the epoch: no certificate is valid beyond it. Never null for contractors. */
  readonly until: number | null;
}

export interface Issued {
  /** DER. */
  readonly certificate: Buffer;
  /** DER of the authorities above it, the issuer first and the root last. */
  readonly chain: readonly Buffer[];
  /** Hexadecimal, lower case. */
  readonly serialNumber: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Issues laptops' certificates: the embedded authority, or the site's own behind it. */
export interface Issuer {
  /** DER of what a client needs to verify the appliance and its own certificate: roots first. Throws UnavailableError where there is no authority. */
  cacerts(): readonly Buffer[];
  /**
   * Signs the key of a request that readRequest took. Throws PeerError for what the profile refuses (weak-key, algorithm-refused, name-refused, extension-refused), UnavailableError
   * where the authority is away, UsageError for a subject that no certificate can name. `by`: who let it happen, for the record.
   * `renews`: the fingerprint of the certificate that this one follows; where that was revoked by the time the new one is on record,
   * there is none (PeerError `renews-revoked`).
   */
  issue(request: CertificationRequest, subject: Subject, by: string, renews?: string): Promise<Issued>;
  /** What a certificate of this appliance's authority says, is still known, and not revoked or past its end; null: it is not one of these. */
  holder(fingerprint: string): { readonly subject: Subject; readonly notAfter: number } | null;
}

/** A certificate that was revoked, for who holds sessions open. */
export interface Revocation {
  readonly fingerprint: string;
  readonly serialNumber: string;
  readonly reason: string;
}
