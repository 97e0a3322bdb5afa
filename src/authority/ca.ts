/**
 * The certificates of the authorities themselves.
 *
 *     root (20 years, path length 1) ─┬─ issuing authority of each tier, of the plant and of each tenant (10 years, path length 0)
 *                                     └─ infrastructure: the appliance's own certificates (10 years, path length 0)
 *
 * What keeps one kind from doing another's work, seen with OpenSSL 3, Node 24 and strongSwan 5.9.8:
 *
 * - issuing authorities: extended key usage clientAuth alone. OpenSSL refuses a server's certificate from them ("unsuitable certificate
 *   purpose"). Name constraints would say it better and cannot: with DNS names excluded OpenSSL refuses a user called `first.last`, whose
 *   common name it takes for a DNS name, and strongSwan reads no certificate with a constraint on addresses.
 * - infrastructure: a constraint on URIs. With any such constraint, a URI without a host is refused (RFC 5280, section 4.2.1.10), and
 *   that is every `urn:niac:`: it can make nobody a device or a member of a group. All three read it. Nor is it among the authorities
 *   whose certificates are let in as clients.
 *
 * Names are unique, with a number that is never used again, so that two authorities are never taken for one another by name.
 */
import { createHash, type KeyObject } from "node:crypto";
import {
  authorityKeyIdentifier,
  basicConstraints,
  crlDistributionPoints,
  extendedKeyUsage,
  generateKey,
  keyIdOf,
  keyUsage,
  makeCertificate,
  makeName,
  nameConstraints,
  publicKeyInfoOf,
  randomSerial,
  readCertificate,
  subjectKeyIdentifier,
  type KeyAlgorithm,
} from "../x509/index.ts";
import type { Tier } from "./contract.ts";
import { validityOf } from "./profile.ts";

const YEAR = 365.25 * 86_400_000;
const ROOT_LIFE = 20 * YEAR;
const LIFE = 10 * YEAR;

export type Role =
  | { readonly role: "root"; readonly tier: null; readonly tenant: null }
  | { readonly role: "issuing"; readonly tier: Tier; readonly tenant: string | null }
  | { readonly role: "infrastructure"; readonly tier: null; readonly tenant: null };

/** The one above, with its key open. */
export interface Above {
  readonly certificate: Uint8Array;
  readonly key: KeyObject;
  /** Where its revocation list is; null: nowhere. */
  readonly crl: string | null;
}

export interface MadeAuthority {
  readonly name: string;
  readonly certificate: Buffer;
  readonly fingerprint: string;
  readonly serial: string;
  readonly notAfter: number;
  readonly key: KeyObject;
}

export interface AuthorityPlan {
  readonly id: number;
  readonly plant: string;
  readonly of: Role;
  readonly algorithm: KeyAlgorithm;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A new key and its certificate; `above` null: self-signed. */
export async function makeAuthority(plan: AuthorityPlan, above: Above | null): Promise<MadeAuthority> {
  const { id, plant, of, algorithm, now } = plan;
  const keys = await generateKey(algorithm);
  const publicKey = publicKeyInfoOf(keys.publicKey);
  const issuer = above === null ? null : readCertificate(above.certificate);
  const name = [of.tier ?? of.role, ...(of.tenant === null ? [] : [of.tenant]), id].join(" ");
  const subject = makeName([
    ["O", plant],
    ["CN", name],
  ]);
  const validity = validityOf(now, issuer === null ? ROOT_LIFE : LIFE, [issuer?.notAfter ?? null]);
  const serialNumber = randomSerial();
  const certificate = makeCertificate(
    {
      serialNumber,
      issuer: issuer?.subjectDer ?? subject,
      subject,
      ...validity,
      publicKey,
      extensions: [
        basicConstraints({ ca: true, pathLength: issuer === null ? 1 : 0 }),
        keyUsage(["keyCertSign", "cRLSign"]),
        subjectKeyIdentifier(publicKey),
        ...(issuer === null ? [] : [authorityKeyIdentifier(keyIdOf(issuer.publicKeyInfo))]),
        ...limits(of),
        ...(above === null || above.crl === null ? [] : [crlDistributionPoints([above.crl])]),
      ],
    },
    above?.key ?? keys.privateKey,
  );
  return {
    name,
    certificate,
    fingerprint: fingerprintOf(certificate),
    serial: serialNumber.toString("hex"),
    notAfter: validity.notAfter,
    key: keys.privateKey,
  };
}

function limits({ role }: Role): Buffer[] {
  if (role === "root") return [];
  if (role === "issuing") return [extendedKeyUsage(["clientAuth"])];
  return [
    extendedKeyUsage(["serverAuth", "clientAuth"]),
    nameConstraints({ excluded: { uri: [".invalid"] } }),
  ];
}

/** SHA-256, hexadecimal. */
export function fingerprintOf(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("hex");
}
