import type { Lock } from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";

/**
 * The snapshot as netd is to hold it: a locked machine has no destinations, is not pinged, and nobody reaches it without a
 * certificate; a locked source reaches nothing. Connections with a certificate are the gateway's to refuse, who says why. A source
 * stays in the list with nothing it may reach, because rules name it.
 */
export function withoutLocked(snapshot: Snapshot, locks: readonly Lock[]): Snapshot {
  const machines = valuesOf(locks, "machine");
  const sources = valuesOf(locks, "source");
  if (machines.size === 0 && sources.size === 0) return snapshot;
  return {
    ...snapshot,
    machines: snapshot.machines.map((one) => (machines.has(one.name) ? { ...one, ping: false } : one)),
    destinations: snapshot.destinations.map((one) => ({
      ...one,
      machines: one.machines.filter((name) => !machines.has(name)),
    })),
    unauthenticated: snapshot.unauthenticated.map((one) => ({
      ...one,
      services: sources.has(one.name)
        ? []
        : one.services.filter((pair) => !machines.has(pair.slice(0, pair.indexOf("/")))),
    })),
  };
}

function valuesOf(locks: readonly Lock[], kind: Lock["kind"]): ReadonlySet<string> {
  return new Set(locks.filter((lock) => lock.kind === kind).map(({ value }) => value));
}
