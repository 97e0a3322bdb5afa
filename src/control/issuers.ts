/** Every authority whose clients' certificates are known for what they are: the plant's own, those of the site document, those of the settings' files. */
import { createHash, X509Certificate } from "node:crypto";
import type { IssuingAuthority, RevocationVerdict } from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";
import { pemToDer } from "../x509/index.ts";

/** Begins the names of authorities from NIAC_TLS_CLIENT_CA. */
const FROM_FILE = "NIAC_TLS_CLIENT_CA";

/**
 * Pure. An outside authority never takes the name of one of the plant's: it is then left out, and what it issued is refused. Where neither
 * the plant nor the site document has one the list is empty, and the file alone says whose clients are let in; else the file's authorities
 * are on it too, so that making an authority locks nobody out. `file`: PEM, null where there is none.
 */
export function issuingAuthorities(
  plant: readonly IssuingAuthority[],
  { trust }: Pick<Snapshot, "trust">,
  file: string | null,
): IssuingAuthority[] {
  const taken = new Set(plant.map(({ name }) => name));
  const outside = trust.authorities
    .filter(({ name }) => !taken.has(name))
    .map(({ name, certificate, tenant, tier }) => ({
      name,
      certificate,
      fingerprint: fingerprintOf(new X509Certificate(certificate)),
      tenant,
      tier,
      outside: true,
    }));
  const listed = [...plant, ...outside];
  if (listed.length === 0 || file === null) return listed;
  const above = trust.authorities.flatMap((one) =>
    one.above.map((pem) => fingerprintOf(new X509Certificate(pem))),
  );
  const known = new Set([...listed.map(({ fingerprint }) => fingerprint), ...above]);
  const others = pemToDer(file)
    .map((der) => new X509Certificate(der))
    .filter((certificate) => !known.has(fingerprintOf(certificate)))
    .map((certificate) => {
      const fingerprint = fingerprintOf(certificate);
      const name = `${FROM_FILE} ${fingerprint.slice(0, 16)}`;
      return {
        name,
        certificate: certificate.toString(),
        fingerprint,
        tenant: null,
        tier: null,
        outside: true,
      };
    });
  return [...listed, ...others];
}

/** Of the file's authorities it is not known what they revoked, now as before there was a list. Null: it is another's. */
export function fileVerdict({ authority }: { readonly authority: string | null }): RevocationVerdict | null {
  return authority?.startsWith(`${FROM_FILE} `) === true ? { refusal: null, grace: null } : null;
}

function fingerprintOf(certificate: X509Certificate): string {
  return createHash("sha256").update(certificate.raw).digest("hex");
}
