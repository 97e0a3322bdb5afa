import { X509Certificate } from "node:crypto";
import { PeerError } from "../base/index.ts";
import { refuse } from "./refusal.ts";

/** An authority that issues clients' certificates, and whom it stands for. */
export interface TenantAuthority {
  readonly name: string;
  readonly certificate: X509Certificate;
  /** Null: the plant itself. */
  readonly tenant: string | null;
  /** The tier of all it issued, whatever they claim; null: what they claim. */
  readonly tier: string | null;
}

/**
 * The authority whose key signed the leaf, with its tenant and tier. Never told by names, since tenant A's authority can call one of
 * its intermediates by the name of tenant B's; and an issuer that is not listed is a refusal rather than no tenant, since
 * a forbid for a tenant must not be escaped from through an intermediate that nobody thought of.
 */
export function issuerOf(leaf: Uint8Array, authorities: readonly TenantAuthority[]): TenantAuthority {
  const certificate = parsed(leaf);
  const issuers = authorities.filter((authority) => issued(authority.certificate, certificate));
  const [issuer] = issuers;
  if (issuer === undefined) {
    throw refuse(
      "tenant-unknown",
      "was issued by an authority that no tenant is named for",
      "Ask the plant admin to name the tenant of this issuing authority.",
    );
  }
  if (issuers.some(({ tenant, tier }) => tenant !== issuer.tenant || tier !== issuer.tier)) {
    throw refuse(
      "tenant-ambiguous",
      "was issued by a key that stands for two tenants or tiers",
      "Tell the plant admin: two tenants or tiers share one authority's key.",
    );
  }
  return issuer;
}

/** By name and by signature. OpenSSL throws for a key it cannot use. */
function issued(authority: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
  } catch {
    return false;
  }
}

function parsed(leaf: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(leaf);
  } catch (error) {
    throw new PeerError("openssl", "OpenSSL does not take it for a certificate", undefined, { cause: error });
  }
}
