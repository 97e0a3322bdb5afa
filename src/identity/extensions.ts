import { EXTENSION, type Certificate } from "../x509/index.ts";
import { refuse } from "./refusal.ts";

/** Refuses what implementations disagree on, two of a kind, and what says "refuse me if you do not know me". */
export function checkExtensions(certificate: Certificate): void {
  const seen = new Set<string>();
  for (const { oid, critical } of certificate.extensions) {
    if (seen.has(oid)) throw twice(oid);
    seen.add(oid);
    // OpenSSL knows the arc of RFC 5280 and has refused what it does not know of it; it refuses a critical role as well.
    if (critical && !oid.startsWith("2.5.29.")) {
      throw refuse(
        "critical-extension",
        `marks extension ${oid} as critical, which no TLS library lets pass`,
        "Ask the plant admin for a certificate with this extension not critical.",
      );
    }
  }
}

function twice(oid: string) {
  if (oid === EXTENSION.role) {
    return refuse(
      "role-twice",
      "has more than one role extension, so its role cannot be told (MODBUS/TCP Security, R-22)",
      "Ask the plant admin for a certificate with one role.",
    );
  }
  return refuse(
    "extension-twice",
    `has extension ${oid} more than once (RFC 5280, section 4.2)`,
    "Ask the plant admin for a certificate made by the rules.",
  );
}
