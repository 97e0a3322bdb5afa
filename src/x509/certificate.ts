/**
 * An X.509 certificate as it is encoded (RFC 5280, section 4.1), taken apart and not yet judged.
 *
 *     Certificate    = SEQUENCE { TBSCertificate, signatureAlgorithm, signature BIT STRING }
 *     TBSCertificate = SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo,
 *                                 [1] issuerUniqueID, [2] subjectUniqueID, [3] extensions }
 */
import { PeerError } from "../base/index.ts";
import type { Algorithm } from "./algorithm.ts";
import { DerReader, only, TAG, timeOf, unsignedOf, type Element } from "./der.ts";
import { readExtensions, type Extension } from "./extension.ts";
import { readPublicKey, type PublicKey } from "./keys.ts";
import { readName, type Name } from "./name.ts";
import { readSigned, type Signed } from "./signature.ts";

export interface Certificate {
  /** Hexadecimal, lower case. */
  readonly serialNumber: string;
  readonly signatureAlgorithm: Algorithm;
  readonly issuer: Name;
  readonly subject: Name;
  /** The names as DER: what two of them are compared by. */
  readonly issuerDer: Uint8Array;
  readonly subjectDer: Uint8Array;
  /** Milliseconds since the epoch; both belong to it. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly key: PublicKey;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Uint8Array;
  readonly extensions: readonly Extension[];
  /** For `verifySigned`. */
  readonly signed: Signed;
}

/** 16 KiB hold an ML-DSA key and signature and a page of names; longer certificates are refused before they are read. */
export const MAX_CERTIFICATE_LENGTH = 16_384;
/** RFC 5280 allows 20; one more for authorities that forgot the sign. */
const MAX_SERIAL_LENGTH = 21;
const VERSION_3 = 2;
const FIELD = { version: 0xa0, issuerUniqueId: 0x81, subjectUniqueId: 0x82, extensions: 0xa3 } as const;

/** Throws a PeerError for what is not strict DER of a certificate. */
export function readCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_LENGTH) {
    throw new PeerError(
      "too-large",
      `it has ${der.length} bytes, ${MAX_CERTIFICATE_LENGTH} are taken at most`,
    );
  }
  const signed = readSigned(der, "the certificate");
  const tbs = new DerReader(only(signed.tbs, TAG.sequence, "the signed part"));
  const version = readVersion(tbs);
  const serialNumber = serialNumberOf(tbs.take(TAG.integer, "the serial number"));
  checkSameAlgorithm(tbs.any("the signature algorithm"), signed);
  const issuer = tbs.any("the issuer's name").whole;
  const validity = new DerReader(tbs.take(TAG.sequence, "the validity"));
  const notBefore = timeOf(validity.any("the start of validity"), "the start of validity");
  const notAfter = timeOf(validity.any("the end of validity"), "the end of validity");
  validity.finish("the validity");
  const subject = tbs.any("the subject's name").whole;
  const publicKeyInfo = tbs.any("the public key").whole;
  tbs.optional(FIELD.issuerUniqueId, "the issuer's unique id");
  tbs.optional(FIELD.subjectUniqueId, "the subject's unique id");
  const extensions = version === VERSION_3 ? tbs.optional(FIELD.extensions, "the extensions") : null;
  tbs.finish("the signed part");
  return {
    serialNumber,
    signatureAlgorithm: signed.algorithm,
    issuer: readName(issuer, "the issuer's name"),
    subject: readName(subject, "the subject's name"),
    issuerDer: issuer,
    subjectDer: subject,
    notBefore,
    notAfter,
    key: readPublicKey(publicKeyInfo),
    publicKeyInfo,
    extensions: extensions === null ? [] : readExtensions(extensions, "the extensions"),
    signed,
  };
}

/** Hexadecimal, of an INTEGER's content. */
export function serialNumberOf(content: Uint8Array): string {
  const bytes = unsignedOf(content, "the serial number");
  if (bytes.length > MAX_SERIAL_LENGTH) {
    throw new PeerError(
      "serial-number",
      `its serial number has ${bytes.length} bytes, not ${MAX_SERIAL_LENGTH} at most`,
    );
  }
  return Buffer.from(bytes).toString("hex");
}

/** The signature's algorithm stands inside the signed part too, and is the same there (RFC 5280, sections 4.1.1.2 and 5.1.1.2). */
export function checkSameAlgorithm(inner: Element, { algorithmDer }: Signed): void {
  if (!Buffer.from(inner.whole).equals(algorithmDer)) {
    throw new PeerError("algorithm-mismatch", "it names two different signature algorithms");
  }
}

function readVersion(tbs: DerReader): number {
  const field = tbs.optional(FIELD.version, "the version");
  if (field === null) return 0;
  const version = only(field, TAG.integer, "the version");
  if (version.length !== 1 || version[0] !== VERSION_3) {
    throw new PeerError("version", "its version is not 3");
  }
  return VERSION_3;
}
