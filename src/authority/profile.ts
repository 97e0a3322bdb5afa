/**
 * What certificates say and for how long, by profile; pure.
 *
 * | profile       | good for             | names                                                        | for        |
 * | ------------- | -------------------- | ------------------------------------------------------------ | ---------- |
 * | managed       | 90 days              | CN user; URIs urn:niac:device, urn:niac:tier, urn:niac:group | clientAuth |
 * | byod          | 30 days              | as above                                                     | clientAuth |
 * | contractor    | 30 days, and never beyond the end date, which must be given                        | clientAuth |
 * | appliance     | as control says      | CN, DNS names and addresses as control says                  | serverAuth, clientAuth |
 *
 * Every one has key usage digitalSignature and is no authority's (RFC 5280, section 4.2.1). Names stand where identity/claims.ts reads them.
 */
import { UsageError } from "../base/index.ts";
import type { OwnNames } from "../link/index.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  crlDistributionPoints,
  extendedKeyUsage,
  keyUsage,
  makeName,
  modbusRole,
  subjectAltName,
  subjectKeyIdentifier,
  type AltName,
} from "../x509/index.ts";
import type { Subject, Tier } from "./contract.ts";

const DAY = 86_400_000;
export const LIFETIMES: Readonly<Record<Tier, number>> = {
  managed: 90 * DAY,
  byod: 30 * DAY,
  contractor: 30 * DAY,
};
const SHORTEST_LIFE = 60_000;
const LONGEST_LIFE = 3_650 * DAY;
/** A laptop whose clock is a little behind takes its new certificate at once. */
const BACKDATED = 300_000;

/** Throws a UsageError for a life that is no use. */
export function checkLifetime(tier: string, life: number): void {
  if (life >= SHORTEST_LIFE && life <= LONGEST_LIFE) return;
  throw new UsageError(
    "lifetime",
    `a certificate of the tier ${tier} cannot be good for ${life / 1000} s; it takes ${SHORTEST_LIFE / 1000} s to ${LONGEST_LIFE / DAY} days`,
  );
}

/** Milliseconds since the epoch, whole seconds, both ends belong to it. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** `ends`: what it may not outlive, null where there is no such thing. */
export function validityOf(now: number, life: number, ends: readonly (number | null)[]): Validity {
  const last = Math.min(now + life, ...ends.filter((end) => end !== null));
  return { notBefore: second(now - BACKDATED), notAfter: second(last) };
}

function second(time: number): number {
  return Math.floor(time / 1000) * 1000;
}

/** Throws a UsageError where the end date is missing or past. */
export function checkUntil({ tier, user, until }: Subject, now: number): void {
  if (until === null) {
    if (tier !== "contractor") return;
    throw new UsageError(
      "until-required",
      `a contractor's certificate needs an end date, and none is given for ${user}`,
      "Say when the work ends: --until 2027-03-31.",
    );
  }
  if (until > now) return;
  throw new UsageError(
    "until-past",
    `${user} was to have a certificate until ${new Date(until).toISOString()}, which is past`,
    "Give a later end date, if there is to be one.",
  );
}

/** DER of the subject's name. */
export function laptopName({ user }: Subject): Buffer {
  return makeName([["CN", user]]);
}

/** The URIs in which identity/claims.ts finds device, tier and groups. */
export function laptopUris({ device, tier, groups }: Subject): string[] {
  return [urn("device", device), urn("tier", tier), ...groups.map((group) => urn("group", group))];
}

function urn(kind: string, name: string): string {
  if (!name.isWellFormed()) {
    throw new UsageError("subject-text", `the ${kind} of a certificate holds half of a character`);
  }
  // What encodeURIComponent leaves as it is, a URN may hold (RFC 8141, section 2).
  return `urn:niac:${kind}:${encodeURIComponent(name)}`;
}

/** The one way to write a URI that identity/claims.ts reads alike; what it does not read stays as it is. */
export function canonicalUri(uri: string): string {
  const named = /^urn:niac:/i.test(uri) ? uri.slice("urn:niac:".length) : "";
  const [, kind, encoded] = /^(device|tier|group):(.+)$/s.exec(named) ?? [];
  if (kind === undefined || encoded === undefined) return uri;
  try {
    return urn(kind, decodeURIComponent(encoded));
  } catch {
    return uri;
  }
}

export interface Issuing {
  /** Of the issuer's own subject key identifier. */
  readonly keyId: Uint8Array;
  /** Where its revocation list is; null: nowhere that everybody could reach. */
  readonly crl: string | null;
}

export function laptopExtensions(subject: Subject, publicKeyInfo: Uint8Array, issuer: Issuing): Buffer[] {
  return [
    ...leafExtensions(
      ["clientAuth"],
      laptopUris(subject).map((uri) => ({ uri })),
      publicKeyInfo,
      issuer,
    ),
    ...(subject.role === null ? [] : [modbusRole(subject.role)]),
  ];
}

export function applianceExtensions(names: OwnNames, publicKeyInfo: Uint8Array, issuer: Issuing): Buffer[] {
  const altNames = [...names.dns.map((dns) => ({ dns })), ...names.ip.map((ip) => ({ ip }))];
  return leafExtensions(["serverAuth", "clientAuth"], altNames, publicKeyInfo, issuer);
}

function leafExtensions(
  purposes: readonly string[],
  names: readonly AltName[],
  publicKeyInfo: Uint8Array,
  { keyId, crl }: Issuing,
): Buffer[] {
  return [
    basicConstraints({ ca: false }),
    keyUsage(["digitalSignature"]),
    extendedKeyUsage(purposes),
    ...(names.length === 0 ? [] : [subjectAltName(names)]),
    subjectKeyIdentifier(publicKeyInfo),
    authorityKeyIdentifier(keyId),
    ...(crl === null ? [] : [crlDistributionPoints([crl])]),
  ];
}
