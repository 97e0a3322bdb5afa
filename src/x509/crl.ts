/**
 * Revocation lists (RFC 5280, section 5), taken apart and not yet believed: see `verify`.
 *
 *     CertificateList = SEQUENCE { TBSCertList, signatureAlgorithm, signature BIT STRING }
 *     TBSCertList     = SEQUENCE { version, signature, issuer, thisUpdate, nextUpdate OPTIONAL, revokedCertificates OPTIONAL,
 *                                  [0] extensions }
 */
import { PeerError } from "../base/index.ts";
import type { Algorithm } from "./algorithm.ts";
import { checkSameAlgorithm, type Certificate } from "./certificate.ts";
import { readEntries, type CrlEntry } from "./crl-entry.ts";
import { readIssuingDistributionPoint, type IssuingDistributionPoint } from "./crl-scope.ts";
import { DerReader, only, TAG, timeOf, unsignedOf } from "./der.ts";
import {
  doubled,
  EXTENSION,
  extensionOf,
  isAuthority,
  keyUsagesOf,
  readAuthorityKeyIdentifier,
  readExtensions,
  readSubjectKeyIdentifier,
  type Extended,
  type Extension,
} from "./extension.ts";
import { publicKeyFrom } from "./keys.ts";
import { readName, type Name } from "./name.ts";
import { readSigned, verifySigned, type Signed } from "./signature.ts";

export interface CertificateList {
  readonly issuer: Name;
  readonly issuerDer: Uint8Array;
  readonly signatureAlgorithm: Algorithm;
  /** Null: the list has none (version 1, and authorities that leave it out). */
  readonly number: bigint | null;
  /** The list whose changes these are; null: this list is complete. */
  readonly deltaBase: bigint | null;
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number;
  readonly nextUpdate: number | null;
  /** Hexadecimal; null: none. */
  readonly authorityKeyId: string | null;
  /** Null: it covers all that its issuer issued. */
  readonly issuingDistributionPoint: IssuingDistributionPoint | null;
  /** Reads anew at each call, an entry at a time. Throws a PeerError at an entry that cannot be read. */
  entries(): Iterable<CrlEntry>;
  /** Whether this issuer signed it, and may sign lists. Never throws. */
  verify(issuer: Certificate): boolean;
}

/** A million entries with their reasons, and room to spare. */
export const MAX_CRL_LENGTH = 67_108_864;
const MAX_NUMBER_LENGTH = 20;
const FIELD_EXTENSIONS = 0xa0;
const KNOWN: readonly string[] = [
  EXTENSION.authorityKeyIdentifier,
  EXTENSION.crlNumber,
  EXTENSION.deltaCrlIndicator,
  EXTENSION.issuingDistributionPoint,
];
const ADVICE = "Have the authority issue its revocation list anew, in DER as RFC 5280 asks for.";

/**
 * Throws a PeerError: `crl-too-large`, `crl-critical-extension`, or `crl-malformed` with what is wrong with it. Entries are read by
 * `entries()` and not before.
 */
export function readCrl(der: Uint8Array): CertificateList {
  if (der.length > MAX_CRL_LENGTH) {
    const message = `the revocation list has ${der.length} bytes, ${MAX_CRL_LENGTH} are taken at most`;
    throw new PeerError("crl-too-large", message, ADVICE);
  }
  return inWords(() => read(der));
}

function read(der: Uint8Array): CertificateList {
  const signed = readSigned(der, "the list");
  const tbs = new DerReader(only(signed.tbs, TAG.sequence, "the signed part"));
  const version = tbs.optional(TAG.integer, "the version");
  if (version !== null && (version.length !== 1 || version[0] !== 1)) {
    throw new PeerError("version", "its version is not 2");
  }
  checkSameAlgorithm(tbs.any("the signature algorithm"), signed);
  const issuerDer = tbs.any("the issuer's name").whole;
  const thisUpdate = timeOf(tbs.any("the time of issue"), "the time of issue");
  const nextUpdate = readNextUpdate(tbs);
  const list = tbs.optional(TAG.sequence, "the entries") ?? new Uint8Array();
  const field = version === null ? null : tbs.optional(FIELD_EXTENSIONS, "the extensions");
  tbs.finish("the signed part");
  const extensions = field === null ? [] : readListExtensions(field);

  const issuingDistributionPoint = scopeOf(extensions);
  const deltaBase = numberOf(extensions, EXTENSION.deltaCrlIndicator);
  const number = numberOf(extensions, EXTENSION.crlNumber);
  if (deltaBase !== null && (number === null || number <= deltaBase)) {
    throw new PeerError("crl-number", "its changes are to a list that is not older than itself");
  }
  const authorityKeyId = readAuthorityKeyIdentifier({ extensions });
  const indirect = issuingDistributionPoint?.indirect ?? false;
  return {
    issuer: readName(issuerDer, "the issuer's name"),
    issuerDer,
    signatureAlgorithm: signed.algorithm,
    number,
    deltaBase,
    thisUpdate,
    nextUpdate,
    authorityKeyId,
    issuingDistributionPoint,
    entries: () => explained(list, indirect),
    verify: (issuer) => madeBy(issuer, { issuerDer, authorityKeyId, signed }),
  };
}

/** An issuer without key usage signs lists where it is an authority; with one, where that says so (RFC 5280, section 6.3.3 (f)). */
function maySignLists(issuer: Extended): boolean {
  const usages = keyUsagesOf(issuer);
  return usages === null ? isAuthority(issuer) : usages.includes("cRLSign");
}

interface Claimed {
  readonly issuerDer: Uint8Array;
  readonly authorityKeyId: string | null;
  readonly signed: Signed;
}

/** Names are compared byte by byte: authorities write their own name in one way, and a miss refuses. */
function madeBy(issuer: Certificate, { issuerDer, authorityKeyId, signed }: Claimed): boolean {
  try {
    if (!Buffer.from(issuer.subjectDer).equals(issuerDer)) return false;
    const keyId = readSubjectKeyIdentifier(issuer);
    if (authorityKeyId !== null && keyId !== null && keyId !== authorityKeyId) return false;
    return maySignLists(issuer) && verifySigned(signed, publicKeyFrom(issuer.publicKeyInfo));
  } catch (error) {
    if (error instanceof PeerError) return false;
    throw error;
  }
}

function readNextUpdate(tbs: DerReader): number | null {
  for (const tag of [TAG.utcTime, TAG.generalizedTime]) {
    const content = tbs.optional(tag, "the time of the next list");
    if (content !== null) return timeOf({ tag, content }, "the time of the next list");
  }
  return null;
}

function readListExtensions(field: Uint8Array): readonly Extension[] {
  const extensions = readExtensions(field, "the extensions");
  const twice = doubled(extensions);
  if (twice !== null) throw new PeerError("crl-extension-twice", `it has extension ${twice} twice`);
  const unknown = extensions.find(({ critical, oid }) => critical && !KNOWN.includes(oid));
  if (unknown !== undefined) {
    throw new PeerError(
      "crl-critical-extension",
      `it has the critical extension ${unknown.oid}, which is not known`,
    );
  }
  return extensions;
}

function scopeOf(extensions: readonly Extension[]): IssuingDistributionPoint | null {
  const value = extensionOf({ extensions }, EXTENSION.issuingDistributionPoint);
  return value === null ? null : readIssuingDistributionPoint(value);
}

function numberOf(extensions: readonly Extension[], oid: string): bigint | null {
  const value = extensionOf({ extensions }, oid);
  if (value === null) return null;
  const bytes = unsignedOf(only(value, TAG.integer, "the list's number"), "the list's number");
  if (bytes.length > MAX_NUMBER_LENGTH) {
    throw new PeerError(
      "crl-number",
      `its number has ${bytes.length} bytes, not ${MAX_NUMBER_LENGTH} at most`,
    );
  }
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

function* explained(list: Uint8Array, indirect: boolean): Generator<CrlEntry, void, undefined> {
  const entries = readEntries(list, indirect);
  for (;;) {
    const { value, done } = inWords(() => entries.next());
    if (done === true) return;
    yield value;
  }
}

/** The readers of DER know what is wrong with it, and nothing of lists. */
function inWords<Read>(run: () => Read): Read {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    const code = error.code === "crl-critical-extension" ? error.code : "crl-malformed";
    const message = `the revocation list cannot be read: ${error.message}`;
    throw new PeerError(code, message, ADVICE, { cause: error });
  }
}
