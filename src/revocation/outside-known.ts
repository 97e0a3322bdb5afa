import type { CrlStore } from "./crl-store.ts";
import type { OcspClient } from "./ocsp-client.ts";
import type { Trusted } from "./outside-trusted.ts";
import { GOOD, knownByList, together, type Known } from "./outside-verdict.ts";

/** What an authority's own list says of a certificate. */
export function ownList(
  store: CrlStore,
  { issuer, config }: Trusted,
  serialNumber: string,
  now: number,
): Known {
  return knownByList(store.held(issuer), store.find(issuer, serialNumber), now, config.name);
}

/** What lists say of the authorities above, as far as they were brought: one that was brought once is needed from then on. */
function aboveOf(store: CrlStore, { steps }: Trusted, now: number): Known[] {
  return steps.flatMap(({ above, aboveName, serialNumber }) => {
    const list = store.held(above);
    return list === null ? [] : [knownByList(list, store.find(above, serialNumber), now, aboveName)];
  });
}

/**
 * What is known of one certificate, from all who may know. A list that names it, or an authority above it, decides; a responder is asked where
 * the site document says so, and the list answers in its place where it is away. `now`: the later of the clock and the latest time known.
 */
export async function knownOf(
  authority: Trusted,
  serialNumber: string,
  { store, ocsp, now }: { readonly store: CrlStore; readonly ocsp: OcspClient; readonly now: () => number },
): Promise<Known> {
  const { revocation, ocspUrl } = authority.config;
  const above = aboveOf(store, authority, now());
  const listed = ownList(store, authority, serialNumber, now());
  const sure = together([listed, ...above]);
  if (sure.state === "revoked") return sure;
  if (revocation === "unchecked") return GOOD;
  if (revocation === "crl" || ocspUrl === null) return sure;
  const { known, away } = await ocsp.ask(authority, ocspUrl, serialNumber);
  return together([away ? either(known, listed) : known, ...above]);
}

/** The responder is away: the list knows, or it could be known for as long as either did. */
function either(known: Known, listed: Known): Known {
  if (listed.state === "good") return listed;
  if (known.state !== "unknown" || listed.state !== "unknown") return known;
  if (listed.knownUntil === null) return known;
  return { ...known, knownUntil: Math.max(known.knownUntil ?? 0, listed.knownUntil) };
}
