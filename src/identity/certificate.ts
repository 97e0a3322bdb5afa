/**
 * An X.509 certificate as it is encoded (RFC 5280, section 4.1), taken apart and not yet judged.
 *
 *     Certificate    = SEQUENCE { TBSCertificate, signatureAlgorithm, signature BIT STRING }
 *     TBSCertificate = SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo,
 *                                 [1] issuerUniqueID, [2] subjectUniqueID, [3] extensions }
 */
import { PeerError } from "../base/index.ts";
import { bitsOf, booleanOf, DerReader, MAX_CERTIFICATE_LENGTH, oidText, only, TAG } from "./der.ts";
import { timeOf, unsignedOf, type Element } from "./der.ts";

export interface Certificate {
  /** Hexadecimal, lower case. */
  readonly serialNumber: string;
  readonly signatureAlgorithm: Algorithm;
  readonly issuer: Name;
  readonly subject: Name;
  /** Milliseconds since the epoch; both belong to it. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly key: { readonly algorithm: Algorithm; readonly bytes: Uint8Array };
  readonly extensions: readonly Extension[];
}

export interface Algorithm {
  readonly oid: string;
  readonly parameters: Element | null;
}

/** Relative distinguished names in their encoded order, the outermost first. */
export type Name = readonly (readonly Attribute[])[];

export interface Attribute {
  readonly type: string;
  readonly value: Element;
}

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** The content of the extension's OCTET STRING. */
  readonly value: Uint8Array;
}

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
  const outer = new DerReader(only(der, TAG.sequence, "the certificate"));
  const tbs = new DerReader(outer.take(TAG.sequence, "the signed part"));
  const outerAlgorithm = outer.any("the signature algorithm");
  bitsOf(outer.take(TAG.bitString, "the signature"), "the signature");
  outer.finish("the signature");

  const version = readVersion(tbs);
  const serialNumber = readSerialNumber(tbs);
  const innerAlgorithm = tbs.any("the signature algorithm");
  if (!Buffer.from(innerAlgorithm.whole).equals(outerAlgorithm.whole)) {
    // RFC 5280, section 4.1.1.2.
    throw new PeerError("algorithm-mismatch", "it names two different signature algorithms");
  }
  const issuer = readName(tbs, "the issuer's name");
  const validity = new DerReader(tbs.take(TAG.sequence, "the validity"));
  const notBefore = timeOf(validity.any("the start of validity"), "the start of validity");
  const notAfter = timeOf(validity.any("the end of validity"), "the end of validity");
  validity.finish("the validity");
  const subject = readName(tbs, "the subject's name");
  const key = readKey(tbs);
  tbs.optional(FIELD.issuerUniqueId, "the issuer's unique id");
  tbs.optional(FIELD.subjectUniqueId, "the subject's unique id");
  const extensions = version === VERSION_3 ? readExtensions(tbs) : [];
  tbs.finish("the signed part");
  const signatureAlgorithm = readAlgorithm(innerAlgorithm, "the signature algorithm");
  return { serialNumber, signatureAlgorithm, issuer, subject, notBefore, notAfter, key, extensions };
}

/** `AlgorithmIdentifier`, RFC 5280, section 4.1.1.2. */
export function readAlgorithm(element: Element, what: string): Algorithm {
  const fields = new DerReader(only(element.whole, TAG.sequence, what));
  const oid = oidText(fields.take(TAG.oid, what));
  const parameters = fields.done ? null : fields.any(`the parameters of ${what}`);
  fields.finish(what);
  return { oid, parameters };
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

function readSerialNumber(tbs: DerReader): string {
  const bytes = unsignedOf(tbs.take(TAG.integer, "the serial number"), "the serial number");
  if (bytes.length > MAX_SERIAL_LENGTH) {
    throw new PeerError(
      "serial-number",
      `its serial number has ${bytes.length} bytes, not ${MAX_SERIAL_LENGTH} at most`,
    );
  }
  return Buffer.from(bytes).toString("hex");
}

function readName(tbs: DerReader, what: string): Name {
  const rdns = new DerReader(tbs.take(TAG.sequence, what));
  const name: Attribute[][] = [];
  while (!rdns.done) {
    const set = new DerReader(rdns.take(TAG.set, what));
    const attributes: Attribute[] = [];
    do {
      const fields = new DerReader(set.take(TAG.sequence, what));
      const type = oidText(fields.take(TAG.oid, what));
      attributes.push({ type, value: fields.any(what) });
      fields.finish(what);
    } while (!set.done);
    name.push(attributes);
  }
  return name;
}

function readKey(tbs: DerReader): Certificate["key"] {
  const fields = new DerReader(tbs.take(TAG.sequence, "the public key"));
  const algorithm = readAlgorithm(fields.any("the key's algorithm"), "the key's algorithm");
  const { bytes, unused } = bitsOf(fields.take(TAG.bitString, "the public key"), "the public key");
  if (unused !== 0) throw new PeerError("der-bits", "the public key is not whole bytes");
  fields.finish("the public key");
  return { algorithm, bytes };
}

function readExtensions(tbs: DerReader): Extension[] {
  const field = tbs.optional(FIELD.extensions, "the extensions");
  if (field === null) return [];
  const list = new DerReader(only(field, TAG.sequence, "the extensions"));
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
