import { PeerError } from "../base/index.ts";
import type { Identity, Refusal } from "./identity.ts";

/** Every code a Refusal may carry. */
export const REFUSAL_CODES = [
  "no-certificate",
  /** Not strict DER of an X.509 certificate, or over 16 KiB. */
  "malformed-certificate",
  /** No trusted authority issued it, or the intermediates were not sent. */
  "untrusted",
  "bad-signature",
  "bad-chain",
  "revoked",
  /** A revocation list is missing, expired or broken. */
  "revocation-unknown",
  "expired",
  "not-yet-valid",
  /** The certificate itself is in date, one above it is not. */
  "authority-expired",
  "authority-not-yet-valid",
  "wrong-purpose",
  /** OpenSSL refused it and gave no reason niac can put in words. */
  "not-verified",
  "is-ca",
  "no-client-auth",
  "no-digital-signature",
  "weak-key",
  "weak-signature",
  "extension-twice",
  "critical-extension",
  "no-name",
  "name-twice",
  "name-encoding",
  "bad-name",
  "role-twice",
  "role-encoding",
  "bad-role",
  "device-twice",
  "tier-twice",
  /** A `urn:niac:` name of a kind niac does not know, or not percent-encoded right. */
  "unknown-claim",
  "too-many-groups",
  "tenant-unknown",
  "tenant-ambiguous",
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

export function isRefusal(outcome: Identity | Refusal): outcome is Refusal {
  return "code" in outcome;
}

/** To be thrown. `what` goes on from "The certificate of CN=alice", without a full stop. */
export function refuse(code: RefusalCode, what: string, advice: string): PeerError {
  return new PeerError(code, what, advice);
}

/** `2026-03-01 12:00 UTC`. */
export function timeText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
