/** Whether one of this authority's certificates is still good; from the database alone, so never stale. */
import type { CertificateInUse, RevocationVerdict } from "../link/index.ts";
import type { AuthorityStore } from "./store.ts";

const GOOD: RevocationVerdict = { refusal: null, grace: null };

/**
 * Null: it is not of this authority. A certificate that bears an authority's signature and is not in its book was made by somebody who
 * has the key, or after the backup that this appliance was restored from; neither is let in.
 */
export function verdictOf(store: AuthorityStore, certificate: CertificateInUse): RevocationVerdict | null {
  const { authority: said, serialNumber, fingerprint } = certificate;
  const found = store.byFingerprint(fingerprint);
  if (found === null) {
    const own = store.authorities.find((each) => each.name === said || each.fingerprint === said);
    if (own === undefined) return null;
    return refused(
      `the authority "${own.name}" has no record of the certificate ${serialNumber}`,
      "Enrol again. If this appliance was restored from a backup, that holds for all certificates issued after the backup.",
    );
  }
  if (found.revokedAt !== null) {
    return refused(
      `the certificate ${serialNumber} was revoked on ${day(found.revokedAt)} by ${found.revokedBy ?? "niac"}: ${found.reason ?? "no reason given"}`,
    );
  }
  const issuer = store.authority(found.authority);
  if (issuer !== null && store.stands(issuer)) return GOOD;
  const ended = issuer === null ? [] : [issuer, ...store.above(issuer)];
  const first = ended.find(({ state }) => state === "revoked" || state === "retired");
  return refused(
    `the certificate ${serialNumber} was issued by "${issuer?.name}", and "${first?.name}" was ${first?.state ?? "ended"}: ${first?.reason ?? "no reason given"}`,
  );
}

function refused(reason: string, advice = "Ask the plant admin why, and enrol again."): RevocationVerdict {
  return { refusal: { code: "revoked", reason, advice }, grace: null };
}

/** `2026-03-01 12:00 UTC`. */
function day(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
