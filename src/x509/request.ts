/**
 * Requests for a certificate: PKCS#10 (RFC 2986), signed with the key that they ask a certificate for.
 *
 *     CertificationRequest     = SEQUENCE { CertificationRequestInfo, signatureAlgorithm, signature BIT STRING }
 *     CertificationRequestInfo = SEQUENCE { version 0, subject, subjectPublicKeyInfo, [0] SET OF Attribute }
 *     Attribute                = SEQUENCE { type, SET OF value }
 */
import { PeerError } from "../base/index.ts";
import { DerReader, oidText, only, TAG } from "./der.ts";
import { doubled, readExtensions, readSubjectAltName, type Extension } from "./extension.ts";
import type { AltNames } from "./general-name.ts";
import { kindOf, publicKeyFrom, readPublicKey, type KeyKind } from "./keys.ts";
import { readName, type Name } from "./name.ts";
import { textOf } from "./name-text.ts";
import { readSigned, signatureMatches } from "./signature.ts";

export interface CertificationRequest extends KeyKind {
  /** The request as it came. */
  readonly der: Uint8Array;
  readonly subject: Name;
  readonly subjectDer: Uint8Array;
  /** DER of the SubjectPublicKeyInfo, whose key signed the request. */
  readonly publicKeyInfo: Uint8Array;
  readonly altNames: AltNames;
  /** Each at most once. */
  readonly extensionRequests: readonly Extension[];
  /** All of them, each type once. */
  readonly attributes: readonly RequestAttribute[];
  /** RFC 2985, section 5.4.1. */
  readonly challengePassword: string | null;
}

export interface RequestAttribute {
  readonly oid: string;
  /** DER of each value. */
  readonly values: readonly Uint8Array[];
}

/** Attributes of RFC 2985, sections 5.4.1 and 5.4.2. */
export const ATTRIBUTE = {
  challengePassword: "1.2.840.113549.1.9.7",
  extensionRequest: "1.2.840.113549.1.9.14",
} as const;

export const MAX_REQUEST_LENGTH = 65_536;
const MAX_CHALLENGE_LENGTH = 255;
const ADVICE = "Make the request anew: niac enroll, or openssl req -new.";

/**
 * Reads the request and verifies that its sender holds the key. Throws a PeerError: `request-too-large`, `request-malformed`,
 * `request-version`, `request-attribute-twice`, `request-extension-twice`, `request-challenge`, `request-key` (OpenSSL cannot use
 * it) or `request-signature`. What the request asks for is not judged here, a weak key neither.
 */
export function readRequest(der: Uint8Array): CertificationRequest {
  if (der.length > MAX_REQUEST_LENGTH) {
    const limit = `${MAX_REQUEST_LENGTH} are taken at most`;
    throw refuse("request-too-large", `the certificate request has ${der.length} bytes, ${limit}`);
  }
  try {
    return read(der);
  } catch (error) {
    // The readers of DER know what is wrong with it, and nothing of requests.
    if (!(error instanceof PeerError) || error.code.startsWith("request-")) throw error;
    const message = `the certificate request cannot be read: ${error.message}`;
    throw new PeerError("request-malformed", message, ADVICE, { cause: error });
  }
}

function read(der: Uint8Array): CertificationRequest {
  const signed = readSigned(der, "the request");
  const info = new DerReader(only(signed.tbs, TAG.sequence, "the signed part"));
  const version = info.take(TAG.integer, "the version");
  if (version.length !== 1 || version[0] !== 0) {
    throw refuse("request-version", "the certificate request is not of version 1");
  }
  const subjectDer = info.any("the subject's name").whole;
  const publicKeyInfo = info.any("the public key").whole;
  const attributes = readAttributes(info.take(0xa0, "the attributes"));
  info.finish("the signed part");

  const kind = kindOf(readPublicKey(publicKeyInfo));
  if (!signatureMatches(signed, keyOf(publicKeyInfo))) {
    throw refuse(
      "request-signature",
      "the certificate request is not signed with the key that it asks a certificate for",
    );
  }
  const extensionRequests = readExtensionRequests(attributes);
  return {
    ...kind,
    der,
    subject: readName(subjectDer, "the subject's name"),
    subjectDer,
    publicKeyInfo,
    altNames: readSubjectAltName({ extensionRequests }),
    extensionRequests,
    attributes,
    challengePassword: readChallenge(attributes),
  };
}

function readAttributes(content: Uint8Array): RequestAttribute[] {
  const list = new DerReader(content);
  const attributes: RequestAttribute[] = [];
  const seen = new Set<string>();
  while (!list.done) {
    const fields = new DerReader(list.take(TAG.sequence, "an attribute"));
    const oid = oidText(fields.take(TAG.oid, "an attribute"));
    const set = new DerReader(fields.take(TAG.set, `attribute ${oid}`));
    fields.finish(`attribute ${oid}`);
    const values: Uint8Array[] = [];
    while (!set.done) values.push(set.any(`attribute ${oid}`).whole);
    if (seen.has(oid))
      throw refuse("request-attribute-twice", `the certificate request has attribute ${oid} twice`);
    seen.add(oid);
    attributes.push({ oid, values });
  }
  return attributes;
}

/** The one value of an attribute that has one; null: there is no such attribute. */
function valueOf(attributes: readonly RequestAttribute[], oid: string): Uint8Array | null {
  const attribute = attributes.find((each) => each.oid === oid);
  if (attribute === undefined) return null;
  const [value] = attribute.values;
  if (value !== undefined && attribute.values.length === 1) return value;
  const count = attribute.values.length;
  throw refuse(
    "request-attribute-twice",
    `the certificate request has ${count} values of attribute ${oid}, not one`,
  );
}

function readExtensionRequests(attributes: readonly RequestAttribute[]): Extension[] {
  const value = valueOf(attributes, ATTRIBUTE.extensionRequest);
  if (value === null) return [];
  const extensions = readExtensions(value, "the requested extensions");
  const twice = doubled(extensions);
  if (twice !== null) {
    throw refuse("request-extension-twice", `the certificate request asks for extension ${twice} twice`);
  }
  return extensions;
}

function readChallenge(attributes: readonly RequestAttribute[]): string | null {
  const value = valueOf(attributes, ATTRIBUTE.challengePassword);
  if (value === null) return null;
  const reader = new DerReader(value);
  const text = textOf(reader.any("the challenge password"));
  reader.finish("the challenge password");
  // Its value never stands in a message: it may be an enrolment code.
  if (text !== null && text.length > 0 && text.length <= MAX_CHALLENGE_LENGTH) return text;
  const limit = `a text of 1 to ${MAX_CHALLENGE_LENGTH} characters`;
  throw refuse("request-challenge", `the challenge password of the certificate request is not ${limit}`);
}

function keyOf(publicKeyInfo: Uint8Array) {
  try {
    return publicKeyFrom(publicKeyInfo);
  } catch (error) {
    const message = "the certificate request asks a certificate for a key that OpenSSL cannot use";
    throw new PeerError("request-key", message, ADVICE, { cause: error });
  }
}

function refuse(code: string, message: string): PeerError {
  return new PeerError(code, message, ADVICE);
}
