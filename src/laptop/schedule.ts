/** When a certificate is renewed, and when again after a failure; pure. Milliseconds throughout. */
import { createHash } from "node:crypto";

/** Of the certificate's life: laptops enrolled on one morning do not all come back on one. */
const LATEST = 2 / 3;
const SPREAD = 1 / 20;
const FIRST_PAUSE = 60_000;
const LONGEST_PAUSE = 3_600_000;
/** How many failed tries there is room for in what is left after the due time of even a short life. */
const TRIES = 40;

export interface Life {
  /** Since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** At two thirds of the life or a little before; for one certificate always the same moment. `certificate`: its DER. */
export function renewalTime({ notBefore, notAfter }: Life, certificate: Uint8Array): number {
  const share = createHash("sha256").update(certificate).digest().readUInt32BE(0) / 2 ** 32;
  return Math.round(notBefore + (notAfter - notBefore) * (LATEST - SPREAD * share));
}

/** The pause after that many failures in a row (from 1 on). `share`: from 0 to 1, by chance. */
export function retryPause(failures: number, { notBefore, notAfter }: Life, share: number): number {
  const longest = Math.min(LONGEST_PAUSE, (notAfter - notBefore) / TRIES);
  const pause = Math.min(longest, FIRST_PAUSE * 2 ** Math.min(failures - 1, 10));
  return Math.round(pause * (0.5 + share / 2));
}
