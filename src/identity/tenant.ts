import { X509Certificate } from "node:crypto";
import { PeerError } from "../base/index.ts";
import { refuse } from "./refusal.ts";

/** An authority that issues clients' certificates, and whom it stands for; null: the plant itself. */
export interface TenantAuthority {
  readonly certificate: X509Certificate;
  readonly tenant: string | null;
}

/**
 * The tenant of the authority whose key signed the leaf. Never told by names, since tenant A's authority can call one of
 * its intermediates by the name of tenant B's; and an issuer that is not listed is a refusal rather than no tenant, since
 * a forbid for a tenant must not be escaped from through an intermediate that nobody thought of.
 */
export function tenantOf(leaf: Uint8Array, authorities: readonly TenantAuthority[]): string | null {
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
  if (issuers.some(({ tenant }) => tenant !== issuer.tenant)) {
    throw refuse(
      "tenant-ambiguous",
      "was issued by a key that stands for two tenants",
      "Tell the plant admin: two tenants share one authority's key.",
    );
  }
  return issuer.tenant;
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
