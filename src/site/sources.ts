/** Clients without a certificate, for overviews: what is still open. */
import { endText } from "./calendar.ts";
import type { Snapshot, UnauthenticatedSource } from "./snapshot.ts";
import { listed } from "./suggest.ts";

/** Sources that may still connect without a certificate. `now` in milliseconds since the epoch. */
export function stillOpen({ unauthenticated }: Snapshot, now: number): readonly UnauthenticatedSource[] {
  return unauthenticated.filter(({ until }) => now < until);
}

/**
 * Which sources may still connect without a certificate, in one line; null: none. `now` in milliseconds since the epoch: those
 * whose time is over by then are left out.
 */
export function openSources(snapshot: Snapshot, now = 0): string | null {
  const open = stillOpen(snapshot, now);
  if (open.length === 0) return null;
  const each = open
    .toSorted((a, b) => a.until - b.until)
    .map(({ name, until }) => `${name} until ${endText(until, snapshot.site.timeZone)}`);
  return `${open.length} source${open.length === 1 ? "" : "s"} may still connect without a certificate: ${listed(each)}`;
}
