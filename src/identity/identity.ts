/**
 * Who asks. Nearly always what a verified certificate says; all text is printable, without control characters, and at most 255
 * characters. A client of `unsafeUnauthenticated`, and a machine that connects somewhere, have a name of the site document and
 * nothing else: see withoutCertificate.
 */
export interface Identity {
  /** Names of the three kinds never stand for each other: a certificate may well name its user as the site names a source. */
  readonly kind: "certificate" | "source" | "machine";
  /** The subject's common name: exactly one, never empty. Of a source or machine: its name in the site document. */
  readonly user: string;
  readonly device: string | null;
  /** What the certificate claims; a site document decides which claims it takes. Sorted, without doubles. */
  readonly groups: readonly string[];
  /** MODBUS/TCP Security role extension (OID 1.3.6.1.4.1.50316.802.1), the whole string; null: the NULL role. */
  readonly role: string | null;
  /** The issuer's where that has one, else what the certificate claims. */
  readonly tier: string | null;
  /** Derived from the issuer, never from what the client says. */
  readonly tenant: string | null;
  /** The issuing authority's name, as whoever lists authorities calls it; null: none are listed, or there is no certificate. */
  readonly authority: string | null;
  /** RFC 4514 text of the issuer's name, for people. */
  readonly issuer: string;
  /** Hexadecimal, lower case, no separators. */
  readonly serialNumber: string;
  /** SHA-256 of the leaf's DER, hexadecimal, lower case. */
  readonly fingerprint: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Why a certificate gives no identity. What was presented is kept, so that the record can name who was refused. */
export interface Refusal {
  /** Stable, for programs: e.g. `no-certificate`, `untrusted`, `expired`, `is-ca`, `no-client-auth`, `role-twice`. */
  readonly code: string;
  /** What is wrong, for the reader of the record. */
  readonly reason: string;
  /** What would allow it. */
  readonly advice: string;
  /** What the certificate said, unverified and made printable; null where there was none. */
  readonly presented: {
    readonly subject: string;
    readonly serialNumber: string;
    readonly fingerprint: string;
  } | null;
}

/** A client known by its address alone, or a machine known by its port, its MAC address and its own address. */
export function withoutCertificate(kind: "source" | "machine", name: string): Identity {
  return {
    kind,
    user: name,
    device: null,
    groups: [],
    role: null,
    tier: null,
    tenant: null,
    authority: null,
    issuer: "",
    serialNumber: "",
    fingerprint: "",
    notBefore: 0,
    notAfter: Infinity,
  };
}
