/** When a revocation list is fetched again. */

/** Milliseconds. A server is never asked more often than this, whatever its list says. */
export const SHORTEST_WAIT = 10_000;
const FIRST_RETRY = 15_000;
/** Retries come at least this often: most lists are valid for days, and a plant's network comes back within the hour. */
const LONGEST_RETRY = 15 * 60_000;
/** Part of a wait by which it is shortened at random, so that a site's appliances do not ask all at once. */
const JITTER = 0.2;

export interface FetchState {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds between fetches, as the site document says. */
  readonly every: number;
  /** Of the list held; null: none is held. Milliseconds since the epoch. */
  readonly nextUpdate: number | null;
  /** Fetches in a row that brought nothing to be used. */
  readonly failures: number;
}

/**
 * Milliseconds until the next fetch: `every`, but no later than at half of the time for which the list held is still good; after
 * failures ever longer waits from 15 s up to 15 min. `random`: 0 up to 1.
 */
export function waitForNext({ now, every, nextUpdate, failures }: FetchState, random: number): number {
  const left = nextUpdate === null || nextUpdate <= now ? LONGEST_RETRY : (nextUpdate - now) / 2;
  const usual = Math.min(every, left);
  const retry = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** Math.min(failures - 1, 16), every);
  const wait = failures > 0 ? retry : usual;
  return Math.max(SHORTEST_WAIT, Math.round(wait * (1 - JITTER * random)));
}
