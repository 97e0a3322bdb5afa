import { randomUUID } from "node:crypto";
import type { AuditLog, RecordDraft } from "../audit/index.ts";
import { messageOf, UsageError, type Clock } from "../base/index.ts";
import type { Lock, LockEffect, LockKind, LockView } from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";
import type { TrustStore } from "./trust-store.ts";

/** Locks in force at most. */
const MAX_LOCKS = 10_000;
const MAX_REASON = 1_000;

export interface LockWish {
  readonly kind: LockKind;
  readonly value: string;
  readonly reason: string;
  readonly by: string;
  /** Milliseconds since the epoch; null: until somebody unlocks. */
  readonly until: number | null;
}

/** Puts the locks of now in force: how many sessions that ended (null: the gateway is away), and what did not come off. */
export type Enforce = () => Promise<{ readonly ended: number | null; readonly problems: readonly string[] }>;

/**
 * The locks. To lock must not fail for a full disk: a lock is in force first, then kept and put on record, and what of that failed is
 * said. To unlock is the other way round: first on record.
 */
export class LockBook {
  readonly #store: TrustStore;
  readonly #audit: AuditLog;
  readonly #clock: Clock;
  readonly #enforce: Enforce;
  #locks: readonly Lock[];
  #next: number;
  #expiring = false;

  constructor(store: TrustStore, audit: AuditLog, clock: Clock, enforce: Enforce) {
    this.#store = store;
    this.#audit = audit;
    this.#clock = clock;
    this.#enforce = enforce;
    this.#locks = store.locksInForce();
    this.#next = store.nextLock();
  }

  /** In force. */
  get all(): readonly Lock[] {
    return this.#locks;
  }

  /** Newest first, with those that ended lately. */
  list(): LockView[] {
    const live = this.#locks.map((lock) => ({ ...lock, ended: null, endedBy: null }));
    return [...live, ...this.#store.locksEnded(this.#clock.now())].toSorted(
      (a, b) => Number(b.id) - Number(a.id),
    );
  }

  /** Throws a UsageError for a name that the site document does not have, and so would lock nobody. */
  async add(wish: LockWish, site: Snapshot): Promise<{ lock: Lock; effect: LockEffect }> {
    const since = this.#clock.now();
    const began = this.#clock.monotonic();
    const value = checkedValue(wish, site);
    if (wish.until !== null && wish.until <= since) {
      const when = new Date(wish.until).toISOString();
      throw new UsageError("lock-over", `a lock until ${when} would be over already`, "Give a later time.");
    }
    if (this.#locks.length >= MAX_LOCKS) {
      throw new UsageError(
        "too-many-locks",
        `there are ${MAX_LOCKS} locks in force, the limit`,
        "Unlock some, or forbid a group in the site document.",
      );
    }
    const lock = { ...wish, value, since, id: String(this.#next++) };
    this.#locks = [...this.#locks, lock];
    const { ended, problems } = await this.#enforce();
    const milliseconds = this.#clock.monotonic() - began;
    const effect = { ended, milliseconds, problems: [...problems] };
    try {
      this.#store.addLock(lock);
    } catch (error) {
      effect.problems.push(`it is in force, and will not outlast a restart of control: ${messageOf(error)}`);
    }
    try {
      const until = lock.until === null ? "" : `, until ${new Date(lock.until).toISOString()}`;
      const reason = `${lock.by} locks ${lock.kind} ${value}${until}: ${lock.reason}`;
      await this.#audit.append(
        [{ ...this.#draft("lock", lock, reason), counts: { ended: ended ?? 0 } }],
        "now",
      );
    } catch (error) {
      effect.problems.push(`it is in force, and not on record: ${messageOf(error)}`);
    }
    return { lock, effect };
  }

  /** Throws a UsageError where there is no such lock, and what stands against its being on record: it is then still in force. */
  async remove(
    which: { readonly id: string } | { readonly kind: LockKind; readonly value: string },
    reason: string,
    by: string,
  ): Promise<{ locks: Lock[]; effect: LockEffect }> {
    const began = this.#clock.monotonic();
    const found = this.#locks.filter((lock) =>
      "id" in which ? lock.id === which.id : lock.kind === which.kind && lock.value === normal(which),
    );
    if (found.length === 0) {
      const what = "id" in which ? which.id : `on ${which.kind} ${which.value}`;
      throw new UsageError("no-lock", `there is no lock ${what} in force`, "See `niac locks`.");
    }
    const why = reason === "" ? "" : `: ${reason}`;
    await this.#audit.append(
      found.map((lock) => this.#draft("unlock", lock, `${by} unlocks ${lock.kind} ${lock.value}${why}`)),
      "now",
    );
    const { ended, problems } = await this.#end(found, by);
    const milliseconds = this.#clock.monotonic() - began;
    return { locks: found, effect: { ended, milliseconds, problems: [...problems] } };
  }

  /** Ends those whose time is over by `sure`, milliseconds since the epoch; while that cannot be recorded they stay. */
  async expire(sure: number): Promise<void> {
    const over = this.#locks.filter(({ until }) => until !== null && until <= sure);
    if (over.length === 0 || this.#expiring) return;
    this.#expiring = true;
    try {
      await this.#audit.append(
        over.map((lock) =>
          this.#draft("expiry", lock, `the lock on ${lock.kind} ${lock.value} is over: its time has come`),
        ),
        "now",
      );
      await this.#end(over, null);
    } finally {
      this.#expiring = false;
    }
  }

  async #end(locks: readonly Lock[], by: string | null): ReturnType<Enforce> {
    for (const { id } of locks) this.#store.endLock(id, this.#clock.now(), by);
    const gone = new Set(locks.map(({ id }) => id));
    this.#locks = this.#locks.filter(({ id }) => !gone.has(id));
    return this.#enforce();
  }

  #draft(action: string, { id, kind, value, reason: why }: Lock, reason: string): RecordDraft {
    return {
      time: this.#clock.now(),
      kind: "trust",
      id: randomUUID(),
      ...(kind === "machine" ? { machine: value } : {}),
      reason: reason.slice(0, MAX_REASON),
      detail: { action, lock: id, of: kind, value, why: why.slice(0, MAX_REASON) },
    };
  }
}

/** As it is compared: fingerprints and serial numbers are written with colons and in capitals too. */
function normal({ kind, value }: Pick<LockWish, "kind" | "value">): string {
  return kind === "certificate" ? value.replaceAll(/[\s:]/g, "").toLowerCase() : value;
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

function checkedValue(wish: LockWish, site: Snapshot): string {
  const value = normal(wish);
  if (wish.kind === "certificate" && !/^[0-9a-f]{1,64}$/.test(value)) {
    throw new UsageError(
      "lock-certificate",
      `"${wish.value}" is neither a certificate's serial number nor its SHA-256 fingerprint`,
      "Write it in hexadecimal, as `niac audit` shows it.",
    );
  }
  const known = namesOf(wish.kind, site);
  if (known !== null && !known.includes(value)) {
    throw new UsageError(
      "lock-unknown",
      `the site document has no ${wish.kind} "${value}", so the lock would cover nobody`,
      known.length === 0 ? "See `niac site show`." : `It has ${known.slice(0, 20).join(", ")}.`,
    );
  }
  return value;
}

/** Null: anybody may bear such a name, and the site document need not know it. */
function namesOf(kind: LockKind, site: Snapshot): readonly string[] | null {
  switch (kind) {
    case "machine":
      return site.machines.map(nameOf);
    case "source":
      return site.unauthenticated.map(nameOf);
    case "posture":
      return site.postures.map(nameOf);
    case "group":
      return [...new Set([...site.certificateGroups, ...Object.values(site.people).flat()])].toSorted();
    case "certificate":
    case "device":
    case "tenant":
    case "tier":
    case "user":
      return null;
  }
}
