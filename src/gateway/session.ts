import type { RecordDraft } from "../audit/index.ts";
import { nameMaker, type Clock } from "../base/index.ts";
import type { Identity } from "../identity/index.ts";
import type { SessionView } from "../link/index.ts";
import type { Flushers } from "../machine/index.ts";
import type { RateBook, SessionPermit } from "../policy/index.ts";
import type { Machine, Snapshot } from "../site/index.ts";
import { recordedIdentity } from "./recorded.ts";
import type { Recorder } from "./recorder.ts";
import { placeOf, type Served } from "./served.ts";

/** What every session needs of the gateway. */
export interface Surroundings {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly flushers: Flushers;
  readonly rates: RateBook;
  snapshot(): Snapshot;
  /** What to judge by: `now`, or the latest time known where the clock stands before that. Milliseconds since the epoch. */
  latest(now: number): number;
  /** Called once, when the session has ended. */
  ended(session: Session): void;
}

/** What is known of a session before its first byte. */
export interface Opening extends Served {
  readonly id: string;
  readonly identity: Identity;
  readonly permit: SessionPermit;
  /** What was said of the authority that issued its certificate; see Trust.issuer. */
  readonly issuer: string;
  /** `address:port` of who connects. */
  readonly source: string;
}

/** A name for a session or a record. */
export const freshId = nameMaker();

/** One client's connection to one service of one machine, or one machine's to a destination. Kinds of services say what flows; this keeps who, since when, how much. */
export abstract class Session {
  readonly opening: Opening;
  readonly started: number;
  protected readonly around: Surroundings;
  /** Replaced when a changed snapshot or the time has judged the session again. */
  permit: SessionPermit;
  /** The machine's entry in the snapshot in force; of a connection to a destination, the machine's that connects. */
  machine: Machine;
  lastActive: number;
  protected reads = 0;
  protected writes = 0;
  protected denials = 0;
  protected bytesIn = 0;
  protected bytesOut = 0;
  #ended = false;
  #condemned = false;

  constructor(opening: Opening, around: Surroundings) {
    this.opening = opening;
    this.around = around;
    this.permit = opening.permit;
    this.machine = opening.machine;
    this.started = around.clock.now();
    this.lastActive = this.started;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** From now on nothing more is taken from either side; its end follows in its turn. */
  condemn(): void {
    this.#condemned = true;
  }

  protected get condemned(): boolean {
    return this.#condemned;
  }

  /** Begins to pass on; not before the session's start is on record. */
  abstract start(): void;

  /** Destroys both sockets. */
  protected abstract stop(): void;

  /** Hands over what has been summed up; `all` whether its interval is over or not. */
  abstract report(now: number, all: boolean): void;

  /** Writes whose outcome is still awaited: their records' ids. */
  abstract openWrites(): string[];

  /** Ends it at once, with the reason for the record. */
  end(reason: string, decided?: { readonly stage: string; readonly rule: string | null }): void {
    if (this.#ended) return;
    this.#ended = true;
    this.stop();
    const now = this.around.clock.now();
    this.report(now, true);
    this.note({
      ...this.about(),
      kind: "session.end",
      reason,
      ...(decided ? { decision: "denial", stage: decided.stage } : {}),
      ...(decided?.rule ? { rule: decided.rule } : {}),
      duration: Math.max(0, now - this.started),
      counts: {
        reads: this.reads,
        writes: this.writes,
        denials: this.denials,
        bytesIn: this.bytesIn,
        bytesOut: this.bytesOut,
      },
    });
    this.around.ended(this);
  }

  view(): SessionView {
    const { id, identity, machine, destination, service, source } = this.opening;
    return {
      id,
      kind: identity.kind,
      user: identity.user,
      device: identity.device,
      source,
      machine: machine.name,
      destination: destination?.name ?? null,
      service: service.name,
      grants: [...this.permit.grants],
      started: this.started,
      lastActive: this.lastActive,
      reads: this.reads,
      writes: this.writes,
      denials: this.denials,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
    };
  }

  /** What every record of this session says. */
  protected about(): Pick<
    RecordDraft,
    "time" | "session" | "identity" | "source" | "machine" | "service" | "siteVersion"
  > {
    const { id, identity, service, source } = this.opening;
    return {
      time: this.around.clock.now(),
      session: id,
      identity: recordedIdentity(identity),
      source,
      machine: placeOf(this.opening),
      service: service.name,
      siteVersion: this.around.snapshot().version,
    };
  }

  /** `id` is fresh unless the draft brings one. */
  protected note(draft: Omit<RecordDraft, "id"> & { readonly id?: string }): void {
    this.around.recorder.note({ id: freshId(), ...draft });
  }
}
