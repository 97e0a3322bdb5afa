/** The names in requests: whether they are those of the certificate that is renewed, and the device they speak of. Pure. */
import {
  EXTENSION,
  nameText,
  altNamesText,
  type Certificate,
  type CertificationRequest,
} from "../x509/index.ts";

const DEVICE = /^urn:niac:device:(.+)$/i;

/**
 * What differs between a request and the certificate it is to follow, in words; null: nothing. RFC 7030, section 4.2.2, wants
 * both names alike. Text is compared and not its encoding, which clients choose; a request that names nothing asks for nothing else.
 */
export function differenceOf(request: CertificationRequest, certificate: Certificate): string | null {
  const [asked, held] = [nameText(request.subject), nameText(certificate.subject)];
  if (asked !== "" && asked !== held)
    return `it asks for the name ${asked}, and the certificate says ${held}`;
  const wanted = altNamesText(request);
  const there = altNamesText(certificate);
  if (wanted.length === 0) return null;
  const more = wanted.filter((name) => !there.includes(name));
  if (more.length > 0) return `it asks for ${more.join(", ")}, which the certificate does not have`;
  const less = there.filter((name) => !wanted.includes(name));
  return less.length > 0 ? `it leaves out ${less.join(", ")}, which the certificate has` : null;
}

/** The same key without any name: what the certificate says is decided elsewhere. */
export function withoutNames(request: CertificationRequest): CertificationRequest {
  return {
    ...request,
    subject: [],
    subjectDer: EMPTY_NAME,
    altNames: { dns: [], ip: [], uri: [], email: [], others: 0 },
    extensionRequests: request.extensionRequests.filter(({ oid }) => oid !== EXTENSION.subjectAltName),
  };
}

/** An empty SEQUENCE. */
const EMPTY_NAME = Uint8Array.of(0x30, 0);

/** The one device that a request names by `urn:niac:device:`; null: none, or it cannot be told. */
export function deviceIn({ altNames: { uri } }: CertificationRequest): string | null {
  const [device, ...more] = uri.flatMap((name) => DEVICE.exec(name)?.[1] ?? []);
  if (device === undefined || more.length > 0) return null;
  try {
    return decodeURIComponent(device);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
