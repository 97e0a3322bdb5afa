/** What others ask of a snapshot. */
import type { Service, Snapshot } from "./snapshot.ts";

/** The service of a machine, or null where the site has none of these names. */
export function serviceOf(snapshot: Snapshot, machine: string, service: string): Service | null {
  const found = snapshot.machines.find((candidate) => candidate.name === machine);
  return found?.services.find((candidate) => candidate.name === service) ?? null;
}

/**
 * The groups the site document itself puts a user in, sorted; none for one it does not name. Ask this rather than
 * `snapshot.people[user]`: a certificate may well name its user `constructor`.
 */
export function groupsOf(snapshot: Snapshot, user: string): readonly string[] {
  return Object.hasOwn(snapshot.people, user) ? snapshot.people[user]! : [];
}

/** The same snapshot as a version of control's history. */
export function withVersion(snapshot: Snapshot, version: number): Snapshot {
  return Object.freeze({ ...snapshot, version });
}

/** Freezes plain values all the way down. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze<unknown>(inner);
  return Object.freeze(value);
}
