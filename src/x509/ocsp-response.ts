/**
 * Answers of an OCSP responder (RFC 6960, section 4.2), taken apart and not yet believed: see `verify`.
 *
 *     OCSPResponse      = SEQUENCE { status ENUMERATED, [0] SEQUENCE { basic, OCTET STRING { BasicOCSPResponse } } }
 *     BasicOCSPResponse = SEQUENCE { ResponseData, signatureAlgorithm, signature BIT STRING, [0] SEQUENCE OF Certificate }
 *     ResponseData      = SEQUENCE { [0] version, responderID, producedAt, SEQUENCE OF SingleResponse, [1] extensions }
 *     SingleResponse    = SEQUENCE { CertID, status, thisUpdate, [0] nextUpdate, [1] extensions }
 */
import { PeerError } from "../base/index.ts";
import type { Certificate } from "./certificate.ts";
import { reasonOf, type CrlReason } from "./crl-entry.ts";
import { DerReader, oidText, only, TAG, timeOf } from "./der.ts";
import { doubled, readExtensions, type Extension } from "./extension.ts";
import { MAX_NONCE_LENGTH, NONCE, readCertId, type OcspCertId } from "./ocsp.ts";
import { responderOf, type OcspResponder, type ResponderId } from "./ocsp-responder.ts";
import { type Signed, readSignedFields } from "./signature.ts";

export type OcspFailure = (typeof FAILURES)[number][1];
export type OcspResponse = OcspAnswer | { readonly status: OcspFailure };

export interface OcspAnswer {
  readonly status: "successful";
  /** Milliseconds since the epoch, here and below. */
  readonly producedAt: number;
  readonly responderId: ResponderId;
  readonly responses: readonly OcspSingle[];
  readonly nonce: Uint8Array | null;
  /** DER of the certificates that came along. */
  readonly certificates: readonly Buffer[];
  /**
   * Who signed it: the issuer itself, or a responder the issuer certified for that (section 4.2.2.2). Throws a PeerError where it is
   * neither: `ocsp-signature`, `ocsp-responder`. `now`: a delegated responder's certificate has to be valid then. Whether the answer
   * itself is fresh is the caller's to judge.
   */
  verify(issuer: Certificate, now: number): OcspResponder;
}

export interface OcspSingle {
  readonly certId: OcspCertId;
  readonly status: OcspStatus;
  readonly thisUpdate: number;
  /** Null: the responder always has newer. */
  readonly nextUpdate: number | null;
}

export type OcspStatus =
  | { readonly kind: "good" }
  | { readonly kind: "revoked"; readonly revokedAt: number; readonly reason: CrlReason }
  | { readonly kind: "unknown" };

export const MAX_OCSP_LENGTH = 131_072;
const MAX_RESPONSES = 64;
const MAX_CERTIFICATES = 8;
const BASIC = "1.3.6.1.5.5.7.48.1.1";
const FAILURES = [
  [1, "malformedRequest"],
  [2, "internalError"],
  [3, "tryLater"],
  [5, "sigRequired"],
  [6, "unauthorized"],
] as const;
const ADVICE = "Look at the OCSP responder, or use the authority's revocation list.";

/** Throws a PeerError `ocsp-too-large` or `ocsp-malformed`. */
export function readOcspResponse(der: Uint8Array): OcspResponse {
  if (der.length > MAX_OCSP_LENGTH) {
    const message = `the OCSP answer has ${der.length} bytes, ${MAX_OCSP_LENGTH} are taken at most`;
    throw new PeerError("ocsp-too-large", message, ADVICE);
  }
  try {
    return read(der);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    const message = `the OCSP answer cannot be read: ${error.message}`;
    throw new PeerError("ocsp-malformed", message, ADVICE, { cause: error });
  }
}

function read(der: Uint8Array): OcspResponse {
  const outer = new DerReader(only(der, TAG.sequence, "the answer"));
  const status = outer.take(TAG.enumerated, "the status");
  const field = outer.optional(0xa0, "the answer's body");
  outer.finish("the answer");
  if (status.length !== 1) throw new PeerError("ocsp-status", "its status is not one byte");
  if (status[0] !== 0) {
    const failure = FAILURES.find(([number]) => number === status[0]);
    if (failure === undefined || field !== null)
      throw new PeerError("ocsp-status", "its status is none of RFC 6960's");
    return { status: failure[1] };
  }
  if (field === null) throw new PeerError("ocsp-status", "it is successful and says nothing");
  const body = new DerReader(only(field, TAG.sequence, "the answer's body"));
  const type = oidText(body.take(TAG.oid, "the answer's type"));
  if (type !== BASIC) throw new PeerError("ocsp-type", `its type is ${type} and not the basic one`);
  const basic = body.take(TAG.octetString, "the answer's body");
  body.finish("the answer's body");
  return readBasic(basic);
}

function readBasic(der: Uint8Array): OcspAnswer {
  const fields = new DerReader(only(der, TAG.sequence, "the basic answer"));
  const signed = readSignedFields(fields);
  const list = fields.optional(0xa0, "the certificates");
  fields.finish("the basic answer");
  const certificates = list === null ? [] : readCertificates(list);
  const data = readData(signed);
  return {
    status: "successful",
    ...data,
    certificates,
    verify: (issuer, now) =>
      responderOf({ responderId: data.responderId, signed, certificates }, issuer, now),
  };
}

function readData({ tbs }: Signed): Omit<OcspAnswer, "status" | "certificates" | "verify"> {
  const data = new DerReader(only(tbs, TAG.sequence, "the signed part"));
  const version = data.optional(0xa0, "the version");
  if (version !== null)
    throw new PeerError("version", "its version is not 1, which is said by saying nothing");
  const { tag, content } = data.any("the responder's id");
  const responderId = readResponderId(tag, content);
  const producedAt = readTime(data, "the time of the answer");
  const list = new DerReader(data.take(TAG.sequence, "the answers"));
  const responses: OcspSingle[] = [];
  while (!list.done) {
    responses.push(readSingle(list.take(TAG.sequence, "an answer")));
    if (responses.length > MAX_RESPONSES) {
      throw new PeerError("ocsp-count", `it has more than ${MAX_RESPONSES} answers`);
    }
  }
  const nonce = nonceIn(readOptionalExtensions(data));
  data.finish("the signed part");
  return { producedAt, responderId, responses, nonce };
}

/** CHOICE { [1] Name, [2] OCTET STRING }, both explicit. */
function readResponderId(tag: number, content: Uint8Array): ResponderId {
  if (tag === 0xa1) {
    only(content, TAG.sequence, "the responder's name");
    return { name: content };
  }
  if (tag !== 0xa2) throw new PeerError("ocsp-responder-id", "the responder's id is of no known kind");
  const hash = only(content, TAG.octetString, "the responder's key");
  return { keyHash: Buffer.from(hash).toString("hex") };
}

function readSingle(content: Uint8Array): OcspSingle {
  const fields = new DerReader(content);
  const certId = readCertId(fields.any("the certificate's id").whole);
  const said = fields.any("the certificate's status");
  const status = readStatus(said.tag, said.content);
  const thisUpdate = readTime(fields, "the time of the status");
  const next = fields.optional(0xa0, "the time of the next status");
  readOptionalExtensions(fields);
  fields.finish("an answer");
  return {
    certId,
    status,
    thisUpdate,
    nextUpdate: next === null ? null : timeIn(next, "the time of the next status"),
  };
}

/** CHOICE { good [0] NULL, revoked [1] SEQUENCE { time, [0] reason ENUMERATED }, unknown [2] NULL }, all implicit. */
function readStatus(tag: number, content: Uint8Array): OcspStatus {
  if (tag === 0x80 && content.length === 0) return { kind: "good" };
  if (tag === 0x82 && content.length === 0) return { kind: "unknown" };
  if (tag !== 0xa1)
    throw new PeerError("ocsp-status", "a certificate's status is none of good, revoked, unknown");
  const fields = new DerReader(content);
  const revokedAt = readTime(fields, "the time of revocation");
  const reason = fields.optional(0xa0, "the reason");
  fields.finish("the revocation");
  return {
    kind: "revoked",
    revokedAt,
    reason: reason === null ? "unspecified" : reasonOf(only(reason, TAG.enumerated, "the reason")),
  };
}

/** [1]; those niac does not know may not be critical, here and there. */
function readOptionalExtensions(fields: DerReader): readonly Extension[] {
  const field = fields.optional(0xa1, "the extensions");
  if (field === null) return [];
  const extensions = readExtensions(field, "the extensions");
  const unknown = extensions.find(({ critical, oid }) => critical && oid !== NONCE);
  const refused = doubled(extensions) ?? unknown?.oid;
  if (refused === undefined) return extensions;
  throw new PeerError("ocsp-extension", `it has extension ${refused} twice, or critical and not known`);
}

function nonceIn(extensions: readonly Extension[]): Uint8Array | null {
  const extension = extensions.find(({ oid }) => oid === NONCE);
  if (extension === undefined) return null;
  const nonce = only(extension.value, TAG.octetString, "the nonce");
  if (nonce.length > 0 && nonce.length <= MAX_NONCE_LENGTH) return nonce;
  throw new PeerError("ocsp-nonce", `its nonce has ${nonce.length} bytes, not 1 to ${MAX_NONCE_LENGTH}`);
}

function readCertificates(field: Uint8Array): Buffer[] {
  const list = new DerReader(only(field, TAG.sequence, "the certificates"));
  const certificates: Buffer[] = [];
  while (!list.done) {
    certificates.push(Buffer.from(list.any("a certificate").whole));
    if (certificates.length > MAX_CERTIFICATES) {
      throw new PeerError("ocsp-count", `it has more than ${MAX_CERTIFICATES} certificates`);
    }
  }
  return certificates;
}

function readTime(fields: DerReader, what: string): number {
  return timeOf({ tag: TAG.generalizedTime, content: fields.take(TAG.generalizedTime, what) }, what);
}

function timeIn(content: Uint8Array, what: string): number {
  const fields = new DerReader(content);
  const time = readTime(fields, what);
  fields.finish(what);
  return time;
}
