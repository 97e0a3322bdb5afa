/** The names a laptop asks for: those it was told, and at a renewal exactly those it has (RFC 7030, section 4.2.2). */
import { makeName, readCertificate, readSubjectAltName } from "../x509/index.ts";
import type { RequestNames } from "./laptop-key.ts";

const DEVICE = "urn:niac:device:";

/** `user` null: whoever approves says whose laptop it is. */
export function firstNames(user: string | null, device: string): RequestNames {
  return {
    subject: makeName(user === null ? [] : [["CN", user]]),
    altNames: [{ uri: DEVICE + encodeURIComponent(device) }],
  };
}

/** `certificate`: DER of the current one. */
export function sameNames(certificate: Uint8Array): RequestNames {
  const read = readCertificate(certificate);
  const { dns, ip, uri, email } = readSubjectAltName(read);
  return {
    subject: read.subjectDer,
    altNames: [
      ...dns.map((each) => ({ dns: each })),
      ...ip.map((each) => ({ ip: each })),
      ...uri.map((each) => ({ uri: each })),
      ...email.map((each) => ({ email: each })),
    ],
  };
}
