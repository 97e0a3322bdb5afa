/** What niac asks of a client's certificate on top of a chain that verifies. Each check throws a refusal or returns. */
import {
  CURVE,
  curveOf,
  ECDSA_HASHES,
  HASHES,
  isAuthority,
  KEY,
  keyUsagesOf,
  MIN_RSA_BITS,
  pssHash,
  PURPOSE,
  purposesOf,
  RSA_HASHES,
  RSA_PSS,
  rsaBits,
  type Certificate,
} from "../x509/index.ts";
import { refuse, timeText } from "./refusal.ts";

const CURVES: readonly string[] = Object.values(CURVE);
/** Their own key and signature algorithm. */
const ONE_PURPOSE: readonly string[] = [KEY.ed25519, KEY.ed448, KEY.mlDsa44, KEY.mlDsa65, KEY.mlDsa87];
const SIGNATURES: readonly string[] = [...ONE_PURPOSE, ...RSA_HASHES.keys(), ...ECDSA_HASHES.keys()];

const RENEW = "Enrol again, or ask the plant admin for a new certificate.";

/** `now` in milliseconds; both ends belong to the validity. A `now` that is no number is in no validity. */
export function checkValidity(certificate: Certificate, now: number): void {
  const { notBefore, notAfter } = certificate;
  if (now > notAfter) throw refuse("expired", `expired on ${timeText(notAfter)}`, RENEW);
  if (!(now >= notBefore)) {
    throw refuse(
      "not-yet-valid",
      `is not valid before ${timeText(notBefore)}`,
      "Check the date and time of the appliance and of the authority that issued it.",
    );
  }
}

/** A client's certificate: no authority's, for client authentication, and for signing. */
export function checkUsage(certificate: Certificate): void {
  const usages = keyUsagesOf(certificate);
  if (isAuthority(certificate) || usages?.includes("keyCertSign") === true) {
    throw refuse(
      "is-ca",
      "is a certificate authority's, which signs certificates and is nobody's identity",
      "Use the certificate that was issued to the user. If an authority's key is on a laptop, tell the plant admin.",
    );
  }
  if (!purposesOf(certificate).includes(PURPOSE.clientAuth)) {
    throw refuse(
      "no-client-auth",
      "is not made for clients: its extended key usage does not list client authentication",
      "Ask the plant admin for a certificate with extended key usage clientAuth.",
    );
  }
  if (usages?.includes("digitalSignature") === false) {
    throw refuse(
      "no-digital-signature",
      "is not made for TLS: its key usage does not list digital signature",
      "Ask the plant admin for a certificate with key usage digitalSignature.",
    );
  }
}

export function checkKey(certificate: Certificate): void {
  const { algorithm, bytes } = certificate.key;
  const advice = "Enrol again with a P-256 key (or RSA of 2048 bits and more, P-384, P-521, Ed25519).";
  if (algorithm.oid === KEY.rsa) {
    const bits = rsaBits(bytes);
    if (bits >= MIN_RSA_BITS) return;
    throw refuse(
      "weak-key",
      `has an RSA key of ${bits} bits, at least ${MIN_RSA_BITS} are asked for`,
      advice,
    );
  }
  const curve = algorithm.oid === KEY.ec ? curveOf(algorithm) : null;
  if (curve !== null && CURVES.includes(curve)) return;
  if (ONE_PURPOSE.includes(algorithm.oid) && algorithm.parameters === null) return;
  throw refuse("weak-key", `has a key of a kind that is not taken (${curve ?? algorithm.oid})`, advice);
}

/** Of the issuer's signature on the leaf; OpenSSL's security level judges the ones above it. */
export function checkSignature(certificate: Certificate): void {
  const { signatureAlgorithm } = certificate;
  if (SIGNATURES.includes(signatureAlgorithm.oid)) return;
  const hash = signatureAlgorithm.oid === RSA_PSS ? pssHash(signatureAlgorithm) : null;
  if (hash !== null && HASHES.has(hash)) return;
  throw refuse(
    "weak-signature",
    `is signed with an algorithm that is not taken (${signatureAlgorithm.oid}); SHA-1 and MD5 can be forged`,
    "Ask the plant admin for a certificate signed with SHA-256 or better.",
  );
}
