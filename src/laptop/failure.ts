/** What went wrong between laptop and appliance, in words for the person at the laptop. */
import { messageOf, NiacError, PeerError, systemCode, UnavailableError, UsageError } from "../base/index.ts";
import type { OwnCertificate } from "./credentials.ts";

export interface Circumstances {
  /** `host:port` that was dialled. */
  readonly where: string;
  /** The name the certificate must carry. */
  readonly appliance: string;
  readonly own: OwnCertificate;
  /** The certificate the other side showed, where it came to that. */
  readonly seen: SeenCertificate | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface SeenCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** As X509Certificate has it, e.g. `DNS:box.example, IP Address:192.0.2.1`. */
  readonly names: string;
}

/** What OpenSSL reports of a peer's alert (RFC 8446, section 6.2): `ERR_SSL_..._ALERT_UNKNOWN_CA`. */
const ALERT = /ALERT_([A-Z_]+)$/;
const UNTRUSTED = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_SIGNATURE_FAILURE",
]);
const OUT_OF_TIME = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"]);
const NO_NIAC = "no_application_protocol";

/** An error of a TLS connection to the appliance, explained. What is explained already stays as it is. */
export function explainFailure(error: unknown, about: Circumstances): NiacError {
  if (error instanceof NiacError) return error;
  const code = systemCode(error);
  const alert = ALERT.exec(code)?.[1]?.toLowerCase();
  if (alert === NO_NIAC) {
    return new PeerError("not-niac", `${about.where} offers no such service to a laptop`, NOT_NIAC);
  }
  if (alert !== undefined) return refusedCertificate(`the alert "${alert.replaceAll("_", " ")}"`, about);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return wrongName(about);
  if (UNTRUSTED.has(code)) return untrusted(about);
  if (OUT_OF_TIME.has(code)) {
    return new PeerError(
      "appliance-certificate",
      `the certificate of ${about.where}${of(about.seen)} ${code === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet"}`,
      "Look at this computer's clock; if it is right, the plant admin renews the appliance's certificate.",
    );
  }
  if (code.startsWith("ERR_SSL_")) {
    return new PeerError(
      "handshake",
      `the TLS handshake with ${about.where} failed: ${messageOf(error)}`,
      NOT_NIAC,
    );
  }
  return new UnavailableError(
    "unreachable",
    `${about.where} cannot be reached (${code || messageOf(error)})`,
    ADVICE[code] ?? "Look at the network between here and the appliance.",
  );
}

/** The appliance judges a certificate after the TLS handshake, and answers a refused one with nothing. */
export function closedUnanswered(about: Circumstances): NiacError {
  return refusedCertificate("nothing: it closed the connection", about);
}

export const NOT_NIAC =
  "Is --via the appliance's address for services (NIAC_LISTEN_SERVICES, port 8443 by default)?";

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Nothing listens there: look at the port of --via, and whether the appliance runs.",
  ENOTFOUND: "No such name: look at --via.",
  EAI_AGAIN: "The name service does not answer: look at the network, or give --via an address.",
};

function refusedCertificate(answer: string, { where, own, now }: Circumstances): NiacError {
  const outdated = now > own.notAfter ? "expired on" : now < own.notBefore ? "is not valid before" : null;
  const day = new Date(now > own.notAfter ? own.notAfter : own.notBefore).toISOString().slice(0, 10);
  return new UsageError(
    "certificate-refused",
    `${where} answered the certificate of ${own.subject} (serial number ${own.serialNumber}) with ${answer}`,
    outdated === null
      ? "It was most likely refused. The appliance's record has the reason: `niac audit query decision=denial`."
      : `This certificate ${outdated} ${day}: ask for a new one, or set this computer's clock.`,
  );
}

function untrusted({ where, own, seen }: Circumstances): NiacError {
  return new PeerError(
    "appliance-untrusted",
    `${where} showed a certificate${of(seen)} that no authority in ${own.caFile} issued${seen ? `; its issuer is "${seen.issuer}"` : ""}`,
    "If this is the right address, give --ca the authority of the appliance's certificate. If not, somebody else answers there.",
  );
}

function wrongName({ where, appliance, seen }: Circumstances): NiacError {
  return new PeerError(
    "appliance-name",
    `${where} showed a certificate${of(seen)} that is not for ${appliance}, but for ${seen?.names || "no name at all"}`,
    "If this is the right appliance, say its name as it stands in the certificate: --appliance <name>.",
  );
}

function of(seen: SeenCertificate | null): string {
  return seen === null ? "" : ` of "${seen.subject}"`;
}
