/** The state of the gateway's own certificate in words, for log and record; pure. */
import { X509Certificate } from "node:crypto";
import type { RecordDraft } from "../audit/index.ts";
import type { RenewalState } from "../base/index.ts";
import type { OwnPair } from "./own-certificate.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;

/** What stands in the log after every attempt. */
export function ownWords({ notAfter, problem }: RenewalState, now: number): string {
  if (problem === null) return "the gateway has a new certificate of its own";
  if (notAfter === null) return `the gateway listens to nobody yet: ${problem}`;
  const when = new Date(notAfter).toISOString();
  const end = notAfter > now ? `expires in ${span(notAfter - now)}, on ${when}` : `expired on ${when}`;
  return `the gateway's certificate cannot be renewed, and the one in use ${end}: ${problem}`;
}

/** What stands on record once for each trouble, and once for its end. */
export function ownRecord(state: RenewalState, now: number): Omit<RecordDraft, "id"> {
  return {
    time: now,
    kind: "trust",
    reason: ownWords(state, now).slice(0, 1_000),
    ...(state.notAfter === null ? {} : { detail: { until: new Date(state.notAfter).toISOString() } }),
  };
}

/** Of a certificate that came from a file (PEM, its own first), which nothing here renews. */
export function stateOfFile(certificate: string): RenewalState {
  return { notAfter: new X509Certificate(certificate).validToDate.getTime(), problem: null };
}

/** What clients may ask for where this is shown, as in `DNS:press-4.box.example, IP Address:192.0.2.4`. */
export function namesOf({ certificate }: OwnPair): string {
  return new X509Certificate(certificate).subjectAltName ?? "";
}

function span(time: number): string {
  if (time >= 2 * HOUR) return `${Math.floor(time / HOUR)} h`;
  if (time >= 2 * MINUTE) return `${Math.floor(time / MINUTE)} min`;
  return `${Math.max(1, Math.floor(time / 1_000))} s`;
}
