/** Every authority whose clients' certificates are known for what they are: the plant's own, and those that the site document names. */
import { createHash, X509Certificate } from "node:crypto";
import type { IssuingAuthority } from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";

/** Pure. An outside authority never takes the name of one of the plant's: it is then left out, and what it issued is refused. */
export function issuingAuthorities(
  plant: readonly IssuingAuthority[],
  { trust }: Pick<Snapshot, "trust">,
): IssuingAuthority[] {
  const taken = new Set(plant.map(({ name }) => name));
  const outside = trust.authorities
    .filter(({ name }) => !taken.has(name))
    .map(({ name, certificate, tenant, tier }) => ({
      name,
      certificate,
      fingerprint: createHash("sha256").update(new X509Certificate(certificate).raw).digest("hex"),
      tenant,
      tier,
    }));
  return [...plant, ...outside];
}
