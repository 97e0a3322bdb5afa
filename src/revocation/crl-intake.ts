import { messageOf, systemCode, UnavailableError, type Clock } from "../base/index.ts";
import { readAside, type Aside } from "./crl-aside.ts";
import type { ListIssuer } from "./crl-judge.ts";
import type { CrlStore, HeldList } from "./crl-store.ts";

export interface IntakeOptions {
  readonly store: CrlStore;
  readonly clock: Clock;
  /** The latest time known, milliseconds since the epoch. */
  readonly floor: () => number;
}

export interface Taken {
  /** Whose list it is: SHA-256 of its certificate, hexadecimal. */
  readonly issuer: string;
  readonly delta: boolean;
  /** It is the one held already. */
  readonly same: boolean;
  readonly list: HeldList;
}

/** Takes revocation lists in, one at a time: each is judged against the one that is held when its turn comes. */
export class CrlIntake {
  readonly #options: IntakeOptions;
  readonly #stopped = new AbortController();
  #turn: Promise<unknown>;

  constructor(options: IntakeOptions) {
    this.#options = options;
    // What a crash left unfinished.
    this.#turn = this.#sweep();
  }

  /**
   * Resolves once the list is in force, and on disk. Rejects with a PeerError where it is not one to be taken, an UnavailableError where it
   * could not be read or kept; the one held stays then. `by`: `fetched`, or who brought it.
   */
  take(
    der: Uint8Array,
    issuers: readonly Omit<ListIssuer<Uint8Array>, "held">[],
    by: string,
  ): Promise<Taken> {
    const taken = this.#turn.then(() => this.#take(der, issuers, by));
    this.#turn = taken.then(
      () => this.#sweep(),
      () => this.#sweep(),
    );
    return taken;
  }

  /** Resolves when nothing is being written any more; the database may be closed then. */
  async stop(): Promise<void> {
    this.#stopped.abort(new UnavailableError("stopping", "niac is stopping"));
    this.#options.store.close();
    await this.#turn;
  }

  async #take(
    der: Uint8Array,
    issuers: readonly Omit<ListIssuer<Uint8Array>, "held">[],
    by: string,
  ): Promise<Taken> {
    const { store, clock, floor } = this.#options;
    const { signal } = this.#stopped;
    const held = issuers.map((each) => ({ ...each, held: store.held(each.issuer) }));
    const aside = await readAside(der, held, Math.max(clock.now(), floor()), signal);
    const { issuer, delta, same } = aside;
    const before = store.held(issuer);
    if (same && before !== null) return { issuer, delta, same, list: before };
    const list = listOf(aside, delta ? before : null, clock.now(), by);
    try {
      await store.put(issuer, list, delta, aside.entries.bytes);
    } catch (error) {
      throw explained(error);
    }
    signal.throwIfAborted();
    return { issuer, delta, same, list };
  }

  async #sweep(): Promise<void> {
    try {
      await this.#options.store.sweep();
    } catch (error) {
      // A full disk keeps nobody from asking; what is left is removed after the next list.
      if (!systemCode(error).startsWith("SQLITE_")) throw error;
    }
  }
}

/** `base`: what a delta is laid over. */
function listOf(aside: Aside, base: HeldList | null, received: number, receivedBy: string): HeldList {
  const { number, thisUpdate, nextUpdate, hash, entries } = aside;
  return {
    number,
    baseNumber: base === null ? number : base.baseNumber,
    thisUpdate,
    nextUpdate,
    baseHash: base === null ? hash : base.baseHash,
    hash,
    entries: base === null ? entries.count : base.entries,
    changes: base === null ? 0 : entries.count,
    received,
    receivedBy,
  };
}

function explained(error: unknown): unknown {
  const code = systemCode(error);
  if (!code.startsWith("SQLITE_")) return error;
  return new UnavailableError(
    "crl-store",
    `a revocation list cannot be kept: ${messageOf(error)} (${code}). The one held stays`,
    "Check the storage of niac's database: is it full?",
    { cause: error },
  );
}
