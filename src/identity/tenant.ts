import { X509Certificate } from "node:crypto";
import { PeerError } from "../base/index.ts";
import type { Peer } from "./peer.ts";
import { refuse } from "./refusal.ts";

/** An authority and whom it stands for; null: the plant itself. */
export interface TenantAuthority {
  readonly certificate: X509Certificate;
  readonly tenant: string | null;
}

/**
 * The tenant of the nearest of `authorities` above the leaf. Followed by signatures, never by names: tenant A's authority
 * can call one of its intermediates by the name of tenant B's, and a client sends whatever certificates it likes. As it can
 * also leave some out, every authority the listener trusts has to be listed: no way up to one of them is a refusal.
 */
export function tenantOf(
  leaf: Uint8Array,
  peer: Peer,
  authorities: readonly TenantAuthority[],
): string | null {
  let at = parsed(leaf);
  for (let step = 0; step <= peer.sent.length; step++) {
    const above = authorities.filter(({ certificate }) => issued(certificate, at));
    const [nearest] = above;
    if (nearest !== undefined) {
      if (above.every(({ tenant }) => tenant === nearest.tenant)) return nearest.tenant;
      throw refuse(
        "tenant-ambiguous",
        "was issued by a key that stands for two tenants",
        "Tell the plant admin: two tenants share one authority's key.",
      );
    }
    const next = peer.sent.find((certificate) => issued(certificate, at));
    if (next === undefined) break;
    at = next;
  }
  throw refuse(
    "tenant-unknown",
    "leads to no authority that a tenant is known for",
    "Send the intermediate authorities along with the certificate, or ask the plant admin to name the tenant.",
  );
}

function parsed(leaf: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(leaf);
  } catch (error) {
    throw new PeerError("openssl", "OpenSSL does not take it for a certificate", undefined, { cause: error });
  }
}

/** By name, usage and signature. OpenSSL throws for a key it cannot read, and the certificates are the client's. */
function issued(authority: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
  } catch {
    return false;
  }
}
