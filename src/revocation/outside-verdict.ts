/** From what is known of revocation to a verdict on one certificate. Pure. */
import type { RevocationVerdict } from "../link/index.ts";
import type { OutsideAuthority } from "../site/index.ts";
import { CRL_REASONS, crlReasonNumber } from "../x509/index.ts";
import type { HeldList, Revoked } from "./crl-store.ts";

/** What one source says of one certificate. */
export type Known =
  | { readonly state: "good" }
  | {
      readonly state: "revoked";
      /** Milliseconds since the epoch. */
      readonly at: number;
      /** CRLReason. */
      readonly reason: number;
      /** Who says so: `the list of Plant CA`. */
      readonly by: string;
    }
  | {
      readonly state: "unknown";
      /** Goes on from "whether it was revoked is not known: ". */
      readonly why: string;
      readonly advice: string;
      /** Until when it could be known; null: it never could, or whoever should know says that it does not. No grace then. */
      readonly knownUntil: number | null;
    };

export const GOOD: Known = { state: "good" };

/**
 * What a list says. A certificate listed with a date ahead is revoked from then on; one listed on a list that has run out is revoked
 * all the same. `now`: the later of the clock and the latest time known. `of`: whose list, in words.
 */
export function knownByList(list: HeldList | null, entry: Revoked | null, now: number, of: string): Known {
  if (entry !== null && entry.revokedAt <= now) {
    return { state: "revoked", at: entry.revokedAt, reason: entry.reason, by: `the list of ${of}` };
  }
  if (list === null) {
    return {
      state: "unknown",
      why: `no revocation list of ${of} is held`,
      advice: LIST_ADVICE,
      knownUntil: null,
    };
  }
  if (now <= list.nextUpdate) return GOOD;
  return {
    state: "unknown",
    why: `the revocation list of ${of} ran out on ${timeText(list.nextUpdate)}`,
    advice: LIST_ADVICE,
    knownUntil: list.nextUpdate,
  };
}

const LIST_ADVICE =
  "Tell the plant admin: the authority's revocation list has to be fetched or imported (niac crl show).";

/** All of them together: one that says revoked decides; else one that does not know. */
export function together(known: readonly Known[]): Known {
  const revoked = known.find(({ state }) => state === "revoked");
  if (revoked !== undefined) return revoked;
  const unknown = known.filter((each) => each.state === "unknown");
  // Grace runs from the first that could no longer be known.
  return unknown.toSorted((a, b) => (a.knownUntil ?? -Infinity) - (b.knownUntil ?? -Infinity))[0] ?? GOOD;
}

/** Until when these groups are let in although it is not known, exclusive; null: they are not. */
export function graceUntil(
  { grace }: Pick<OutsideAuthority, "grace">,
  groups: readonly string[],
  knownUntil: number | null,
  now: number,
): number | null {
  if (grace === null || knownUntil === null) return null;
  if (!groups.some((group) => grace.groups.includes(group))) return null;
  const until = knownUntil + grace.milliseconds;
  return now < until ? until : null;
}

export function verdictOf(
  known: Known,
  serialNumber: string,
  authority: Pick<OutsideAuthority, "grace">,
  groups: readonly string[],
  now: number,
): RevocationVerdict {
  switch (known.state) {
    case "good":
      return { refusal: null, grace: null };
    case "revoked": {
      const reason = CRL_REASONS.find((each) => crlReasonNumber(each) === known.reason);
      const why = reason === undefined || reason === "unspecified" ? "" : ` (${reason})`;
      return {
        refusal: {
          code: "revoked",
          reason: `the certificate ${serialNumber} was revoked on ${timeText(known.at)}${why}, says ${known.by}`,
          advice: "Ask the plant admin why, and enrol again.",
        },
        grace: null,
      };
    }
    case "unknown": {
      const until = graceUntil(authority, groups, known.knownUntil, now);
      if (until !== null && authority.grace !== null) {
        const { name, reason } = authority.grace;
        const text = `let in by the grace "${name}" (${reason}) until ${timeText(until)}: ${known.why}`;
        return { refusal: null, grace: text };
      }
      return {
        refusal: {
          code: "revocation-unknown",
          reason: `whether the certificate ${serialNumber} was revoked is not known: ${known.why}`,
          advice: known.advice,
        },
        grace: null,
      };
    }
  }
}

/** `2026-03-01 12:00 UTC`; the millisecond cannot be out of Date's range, as it was read from a date. */
export function timeText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
