/** Who may answer for an issuer by OCSP (RFC 6960, section 4.2.2.2). */
import { PeerError } from "../base/index.ts";
import { readCertificate, type Certificate } from "./certificate.ts";
import { doubled, extensionOf, keyUsagesOf, PURPOSE, purposesOf } from "./extension.ts";
import { publicKeyFrom } from "./keys.ts";
import { nameText } from "./name-text.ts";
import { digest } from "./ocsp.ts";
import { verifySigned, type Signed } from "./signature.ts";

/** `name`: DER of a Name; `keyHash`: hexadecimal SHA-1 of the key's bits. */
export type ResponderId = { readonly name: Uint8Array } | { readonly keyHash: string };

export interface OcspResponder {
  readonly certificate: Certificate;
  /** Certified by the issuer for answering; else it is the issuer itself. */
  readonly delegated: boolean;
  /** The issuer says that its revocation need not be looked up (section 4.2.2.2.1), since its life is short. */
  readonly noCheck: boolean;
}

interface SignedAnswer {
  readonly responderId: ResponderId;
  readonly signed: Signed;
  readonly certificates: readonly Uint8Array[];
}

const NO_CHECK = "1.3.6.1.5.5.7.48.1.5";
const ADVICE = "Have the authority certify its OCSP responder anew, or use its revocation list.";

/** Throws a PeerError `ocsp-signature` or `ocsp-responder`. */
export function responderOf(answer: SignedAnswer, issuer: Certificate, now: number): OcspResponder {
  if (isNamed(issuer, answer.responderId) && hasSigned(issuer, answer.signed)) {
    return { certificate: issuer, delegated: false, noCheck: false };
  }
  const named = answer.certificates
    .map(readable)
    .filter((certificate) => certificate !== null && isNamed(certificate, answer.responderId));
  const signer =
    named.find((certificate) => certificate !== null && hasSigned(certificate, answer.signed)) ?? null;
  if (signer === null) {
    const message =
      "the OCSP answer is signed neither by the authority nor by a responder whose certificate came along";
    throw new PeerError("ocsp-signature", message, ADVICE);
  }
  try {
    checkDelegated(signer, issuer, now);
  } catch (error) {
    if (!(error instanceof PeerError) || error.code === "ocsp-responder") throw error;
    throw refuse(`the OCSP responder's certificate cannot be read: ${error.message}`);
  }
  return { certificate: signer, delegated: true, noCheck: extensionOf(signer, NO_CHECK) !== null };
}

function checkDelegated(responder: Certificate, issuer: Certificate, now: number): void {
  const who = `the OCSP responder ${nameText(responder.subject)}`;
  const issued =
    Buffer.from(responder.issuerDer).equals(issuer.subjectDer) && hasSigned(issuer, responder.signed);
  if (!issued) throw refuse(`${who} was not certified by ${nameText(issuer.subject)}`);
  if (doubled(responder.extensions) !== null)
    throw refuse(`${who} has an extension twice on its certificate`);
  if (!purposesOf(responder).includes(PURPOSE.ocspSigning))
    throw refuse(`${who} was not certified for signing OCSP answers`);
  const usages = keyUsagesOf(responder);
  if (usages !== null && !usages.includes("digitalSignature") && !usages.includes("nonRepudiation")) {
    throw refuse(`${who} has a key that is not for signing`);
  }
  if (!(now >= responder.notBefore && now <= responder.notAfter)) {
    throw refuse(`${who} has a certificate that has expired or is not valid yet`);
  }
}

function isNamed(certificate: Certificate, id: ResponderId): boolean {
  if ("name" in id) return Buffer.from(certificate.subjectDer).equals(id.name);
  return digest("sha1", certificate.key.bytes).toString("hex") === id.keyHash;
}

/** A key that OpenSSL cannot use has signed nothing. */
function hasSigned(certificate: Certificate, signed: Signed): boolean {
  try {
    return verifySigned(signed, publicKeyFrom(certificate.publicKeyInfo));
  } catch (error) {
    if (error instanceof PeerError) return false;
    throw error;
  }
}

/** Null: whatever came along as a certificate is none. */
function readable(der: Uint8Array): Certificate | null {
  try {
    return readCertificate(der);
  } catch (error) {
    if (error instanceof PeerError) return null;
    throw error;
  }
}

function refuse(message: string): PeerError {
  return new PeerError("ocsp-responder", message, ADVICE);
}
