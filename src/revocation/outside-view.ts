/** What is known of one authority's revocation, for people. Pure. */
import type { CrlView, OutsideView } from "../link/index.ts";
import type { OutsideAuthority } from "../site/index.ts";
import type { LastFetch } from "./crl-fetcher.ts";
import type { HeldList } from "./crl-store.ts";
import { timeText } from "./outside-verdict.ts";

export interface HeldOf {
  /** Whose list, in words. */
  readonly of: string;
  /** Null: none is held. */
  readonly list: HeldList | null;
}

export interface Standing {
  readonly config: OutsideAuthority;
  /** The authority's own list first, then those above it. Empty: its certificate cannot be read. */
  readonly lists: readonly HeldOf[];
  /** Why its certificate cannot be read. */
  readonly unreadable: string | null;
  readonly fetch: LastFetch | null;
  readonly responder: OutsideView["responder"];
}

/** Part of a list's validity before its end in which somebody is told that no newer one came. */
const LAST_PART = 1 / 4;

export function viewOf(standing: Standing, now: number): OutsideView {
  const { config, lists, fetch, responder } = standing;
  const said = [troubleOf(standing, now), fetch?.problem ?? null, responder?.problem ?? null];
  const troubles = said.filter((each) => each !== null);
  return {
    name: config.name,
    revocation: config.revocation,
    lists: lists.flatMap(({ of, list }) => (list === null ? [] : [crlView(of, list)])),
    fetch,
    responder,
    trouble: troubles.length === 0 ? null : troubles.join("; "),
    weakening:
      config.revocation === "unchecked"
        ? "certificates are not checked for revocation: one that was revoked is let in"
        : null,
    grace: graceOf(standing, now),
  };
}

export function crlView(of: string, list: HeldList): CrlView {
  const { number, thisUpdate, nextUpdate, entries, changes, received, receivedBy: by } = list;
  return {
    of,
    number: number === null ? null : String(number),
    thisUpdate,
    nextUpdate,
    entries,
    changes,
    received,
    by,
  };
}

/** What of its lists somebody should see to; null: nothing. */
export function troubleOf(standing: Standing, now: number): string | null {
  const { config, lists, unreadable } = standing;
  if (unreadable !== null) return `its certificate cannot be read, and nobody is let in by it: ${unreadable}`;
  const troubles = lists.flatMap(({ of, list }, at) => {
    const needed = at === 0 && config.revocation === "crl";
    if (list === null) return needed ? [`no revocation list of ${of} is held`] : [];
    return ageOf(of, list, now) ?? [];
  });
  return troubles.length === 0 ? null : troubles.join("; ");
}

function ageOf(of: string, { thisUpdate, nextUpdate }: HeldList, now: number): string | null {
  const left = nextUpdate - now;
  if (left < 0) return `the revocation list of ${of} ran out on ${timeText(nextUpdate)}`;
  if (left >= (nextUpdate - thisUpdate) * LAST_PART) return null;
  return `the revocation list of ${of} runs out on ${timeText(nextUpdate)}`;
}

/** When it could last be known; null: it can be, or it never could. The grace's time counts from then. */
function knownUntil({ config, lists, responder }: Standing, now: number): number | null {
  const own = lists[0]?.list?.nextUpdate ?? null;
  if (config.revocation === "unchecked") return null;
  if (config.revocation === "crl") return own !== null && own < now ? own : null;
  const until = Math.max(own ?? 0, responder?.answered ?? 0);
  return responder?.problem != null && until > 0 && until < now ? until : null;
}

function graceOf(standing: Standing, now: number): string | null {
  const { grace } = standing.config;
  const since = knownUntil(standing, now);
  if (grace === null || since === null || now >= since + grace.milliseconds) return null;
  const until = timeText(since + grace.milliseconds);
  return `"${grace.name}" lets ${grace.groups.join(", ")} in until ${until}: ${grace.reason}`;
}
