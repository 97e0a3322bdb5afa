/**
 * X.509 and what goes with it, as bytes: certificates, requests for them, revocation lists, OCSP, and the messages in which
 * certificates travel. Read strictly (DER alone, every bound checked, a PeerError for the rest) and written canonically. Nothing
 * here judges whom to trust, and nothing keeps a key.
 */
export { COMMON_NAME, makeName, ORGANIZATIONAL_UNIT, readName } from "./name.ts";
export type { Attribute, AttributeName, Name } from "./name.ts";
export { asciiOf, nameText, textOf, UNSEEN, utf8Of, whoText } from "./name-text.ts";
export { DerReader, only, TAG } from "./der.ts";
export type { Element } from "./der.ts";
export * as der from "./der-writer.ts";
export { CURVE, curveOf, ECDSA_HASHES, HASHES, KEY, pssHash, RSA_HASHES, RSA_PSS } from "./algorithm.ts";
export type { Algorithm } from "./algorithm.ts";
export * from "./keys.ts";
export { MIN_RSA_BITS, signatureFor, signed, verifySigned } from "./signature.ts";
export type { Signed, SignatureScheme } from "./signature.ts";
export { MAX_CERTIFICATE_LENGTH, readCertificate } from "./certificate.ts";
export type { Certificate } from "./certificate.ts";
export * from "./certificate-maker.ts";
export * from "./extension.ts";
export * from "./extension-maker.ts";
export type { AltName, AltNames } from "./general-name.ts";
export * from "./pem.ts";
export { MAX_REQUEST_LENGTH, readRequest } from "./request.ts";
export type { CertificationRequest, RequestAttribute } from "./request.ts";
export * from "./request-maker.ts";
export * from "./certs-only.ts";
export * from "./fresh-request.ts";
export { MAX_CRL_LENGTH, readCrl } from "./crl.ts";
export type { CertificateList } from "./crl.ts";
export { CRL_REASONS, crlReasonNumber } from "./crl-entry.ts";
export type { CrlEntry, CrlReason } from "./crl-entry.ts";
export type { IssuingDistributionPoint } from "./crl-scope.ts";
export * from "./crl-maker.ts";
export { isCertIdOf, makeOcspRequest } from "./ocsp.ts";
export type { OcspCertId, OcspQuestion, OcspSubject } from "./ocsp.ts";
export { MAX_OCSP_LENGTH, readOcspResponse } from "./ocsp-response.ts";
export type { OcspAnswer, OcspFailure, OcspResponse, OcspSingle, OcspStatus } from "./ocsp-response.ts";
export type { OcspResponder, ResponderId } from "./ocsp-responder.ts";
