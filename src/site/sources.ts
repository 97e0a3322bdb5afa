/** Clients without a certificate, for overviews: what is still open. */
import { endText } from "./calendar.ts";
import type { Snapshot } from "./snapshot.ts";
import { listed } from "./suggest.ts";

/**
 * Which sources may still connect without a certificate, in one line; null: none. `now` in milliseconds since the epoch: those
 * whose time is over by then are left out.
 */
export function openSources({ unauthenticated, site }: Snapshot, now = 0): string | null {
  const open = unauthenticated.filter(({ until }) => until > now);
  if (open.length === 0) return null;
  const each = open
    .toSorted((a, b) => a.until - b.until)
    .map(({ name, until }) => `${name} until ${endText(until, site.timeZone)}`);
  return `${open.length} source${open.length === 1 ? "" : "s"} may still connect without a certificate: ${listed(each)}`;
}
