import { randomBytes, type KeyObject } from "node:crypto";
import { integer, sequence, tagged, time } from "./der-writer.ts";
import { signatureFor, signed } from "./signature.ts";

/** What a certificate is to say. Names, key and extensions are DER; see `makeName`, `publicKeyInfoOf` and the extensions' makers. */
export interface CertificateTemplate {
  /** Big-endian and positive: `randomSerial()`. */
  readonly serialNumber: Uint8Array;
  /** The issuer's subject, byte by byte. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Milliseconds since the epoch, cut to the second; both belong to the validity. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: Uint8Array;
  readonly extensions: readonly Uint8Array[];
}

/** DER of a version 3 certificate, signed with the issuer's key by the key's own algorithm. */
export function makeCertificate(template: CertificateTemplate, issuerKey: KeyObject): Buffer {
  const { serialNumber, issuer, subject, notBefore, notAfter, publicKey, extensions } = template;
  const toBeSigned = sequence(
    tagged(0xa0, integer(2)),
    integer(serialNumber),
    signatureFor(issuerKey).algorithmDer,
    issuer,
    sequence(time(notBefore), time(notAfter)),
    subject,
    publicKey,
    ...(extensions.length === 0 ? [] : [tagged(0xa3, sequence(...extensions))]),
  );
  return signed(toBeSigned, issuerKey);
}

/** 16 bytes, 126 of whose bits are random: never negative, and never shorter for leading zeros. */
export function randomSerial(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes;
}
