/**
 * One certificate on a revocation list (RFC 5280, sections 5.1.2.6 and 5.3):
 *
 *     SEQUENCE { serialNumber INTEGER, revocationDate Time, Extensions OPTIONAL }
 */
import { PeerError } from "../base/index.ts";
import { DerReader, only, TAG, timeOf } from "./der.ts";
import { doubled, readExtensions } from "./extension.ts";
import { GENERAL_NAME } from "./general-name.ts";
import { serialNumberOf } from "./certificate.ts";

/** CRLReason (section 5.3.1), in the order of their numbers, of which 7 is left out. */
export const CRL_REASONS = [
  "unspecified",
  "keyCompromise",
  "cACompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "certificateHold",
  /** In a delta alone: the certificate is good again. */
  "removeFromCRL",
  "privilegeWithdrawn",
  "aACompromise",
] as const;
export type CrlReason = (typeof CRL_REASONS)[number];
const LEFT_OUT = 7;

/** 0 to 10. */
export function crlReasonNumber(reason: CrlReason): number {
  const at = CRL_REASONS.indexOf(reason);
  return at < LEFT_OUT ? at : at + 1;
}

export interface CrlEntry {
  /** Hexadecimal, lower case, as of a certificate. */
  readonly serialNumber: string;
  /** Milliseconds since the epoch; it may lie ahead. */
  readonly revokedAt: number;
  readonly reason: CrlReason;
  /** DER of the Name of who issued the certificate; null: the list's own issuer. */
  readonly certificateIssuer: Uint8Array | null;
}

export const ENTRY_EXTENSION = {
  reason: "2.5.29.21",
  holdInstruction: "2.5.29.23",
  invalidityDate: "2.5.29.24",
  certificateIssuer: "2.5.29.29",
} as const;
const KNOWN: readonly string[] = Object.values(ENTRY_EXTENSION);

/**
 * The entries of `list`, the content of revokedCertificates, one at a time. In an indirect list an entry without an issuer has that
 * of the entry before it (section 5.3.3). Throws a PeerError at the entry that cannot be read.
 */
export function* readEntries(list: Uint8Array, indirect: boolean): Generator<CrlEntry, void, undefined> {
  const reader = new DerReader(list);
  let certificateIssuer: Uint8Array | null = null;
  while (!reader.done) {
    const fields = new DerReader(reader.take(TAG.sequence, "an entry"));
    const serialNumber = serialNumberOf(fields.take(TAG.integer, "the serial number"));
    const revokedAt = timeOf(fields.any("the time of revocation"), "the time of revocation");
    let reason: CrlReason = "unspecified";
    if (!fields.done) {
      const said = readEntryExtensions(fields.any("the entry's extensions").whole);
      fields.finish("an entry");
      reason = said.reason;
      if (said.issuer !== null) {
        if (!indirect)
          throw new PeerError("crl-scope", "an entry names another issuer on a list that is not indirect");
        certificateIssuer = said.issuer;
      }
    }
    yield { serialNumber, revokedAt, reason, certificateIssuer };
  }
}

function readEntryExtensions(der: Uint8Array): {
  readonly reason: CrlReason;
  readonly issuer: Uint8Array | null;
} {
  const extensions = readExtensions(der, "the entry's extensions");
  const twice = doubled(extensions);
  if (twice !== null) throw new PeerError("crl-extension-twice", `an entry has extension ${twice} twice`);
  let reason: CrlReason = "unspecified";
  let issuer: Uint8Array | null = null;
  for (const { oid, critical, value } of extensions) {
    if (oid === ENTRY_EXTENSION.reason) reason = reasonOf(only(value, TAG.enumerated, "the reason"));
    else if (oid === ENTRY_EXTENSION.certificateIssuer) issuer = readIssuer(value);
    else if (critical && !KNOWN.includes(oid)) {
      throw new PeerError(
        "crl-critical-extension",
        `an entry has the critical extension ${oid}, which is not known`,
      );
    }
  }
  return { reason, issuer };
}

/** Of an ENUMERATED's content; the same in OCSP (RFC 6960, section 4.2.1). */
export function reasonOf(content: Uint8Array): CrlReason {
  const number = content[0] ?? LEFT_OUT;
  const reason = number === LEFT_OUT ? undefined : CRL_REASONS[number < LEFT_OUT ? number : number - 1];
  if (reason !== undefined && content.length === 1) return reason;
  throw new PeerError("crl-reason", "a reason for revocation is none of RFC 5280's");
}

/** GeneralNames with the one directory name that the issuer has. */
function readIssuer(der: Uint8Array): Uint8Array {
  const names = new DerReader(only(der, TAG.sequence, "the certificate's issuer"));
  const { tag, content } = names.any("the certificate's issuer");
  names.finish("the certificate's issuer");
  if (tag === GENERAL_NAME.directory) return content;
  throw new PeerError("crl-issuer", "the certificate's issuer is not given as a distinguished name");
}
