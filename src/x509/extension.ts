/** Extensions of certificates, requests and revocation lists (RFC 5280, section 4.2), and what some of them say. */
import { PeerError } from "../base/index.ts";
import { bitsOf, booleanOf, DerReader, oidText, only, TAG } from "./der.ts";
import { NO_NAMES, readGeneralNames, type AltNames } from "./general-name.ts";

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** The content of the extension's OCTET STRING. */
  readonly value: Uint8Array;
}

/** RFC 5280, sections 4.2 and 5.2; the role is that of MODBUS/TCP Security, R-20. */
export const EXTENSION = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  crlNumber: "2.5.29.20",
  deltaCrlIndicator: "2.5.29.27",
  issuingDistributionPoint: "2.5.29.28",
  nameConstraints: "2.5.29.30",
  crlDistributionPoints: "2.5.29.31",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  authorityInformationAccess: "1.3.6.1.5.5.7.1.1",
  role: "1.3.6.1.4.1.50316.802.1",
} as const;

export const PURPOSE = {
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  ocspSigning: "1.3.6.1.5.5.7.3.9",
} as const;

/** In the order of their bits (RFC 5280, section 4.2.1.3). */
export const KEY_USAGES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

/** Certificate, or anything else that has some. */
export interface Extended {
  readonly extensions: readonly Extension[];
}

/** Extensions = SEQUENCE OF SEQUENCE { oid, critical BOOLEAN DEFAULT FALSE, value OCTET STRING }. Doubles are kept. */
export function readExtensions(der: Uint8Array, what: string): Extension[] {
  const list = new DerReader(only(der, TAG.sequence, what));
  const extensions: Extension[] = [];
  while (!list.done) {
    const fields = new DerReader(list.take(TAG.sequence, "an extension"));
    const oid = oidText(fields.take(TAG.oid, "an extension"));
    // An explicit FALSE is not DER, but common and clear.
    const critical = fields.optional(TAG.boolean, "an extension's criticality");
    const value = fields.take(TAG.octetString, `extension ${oid}`);
    fields.finish(`extension ${oid}`);
    extensions.push({
      oid,
      critical: critical !== null && booleanOf(critical, "an extension's criticality"),
      value,
    });
  }
  return extensions;
}

/** The first extension that stands there twice (RFC 5280, section 4.2 forbids it); null: none. */
export function doubled(extensions: readonly Extension[]): string | null {
  const seen = new Set<string>();
  for (const { oid } of extensions) {
    if (seen.has(oid)) return oid;
    seen.add(oid);
  }
  return null;
}

/** The value of the first such extension, or null. Where two of a kind would matter, refuse them before: `doubled`. */
export function extensionOf(of: Extended, oid: string): Uint8Array | null {
  return of.extensions.find((extension) => extension.oid === oid)?.value ?? null;
}

/** BasicConstraints = SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }. */
export function isAuthority(of: Extended): boolean {
  const value = extensionOf(of, EXTENSION.basicConstraints);
  if (value === null) return false;
  const fields = new DerReader(only(value, TAG.sequence, "the basic constraints"));
  // An explicit FALSE is not DER, but common and clear.
  const ca = fields.optional(TAG.boolean, "the basic constraints");
  fields.optional(TAG.integer, "the path length");
  fields.finish("the basic constraints");
  return ca !== null && booleanOf(ca, "the basic constraints");
}

/** Null: no such extension, which allows any use. */
export function keyUsagesOf(of: Extended): readonly KeyUsage[] | null {
  const value = extensionOf(of, EXTENSION.keyUsage);
  if (value === null) return null;
  const { bytes } = bitsOf(only(value, TAG.bitString, "the key usage"), "the key usage");
  return KEY_USAGES.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

/** Object identifiers. Empty where the extension is missing: a certificate for any purpose is not one for this. */
export function purposesOf(of: Extended): string[] {
  const value = extensionOf(of, EXTENSION.extendedKeyUsage);
  if (value === null) return [];
  const list = new DerReader(only(value, TAG.sequence, "the extended key usage"));
  const purposes: string[] = [];
  while (!list.done) purposes.push(oidText(list.take(TAG.oid, "the extended key usage")));
  return purposes;
}

/** Hexadecimal; null: none. */
export function readSubjectKeyIdentifier(of: Extended): string | null {
  const value = extensionOf(of, EXTENSION.subjectKeyIdentifier);
  if (value === null) return null;
  return hex(only(value, TAG.octetString, "the subject key identifier"));
}

/**
 * AuthorityKeyIdentifier = SEQUENCE { [0] keyIdentifier, [1] issuer's names, [2] serial number }, all optional. The first in
 * hexadecimal; null: it has none.
 */
export function readAuthorityKeyIdentifier(of: Extended): string | null {
  const what = "the authority key identifier";
  const value = extensionOf(of, EXTENSION.authorityKeyIdentifier);
  if (value === null) return null;
  const fields = new DerReader(only(value, TAG.sequence, what));
  const key = fields.optional(0x80, what);
  const issuer = fields.optional(0xa1, what);
  const serial = fields.optional(0x82, what);
  fields.finish(what);
  if ((issuer === null) !== (serial === null)) {
    throw new PeerError("key-identifier", `${what} has an issuer or a serial number, and not both`);
  }
  return key === null ? null : hex(key);
}

/** The alternative names of a certificate, or those a request asks for. */
export function readSubjectAltName(
  of: Extended | { readonly extensionRequests: readonly Extension[] },
): AltNames {
  const extensions = "extensions" in of ? of.extensions : of.extensionRequests;
  const value = extensionOf({ extensions }, EXTENSION.subjectAltName);
  if (value === null) return NO_NAMES;
  const what = "the alternative names";
  return readGeneralNames(only(value, TAG.sequence, what), what);
}

/** The same, each with its kind before it, to be compared and shown; those of kinds that are not read stand as one. */
export function altNamesText(of: Parameters<typeof readSubjectAltName>[0]): string[] {
  const { dns, ip, uri, email, others } = readSubjectAltName(of);
  return [
    ...dns.map((name) => `DNS:${name}`),
    ...ip.map((name) => `IP:${name}`),
    ...uri.map((name) => `URI:${name}`),
    ...email.map((name) => `email:${name}`),
    ...(others === 0 ? [] : ["names of other kinds"]),
  ];
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
