import { createHash } from "node:crypto";
import { PeerError } from "../base/index.ts";
import { nameText, readCertificate, whoText, type Certificate } from "../x509/index.ts";
import { checkKey, checkSignature, checkUsage, checkValidity } from "./checks.ts";
import { readClaims } from "./claims.ts";
import { checkExtensions } from "./extensions.ts";
import type { Identity, Refusal } from "./identity.ts";
import type { Peer } from "./peer.ts";
import { issuerOf, type TenantAuthority } from "./tenant.ts";
import { verdictOn } from "./verdict.ts";

export interface IdentityOptions {
  /** Every authority that issues clients' certificates, each with its tenant and tier. Without: no identity has a tenant. */
  readonly tenants?: readonly TenantAuthority[];
}

/**
 * Who the client is, or why it is nobody. Never throws for what a client sent. `now`: milliseconds since the epoch; the
 * outcome holds for this moment and is not to be kept for another.
 */
export function readIdentity(peer: Peer, now: number, options: IdentityOptions = {}): Identity | Refusal {
  const { leaf } = peer;
  if (leaf === null) {
    return {
      code: "no-certificate",
      reason: "The client presented no certificate.",
      advice:
        "Configure the client with a certificate and key that the plant's authority issued (niac enroll).",
      presented: null,
    };
  }
  const fingerprint = createHash("sha256").update(leaf).digest("hex");
  let certificate: Certificate | null = null;
  try {
    certificate = readCertificate(leaf);
    const said = identify(certificate, peer, now);
    return { ...said, ...issued(leaf, said.tier, options), fingerprint };
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return refusal(error, certificate, fingerprint);
  }
}

function identify(
  certificate: Certificate,
  peer: Peer,
  now: number,
): Omit<Identity, "tenant" | "authority" | "fingerprint"> {
  const verdict = verdictOn(certificate, peer, now);
  if (verdict?.plain === true) throw verdict.refusal;
  checkValidity(certificate, now);
  checkExtensions(certificate);
  checkUsage(certificate);
  checkKey(certificate);
  checkSignature(certificate);
  const claims = readClaims(certificate);
  if (verdict !== null) throw verdict.refusal;
  const { serialNumber, notBefore, notAfter } = certificate;
  return {
    kind: "certificate",
    ...claims,
    issuer: nameText(certificate.issuer),
    serialNumber,
    notBefore,
    notAfter,
  };
}

/** What the issuer says of all it issued. */
function issued(
  leaf: Uint8Array,
  claimed: string | null,
  { tenants }: IdentityOptions,
): Pick<Identity, "authority" | "tenant" | "tier"> {
  if (tenants === undefined) return { authority: null, tenant: null, tier: claimed };
  const { name, tenant, tier } = issuerOf(leaf, tenants);
  return { authority: name, tenant, tier: tier ?? claimed };
}

function refusal(error: PeerError, certificate: Certificate | null, fingerprint: string): Refusal {
  const subject = certificate === null ? "" : nameText(certificate.subject);
  const serialNumber = certificate?.serialNumber ?? "";
  const presented = { subject, serialNumber, fingerprint };
  const of = certificate === null || subject === "" ? "" : ` of ${whoText(certificate.subject)}`;
  // The readers of bytes know what is wrong with them, and have no advice.
  if (error.advice === undefined) {
    return {
      code: "malformed-certificate",
      reason: `The certificate${of} cannot be read: ${error.message}.`,
      advice: "Ask the plant admin for a certificate in strict DER (X.690) as RFC 5280 asks for.",
      presented,
    };
  }
  return {
    code: error.code,
    reason: `The certificate${of} ${error.message}.`,
    advice: error.advice,
    presented,
  };
}
