import type { Destination, Machine, Service, Snapshot } from "../site/index.ts";
import { originOf } from "./dial.ts";

/** What a session or a port is for: a machine's service, or a destination's that the machine connects to. */
export interface Served {
  readonly machine: Machine;
  readonly destination: Destination | null;
  readonly service: Service;
}

/** The name under which it is judged, recorded and shown: the machine's, or the destination's. */
export function placeOf({ machine, destination }: Pick<Served, "machine" | "destination">): string {
  return destination?.name ?? machine.name;
}

/**
 * The machine's entry in `snapshot`; null where a session may not go on: the service or the machine's address is gone from there or is
 * another, or the destination is, or is not this machine's any more. Whoever ends the sessions of which this is null has ended all
 * that use a port of which portServed is false.
 */
export function stillServed(served: Served, snapshot: Snapshot): Machine | null {
  const { machine, destination } = served;
  const now = snapshot.machines.find((each) => each.name === machine.name);
  if (!now || now.address !== machine.address) return null;
  if (originOf(now, destination) !== originOf(machine, destination)) return null;
  if (destination === null) return sameService(served, now) ? now : null;
  const there = snapshot.destinations.find((each) => each.name === destination.name);
  return there?.machines.includes(machine.name) && sameDestination(there, destination) ? now : null;
}

/** False where a port's service is gone, or is not where and what it was when the port was opened. */
export function portServed(served: Served, snapshot: Snapshot): boolean {
  const { machine, destination } = served;
  // A port from a machine's own address is that machine's alone; others are shared.
  if (originOf(machine, destination) !== null) return stillServed(served, snapshot) !== null;
  if (destination === null) {
    const now = snapshot.machines.find((each) => each.name === machine.name);
    return now !== undefined && sameService(served, now);
  }
  const there = snapshot.destinations.find((each) => each.name === destination.name);
  return there !== undefined && sameDestination(there, destination);
}

function sameService({ service }: Served, machine: Machine): boolean {
  return same(
    machine.services.find((each) => each.name === service.name),
    service,
  );
}

/** But for who may use it, and for where it stands in the document. */
function sameDestination(one: Destination, other: Destination): boolean {
  const general = { machines: [], names: [], reason: "", line: 0 };
  return same({ ...one, ...general }, { ...other, ...general });
}

/** Snapshots are plain JSON, made by one compiler: what is the same is written the same. */
function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
