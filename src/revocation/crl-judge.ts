/** Whether a revocation list is taken in place of the one held. Pure but for checking the signature. */
import { PeerError } from "../base/index.ts";
import { nameText, type Certificate, type CertificateList } from "../x509/index.ts";
import type { HeldList } from "./crl-store.ts";
import { timeText } from "./outside-verdict.ts";

/** Somebody whose list it may be. */
export interface ListIssuer<Signer = Certificate> {
  /** SHA-256 of its certificate, hexadecimal. */
  readonly issuer: string;
  /** In words for people. */
  readonly name: string;
  /** Who may sign its lists: itself, then those of the same name above it (a key that was rolled over). */
  readonly signers: readonly Signer[];
  /** What its list is asked about: certificates of people and devices, or of the authorities beneath it. */
  readonly covers: "users" | "authorities";
  readonly held: HeldList | null;
}

export interface Judged {
  readonly issuer: string;
  /** To be laid over the complete list held. */
  readonly delta: boolean;
  /** The list is the one held, and nothing is to be done. */
  readonly same: boolean;
}

/** Milliseconds by which an authority's clock may run ahead of this one. */
export const LEEWAY = 5 * 60_000;

/**
 * Throws a PeerError with the reason where it is not taken (RFC 5280, sections 5.2 and 6.3.3): nobody's here, a signature that is not the
 * authority's, a scope that leaves certificates out, older than the one held, of the future, without an end, a delta to another base.
 * One that has run out is taken where it is newer than the one held: what it revokes is revoked. `hash`: SHA-256 of its DER, hexadecimal.
 * `now`: the later of the clock and the latest time known.
 */
export function judge(
  list: CertificateList,
  hash: string,
  issuers: readonly ListIssuer[],
  now: number,
): Judged {
  const issuer = signerOf(list, issuers);
  checkScope(list, issuer);
  checkTimes(list, issuer, now);
  const { held, name } = issuer;
  const delta = list.deltaBase !== null;
  if (delta) checkBase(list, issuer);
  const judged = { issuer: issuer.issuer, delta, same: false };
  if (held === null) return judged;
  if (hash === held.hash || hash === held.baseHash) return { ...judged, same: true };
  if (list.thisUpdate < held.thisUpdate) {
    const dates = `made on ${timeText(list.thisUpdate)}, before the one held (${timeText(held.thisUpdate)})`;
    throw new PeerError("crl-older", `the revocation list of ${name} was ${dates}`, OLDER_ADVICE);
  }
  checkNumber(list, issuer, held, delta);
  return judged;
}

const OLDER_ADVICE =
  "Fetch the authority's latest list. If this is the latest, its numbering was set back: it has to issue one with a higher number.";

function signerOf(list: CertificateList, issuers: readonly ListIssuer[]): ListIssuer {
  const named = issuers.filter(({ signers }) => signers.some((signer) => sameName(list, signer)));
  if (named.length === 0) {
    throw new PeerError(
      "crl-issuer",
      `the revocation list is of ${nameText(list.issuer)}, not of ${issuers.map(({ name }) => name).join(" or ")}`,
      "Fetch the list of an authority that the site document names under trust.",
    );
  }
  const made = named.find(({ signers }) =>
    signers.some((signer) => sameName(list, signer) && list.verify(signer)),
  );
  if (made !== undefined) return made;
  throw new PeerError(
    "crl-signature",
    `the revocation list bears the name of ${named[0]!.name}, but that authority's key did not sign it, or may not sign lists`,
    "Fetch the list again from the authority; a list that was changed on its way fails so too.",
  );
}

function sameName(list: CertificateList, signer: Certificate): boolean {
  return Buffer.from(list.issuerDer).equals(signer.subjectDer);
}

/** A list that leaves certificates out says nothing of those (RFC 5280, section 5.2.5). */
function checkScope(
  { issuingDistributionPoint: scope }: CertificateList,
  { name, covers }: ListIssuer,
): void {
  if (scope === null) return;
  const wrong = [
    [scope.onlyUser && covers === "authorities", "users' certificates only"],
    [scope.onlyCa && covers === "users", "authorities' certificates only"],
    [scope.onlyAttribute, "attribute certificates only"],
    [scope.onlySomeReasons, "some reasons of revocation only"],
    [scope.indirect, "certificates of several authorities (indirect)"],
  ] as const;
  const found = wrong.find(([applies]) => applies);
  if (found === undefined) return;
  throw new PeerError(
    "crl-scope",
    `the revocation list of ${name} is for ${found[1]}`,
    "Give the address of the authority's complete list.",
  );
}

function checkTimes({ thisUpdate, nextUpdate }: CertificateList, { name }: ListIssuer, now: number): void {
  if (thisUpdate > now + LEEWAY) {
    throw new PeerError(
      "crl-future",
      `the revocation list of ${name} was made on ${timeText(thisUpdate)}, which is still to come`,
      "Check this appliance's clock, then the authority's.",
    );
  }
  if (nextUpdate === null || nextUpdate < thisUpdate) {
    throw new PeerError(
      "crl-next-update",
      `the revocation list of ${name} does not say until when it is good`,
      "The authority has to issue lists with the time of the next one (RFC 5280, section 5.1.2.5).",
    );
  }
}

function checkBase({ deltaBase, number }: CertificateList, { name, held }: ListIssuer): void {
  if (number !== null && held !== null && held.baseNumber === deltaBase) return;
  const has = held === null ? "none is held" : `${numberText(held.baseNumber)} is held`;
  throw new PeerError(
    "crl-delta-base",
    `the delta of ${name} is to its list ${numberText(deltaBase)}, and ${has}`,
    "Bring the complete list first.",
  );
}

/** A number says which of two lists is newer; without numbers, their dates do. */
function checkNumber(list: CertificateList, { name }: ListIssuer, held: HeldList, delta: boolean): void {
  const { number } = list;
  if (held.number !== null && (number === null || number < held.number)) {
    const numbers = `${numberText(number)}, and ${numberText(held.number)} is held`;
    throw new PeerError("crl-older", `the revocation list of ${name} has ${numbers}`, OLDER_ADVICE);
  }
  // A complete list and a delta made together have one number (RFC 5280, section 5.2.3).
  const overDelta = !delta && held.number !== held.baseNumber;
  const twice = number === null ? list.thisUpdate === held.thisUpdate : number === held.number && !overDelta;
  if (!twice) return;
  throw new PeerError(
    "crl-same-number",
    `the authority ${name} has signed two different lists with ${number === null ? "one date" : numberText(number)}`,
    "The one held stays. Ask the authority which is right; it has to issue one with a higher number.",
  );
}

function numberText(number: bigint | null): string {
  return number === null ? "no number" : `number ${number}`;
}
