/**
 * Asking about one certificate by OCSP (RFC 6960, section 4.1).
 *
 *     OCSPRequest = SEQUENCE { TBSRequest }
 *     TBSRequest  = SEQUENCE { SEQUENCE OF SEQUENCE { CertID }, [2] extensions }
 *     CertID      = SEQUENCE { hash AlgorithmIdentifier, issuerNameHash, issuerKeyHash OCTET STRING, serialNumber INTEGER }
 */
import { createHash } from "node:crypto";
import { BugError } from "../base/index.ts";
import { HASHES, readAlgorithm } from "./algorithm.ts";
import { serialNumberOf } from "./certificate.ts";
import { DerReader, only, TAG } from "./der.ts";
import { integer, nullValue, octetString, oid, sequence, tagged } from "./der-writer.ts";
import { makeExtension } from "./extension-maker.ts";

/** Which certificate is meant. */
export interface OcspSubject {
  /** DER of the issuer's Name: `subjectDer` of its certificate. */
  readonly issuerName: Uint8Array;
  /** The bits of the issuer's key: `key.bytes` of its certificate. */
  readonly issuerKey: Uint8Array;
  /** Hexadecimal. */
  readonly serialNumber: string;
}

export interface OcspQuestion extends OcspSubject {
  /** Fresh random bytes, up to 128 (RFC 9654), that the answer has to repeat. */
  readonly nonce?: Uint8Array;
  /** SHA-1 unless said otherwise: it is what every responder looks up by, and only names the certificate. */
  readonly hash?: "sha1" | "sha256";
}

export interface OcspCertId {
  /** Object identifier of the hash. */
  readonly hash: string;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  readonly serialNumber: string;
}

export const NONCE = "1.3.6.1.5.5.7.48.1.2";
export const MAX_NONCE_LENGTH = 128;
const SHA1 = "1.3.14.3.2.26";
const SHA256 = "2.16.840.1.101.3.4.2.1";

/** DER of an unsigned request. */
export function makeOcspRequest(question: OcspQuestion): Buffer {
  const { issuerName, issuerKey, serialNumber, nonce, hash = "sha1" } = question;
  if (!/^(?:[0-9a-f]{2})+$/.test(serialNumber)) {
    throw new BugError("serial-number", `"${serialNumber}" is no serial number in hexadecimal`);
  }
  if (nonce !== undefined && (nonce.length === 0 || nonce.length > MAX_NONCE_LENGTH)) {
    throw new BugError("nonce", `a nonce of ${nonce.length} bytes, not 1 to ${MAX_NONCE_LENGTH}`);
  }
  const certId = sequence(
    sequence(oid(hash === "sha1" ? SHA1 : SHA256), nullValue()),
    octetString(digest(hash, issuerName)),
    octetString(digest(hash, issuerKey)),
    integer(Buffer.from(serialNumber, "hex")),
  );
  const extensions =
    nonce === undefined ? [] : [tagged(0xa2, sequence(makeExtension(NONCE, octetString(nonce), false)))];
  return sequence(sequence(sequence(sequence(certId)), ...extensions));
}

export function readCertId(der: Uint8Array): OcspCertId {
  const fields = new DerReader(only(der, TAG.sequence, "the certificate's id"));
  const { oid: hash } = readAlgorithm(fields.any("the id's hash"), "the id's hash");
  const issuerNameHash = fields.take(TAG.octetString, "the hash of the issuer's name");
  const issuerKeyHash = fields.take(TAG.octetString, "the hash of the issuer's key");
  const serialNumber = serialNumberOf(fields.take(TAG.integer, "the serial number"));
  fields.finish("the certificate's id");
  return { hash, issuerNameHash, issuerKeyHash, serialNumber };
}

/** Whether the id is this certificate's, by whichever hash the responder took. */
export function isCertIdOf(certId: OcspCertId, subject: OcspSubject): boolean {
  const hash = certId.hash === SHA1 ? "sha1" : HASHES.get(certId.hash);
  return (
    hash !== undefined &&
    certId.serialNumber === subject.serialNumber &&
    digest(hash, subject.issuerName).equals(certId.issuerNameHash) &&
    digest(hash, subject.issuerKey).equals(certId.issuerKeyHash)
  );
}

export function digest(hash: string, bytes: Uint8Array): Buffer {
  return createHash(hash).update(bytes).digest();
}
