import type { Identity } from "../identity/index.ts";
import type { Standing } from "./posture.ts";

/** An immediate stop, as link's Lock has it. Whoever hands locks in hands in those in force: nothing here expires. */
export interface Lock {
  readonly id: string;
  readonly kind:
    | "certificate"
    | "user"
    | "device"
    | "group"
    | "machine"
    | "tenant"
    | "tier"
    | "posture"
    | "source";
  readonly value: string;
  readonly reason: string;
}

/** Who wants what. */
export interface LockSubject {
  readonly identity: Identity;
  /** As the policy gives them. */
  readonly groups: Iterable<string>;
  /** The machine's name, or the destination's that a machine connects to. */
  readonly machine: string;
  readonly posture: (name: string) => Standing;
}

/** Locks made ready to be asked. */
export class Locks {
  readonly #byName: ReadonlyMap<string, Lock>;
  /** Requirements that are locked: whoever does not meet one is. */
  readonly postures: readonly Lock[];

  constructor(locks: readonly Lock[]) {
    this.#byName = new Map(locks.map((lock) => [keyOf(lock.kind, spelled(lock)), lock]));
    this.postures = locks.filter(({ kind }) => kind === "posture");
  }

  get(kind: Lock["kind"], value: string): Lock | undefined {
    return this.#byName.get(keyOf(kind, value));
  }
}

/**
 * The lock that covers this, or null. A name of one kind of client is never another's: a lock on user hmi-1 is none on machine hmi-1,
 * and a lock on a machine covers whatever goes to it or comes from it. `now`: milliseconds since the epoch, for reports' age.
 */
export function lockOn(locks: Locks, subject: LockSubject, now: number): Lock | null {
  const { identity, groups, machine, posture } = subject;
  const found = locks.get("machine", machine);
  if (found !== undefined) return found;
  if (identity.kind !== "certificate") return locks.get(identity.kind, identity.user) ?? null;
  const { user, device, tier, tenant, fingerprint, serialNumber } = identity;
  const named = [
    ["certificate", fingerprint],
    ["certificate", withoutZeros(serialNumber)],
    ["user", user],
    ["device", device],
    ["tier", tier],
    ["tenant", tenant],
    ...[...groups].map((group) => ["group", group] as const),
  ] as const;
  for (const [kind, value] of named) {
    const lock = value === null || value === "" ? undefined : locks.get(kind, value);
    if (lock !== undefined) return lock;
  }
  return locks.postures.find(({ value }) => !(now < posture(value).until)) ?? null;
}

function keyOf(kind: Lock["kind"], value: string): string {
  return `${kind} ${value}`;
}

/** Tools write a serial number with and without leading zeros; a fingerprint has all its 64 digits. */
function spelled({ kind, value }: Lock): string {
  return kind === "certificate" && value.length < 64 ? withoutZeros(value) : value;
}

function withoutZeros(serialNumber: string): string {
  return serialNumber.replace(/^0+(?=.)/, "");
}
