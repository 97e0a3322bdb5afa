/** Answers of an OCSP responder for the tests, with whatever stands in them. */
import * as x509 from "../../../src/x509/index.ts";
import { authority, codeOf, issuerName, keyOf, NOW } from "./made.ts";
import { der, oid, seq, time } from "./writer.ts";

const { privateKey } = keyOf("p256");
export const issuer = authority(privateKey);
export const subject: x509.OcspSubject = { issuerName, issuerKey: issuer.key.bytes, serialNumber: "05" };
/** The CertID as a request for it has it. */
export const certId = (): Buffer => {
  const request = x509.makeOcspRequest(subject);
  // SEQUENCE { SEQUENCE { SEQUENCE { SEQUENCE { CertID } } } }, each with a length of one byte.
  return Buffer.from(request.subarray(8));
};
export const GOOD = der(0x80);
export const single = (status: Uint8Array, ...more: readonly Uint8Array[]): Buffer =>
  seq(certId(), status, time(NOW), ...more);
export const byName = (name: Uint8Array): Buffer => der(0xa1, name);

export interface AnswerParts {
  readonly id?: Uint8Array;
  readonly responses?: readonly Uint8Array[];
  readonly more?: readonly Uint8Array[];
  readonly version?: readonly Uint8Array[];
  readonly certificates?: readonly Uint8Array[];
  readonly key?: typeof privateKey;
}

/** Signed by the issuer, good, unless said otherwise. */
export function answer(parts: AnswerParts = {}): Buffer {
  const {
    id = byName(issuerName),
    responses = [single(GOOD)],
    more = [],
    version = [],
    certificates = [],
  } = parts;
  const data = seq(...version, id, time(NOW), seq(...responses), ...more);
  // The fields of SEQUENCE { data, algorithm, signature }, and the certificates after them.
  const fields = new x509.DerReader(x509.only(x509.signed(data, parts.key ?? privateKey), 0x30, "x"));
  const [one, two, three] = [fields.any("x").whole, fields.any("x").whole, fields.any("x").whole];
  const list = certificates.length === 0 ? [] : [der(0xa0, seq(...certificates))];
  return wrapped(seq(one, two, three, ...list));
}

export const wrapped = (basic: Uint8Array, type = "1.3.6.1.5.5.7.48.1.1"): Buffer =>
  seq(der(0x0a, Buffer.of(0)), der(0xa0, seq(oid(type), der(0x04, basic))));
export function read(bytes: Uint8Array): x509.OcspAnswer {
  const response = x509.readOcspResponse(bytes);
  if (response.status !== "successful") throw new Error(response.status);
  return response;
}
export const code = (bytes: Uint8Array): string => codeOf(() => x509.readOcspResponse(bytes));
