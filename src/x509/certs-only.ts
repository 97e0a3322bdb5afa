/**
 * Certificates and nothing else in a CMS message (RFC 5652, section 5; RFC 7030, section 4.1.3): how EST sends them.
 *
 *     ContentInfo = SEQUENCE { signedData, [0] SEQUENCE { version 1, SET {} of digests, SEQUENCE { data },
 *                                                         [0] certificates, [1] revocation lists, SET {} of signers } }
 */
import { PeerError } from "../base/index.ts";
import { DerReader, oidText, only, TAG } from "./der.ts";
import { integer, oid, sequence, set, tagged } from "./der-writer.ts";

const SIGNED_DATA = "1.2.840.113549.1.7.2";
const DATA = "1.2.840.113549.1.7.1";
const CERTIFICATES = 0xa0;
const LISTS = 0xa1;
/** Room for 64 certificates of the longest kind. */
export const MAX_CERTS_ONLY_LENGTH = 1_048_576;
const MAX_CERTIFICATES = 64;

/** The certificates keep their order: some clients take the first, though as a set they have none. */
export function makeCertsOnly(certificates: readonly Uint8Array[]): Buffer {
  const signedData = sequence(
    integer(1),
    set(),
    sequence(oid(DATA)),
    ...(certificates.length === 0 ? [] : [tagged(CERTIFICATES, ...certificates)]),
    set(),
  );
  return sequence(oid(SIGNED_DATA), tagged(0xa0, signedData));
}

/**
 * The DER of each certificate, none of them read yet; revocation lists that come along are passed over. Throws a PeerError
 * `certs-only-too-large` or `certs-only-malformed`.
 */
export function readCertsOnly(der: Uint8Array): Buffer[] {
  if (der.length > MAX_CERTS_ONLY_LENGTH) {
    const limit = `${MAX_CERTS_ONLY_LENGTH} are taken at most`;
    throw new PeerError(
      "certs-only-too-large",
      `the answer with certificates has ${der.length} bytes, ${limit}`,
    );
  }
  try {
    return read(der);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    const message = `the answer with certificates cannot be read: ${error.message}`;
    throw new PeerError("certs-only-malformed", message, undefined, { cause: error });
  }
}

function read(der: Uint8Array): Buffer[] {
  const content = new DerReader(only(der, TAG.sequence, "the message"));
  expectType(content, SIGNED_DATA);
  const fields = new DerReader(only(content.take(0xa0, "the content"), TAG.sequence, "the signed data"));
  content.finish("the message");
  const version = fields.take(TAG.integer, "the version");
  if (version.length !== 1 || version[0] !== 1) throw new PeerError("version", "its version is not 1");
  expectEmpty(fields, "the digest algorithms");
  const inner = new DerReader(fields.take(TAG.sequence, "the inner content"));
  expectType(inner, DATA);
  inner.finish("the inner content");
  const list = new DerReader(fields.optional(CERTIFICATES, "the certificates") ?? new Uint8Array());
  fields.optional(LISTS, "the revocation lists");
  expectEmpty(fields, "the signers");
  fields.finish("the signed data");

  const certificates: Buffer[] = [];
  while (!list.done) {
    const { tag, whole } = list.any("a certificate");
    if (tag !== TAG.sequence) throw new PeerError("der-tag", "a certificate is none of X.509");
    certificates.push(Buffer.from(whole));
    if (certificates.length > MAX_CERTIFICATES) {
      throw new PeerError("count", `it has more than ${MAX_CERTIFICATES} certificates`);
    }
  }
  return certificates;
}

function expectType(reader: DerReader, type: string): void {
  const found = oidText(reader.take(TAG.oid, "the content's type"));
  if (found !== type)
    throw new PeerError("content-type", `the content's type is ${found} instead of ${type}`);
}

function expectEmpty(reader: DerReader, what: string): void {
  if (reader.take(TAG.set, what).length > 0) {
    throw new PeerError("not-empty", `${what} are not empty: it is signed and not certificates alone`);
  }
}
