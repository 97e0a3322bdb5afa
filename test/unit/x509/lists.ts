/** Revocation lists for the tests: of niac's own making, and by hand with whatever stands in them. */
import * as x509 from "../../../src/x509/index.ts";
import { authority, codeOf, DAY, issuerName, keyOf, NOW } from "./made.ts";
import { der, int, oid, seq, time } from "./writer.ts";

export const { privateKey, publicKey } = keyOf("p256");
export const issuer = authority(privateKey);
const keyId = x509.keyIdOf(x509.publicKeyInfoOf(publicKey));
export const entry = (
  serialNumber: string,
  reason: x509.CrlReason = "unspecified",
  revokedAt = NOW,
): x509.RevokedSerial => ({
  serialNumber,
  revokedAt,
  reason,
});
export const list = (parts: Partial<x509.CrlTemplate> = {}, key = privateKey): Buffer =>
  x509.makeCrl(
    {
      issuer: issuerName,
      thisUpdate: NOW,
      nextUpdate: NOW + DAY,
      number: 7n,
      entries: [],
      authorityKeyId: keyId,
      ...parts,
    },
    key,
  );
export const entriesOf = (bytes: Uint8Array): x509.CrlEntry[] => [...x509.readCrl(bytes).entries()];
export const code = (bytes: Uint8Array): string => codeOf(() => entriesOf(bytes));

const ALGORITHM = seq(oid("1.2.840.10045.4.3.2"));
/** Fields after the issuer's name, as they stand; version 2 unless said otherwise. */
export const byHand = (fields: readonly Uint8Array[], version: readonly Uint8Array[] = [int(1)]): Buffer =>
  x509.signed(seq(...version, ALGORITHM, issuerName, ...fields), privateKey);
export const withExtensions = (...extensions: readonly Uint8Array[]): Buffer =>
  byHand([time(NOW), time(NOW + DAY), der(0xa0, seq(...extensions))]);
export const withEntries = (...entries: readonly Uint8Array[]): Buffer =>
  byHand([time(NOW), time(NOW + DAY), seq(...entries)]);
