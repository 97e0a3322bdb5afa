/** Whether a responder's answer is one to be believed (RFC 6960, section 3.2). Pure but for checking signatures. */
import { PeerError } from "../base/index.ts";
import {
  isCertIdOf,
  type Certificate,
  type OcspAnswer,
  type OcspSingle,
  type OcspSubject,
} from "../x509/index.ts";
import { LEEWAY } from "./crl-judge.ts";
import { timeText } from "./outside-verdict.ts";

export interface OcspAsked {
  readonly subject: OcspSubject;
  readonly issuer: Certificate;
  readonly nonce: Uint8Array;
  /** The later of the clock and the latest time known, milliseconds since the epoch. */
  readonly now: number;
  /** Whether the authority's list, held and in time, says that this certificate of its is good. */
  readonly isGood: (serialNumber: string) => boolean;
}

/**
 * What it says of the certificate that was asked about. Throws a PeerError where the answer proves nothing: signed by nobody entitled to,
 * about another certificate, not of now, or made for another question.
 */
export function judgeAnswer(answer: OcspAnswer, asked: OcspAsked): OcspSingle {
  const { issuer, now, nonce } = asked;
  const responder = answer.verify(issuer, now);
  if (responder.delegated && !responder.noCheck && !asked.isGood(responder.certificate.serialNumber)) {
    throw new PeerError(
      "ocsp-responder",
      "whether the responder's own certificate was revoked is not known",
      "Have the authority certify the responder with id-pkix-ocsp-nocheck, or give its revocation list too.",
    );
  }
  const same = answer.nonce !== null && Buffer.from(answer.nonce).equals(nonce);
  if (answer.nonce !== null && !same) {
    throw new PeerError("ocsp-nonce", "the answer was made for another question: its nonce is another");
  }
  const [single, second] = answer.responses.filter(({ certId }) => isCertIdOf(certId, asked.subject));
  if (single === undefined || second !== undefined) {
    const what =
      single === undefined
        ? "says nothing of the certificate asked about"
        : "speaks twice of one certificate";
    throw new PeerError("ocsp-subject", `the answer ${what}`);
  }
  checkFresh(single, answer.producedAt, same, now);
  return single;
}

function checkFresh(
  { thisUpdate, nextUpdate }: OcspSingle,
  producedAt: number,
  same: boolean,
  now: number,
): void {
  if (thisUpdate > now + LEEWAY || producedAt > now + LEEWAY) {
    const made = timeText(Math.max(thisUpdate, producedAt));
    throw stale(`was made on ${made}, which is still to come: check the clocks`);
  }
  if (nextUpdate !== null && nextUpdate < now - LEEWAY) throw stale(`ran out on ${timeText(nextUpdate)}`);
  // With neither an end nor the question's nonce, anybody could show it again for ever.
  if (nextUpdate === null && !same && producedAt < now - LEEWAY) {
    throw stale(`was made on ${timeText(producedAt)} and does not say how long it is good`);
  }
}

function stale(why: string): PeerError {
  return new PeerError("ocsp-stale", `the answer ${why}`);
}
