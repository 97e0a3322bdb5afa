/** OpenSSL's verdict on the chain, in words for the person at the panel. */
import type { PeerError } from "../base/index.ts";
import { nameText, type Certificate } from "../x509/index.ts";
import { checkValidity } from "./checks.ts";
import type { Peer } from "./peer.ts";
import { refuse, type RefusalCode } from "./refusal.ts";

type Words = readonly [code: RefusalCode, what: string, advice: string];

const TRUST_ADVICE =
  "Use a certificate that the plant's authority issued; if there are intermediate authorities, send them along with it.";
const CHAIN_ADVICE = "Tell the plant admin: the certificates of the authorities need repair.";
const CRL_ADVICE =
  "Tell the plant admin: the authority's revocation list has to be renewed on this appliance.";

const VERDICTS: ReadonlyMap<string, Words> = new Map<string, Words>([
  ["DEPTH_ZERO_SELF_SIGNED_CERT", ["untrusted", "is self-signed: no authority vouches for it", TRUST_ADVICE]],
  [
    "SELF_SIGNED_CERT_IN_CHAIN",
    ["untrusted", "leads to a root authority that is not trusted here", TRUST_ADVICE],
  ],
  ["CERT_UNTRUSTED", ["untrusted", "leads to an authority that is not trusted for clients", TRUST_ADVICE]],
  ["CERT_REJECTED", ["untrusted", "leads to an authority that is rejected for clients", TRUST_ADVICE]],
  [
    "CERT_SIGNATURE_FAILURE",
    ["bad-signature", "bears a signature that its issuer did not make", TRUST_ADVICE],
  ],
  [
    "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
    ["bad-signature", "bears a signature that its issuer did not make", TRUST_ADVICE],
  ],
  [
    "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
    ["bad-chain", "has an issuer whose key cannot be read", CHAIN_ADVICE],
  ],
  ["CERT_CHAIN_TOO_LONG", ["bad-chain", "comes with too long a chain of authorities", CHAIN_ADVICE]],
  [
    "PATH_LENGTH_EXCEEDED",
    ["bad-chain", "stands under more authorities than one of them allows", CHAIN_ADVICE],
  ],
  ["INVALID_CA", ["bad-chain", "was issued with a certificate that is no authority's", TRUST_ADVICE]],
  [
    "CERT_REVOKED",
    ["revoked", "was revoked, or an authority above it", "Ask the plant admin why, and enrol again."],
  ],
  [
    "UNABLE_TO_GET_CRL",
    ["revocation-unknown", "cannot be checked: a revocation list is missing", CRL_ADVICE],
  ],
  ["CRL_HAS_EXPIRED", ["revocation-unknown", "cannot be checked: a revocation list has expired", CRL_ADVICE]],
  [
    "CRL_NOT_YET_VALID",
    ["revocation-unknown", "cannot be checked: a revocation list is not valid yet", CRL_ADVICE],
  ],
  [
    "CRL_SIGNATURE_FAILURE",
    ["revocation-unknown", "cannot be checked: a revocation list is not its issuer's", CRL_ADVICE],
  ],
  [
    "UNABLE_TO_DECRYPT_CRL_SIGNATURE",
    ["revocation-unknown", "cannot be checked: a revocation list is not its issuer's", CRL_ADVICE],
  ],
]);

const NO_ISSUER: readonly string[] = [
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
];

/**
 * Null only when OpenSSL verified the chain and named no error. `plain` says whether the verdict itself tells what is
 * wrong; where it does not (a purpose, a key too small), niac's own checks may say it better.
 */
export function verdictOn(
  certificate: Certificate,
  peer: Peer,
  now: number,
): { readonly refusal: PeerError; readonly plain: boolean } | null {
  const error = peer.authorizationError;
  if (peer.authorized && error === null) return null;
  const words = error === null ? undefined : (VERDICTS.get(error) ?? wordsOf(error, certificate, now));
  if (words !== undefined) return { refusal: refuse(...words), plain: true };
  if (error === "INVALID_PURPOSE") {
    const what = "stands under an authority that may not issue certificates for clients";
    return { refusal: refuse("wrong-purpose", what, CHAIN_ADVICE), plain: false };
  }
  const what = `did not pass OpenSSL's verification (${error ?? "no reason given"})`;
  return { refusal: refuse("not-verified", what, TRUST_ADVICE), plain: false };
}

function wordsOf(error: string, certificate: Certificate, now: number): Words | undefined {
  if (NO_ISSUER.includes(error)) {
    const issuer = nameText(certificate.issuer);
    return ["untrusted", `was issued by ${issuer}, an authority that is not known here`, TRUST_ADVICE];
  }
  const early = error === "CERT_NOT_YET_VALID";
  if (!early && error !== "CERT_HAS_EXPIRED") return undefined;
  // Its own dates have better words; if they are in order, they are an authority's.
  checkValidity(certificate, now);
  if (early)
    return ["authority-not-yet-valid", "was issued by an authority that is not valid yet", CHAIN_ADVICE];
  return ["authority-expired", "was issued by an authority that has expired", CHAIN_ADVICE];
}
