import type { Logger } from "pino";
import type { Clock } from "../base/index.ts";
import type { SessionView, TlsMaterial } from "../link/index.ts";
import { Flusher } from "../machine/index.ts";
import { compilePolicy, isPermit, judgeSession, nextChange, RateBook, type Policy } from "../policy/index.ts";
import type { Address } from "../settings/index.ts";
import type { Snapshot } from "../site/index.ts";
import { Admission } from "./admission.ts";
import { Door, type House } from "./door.ts";
import { Listener, type Arrival, type ListenerHost } from "./listener.ts";
import { Machines } from "./machines.ts";
import type { Recorder } from "./recorder.ts";
import { Refusals } from "./refusals.ts";
import { Registry } from "./registry.ts";
import { freshId, type Session, stillServed } from "./session.ts";

/** Milliseconds between looks at what time alone changes: expiry, idleness, hours, sums. */
const SWEEP = 1_000;

/**
 * Holds what is live: listeners, sessions, connections to machines. Judges all of it again when the site document or the time
 * changes.
 */
export class Gateway implements ListenerHost, House {
  readonly admission = new Admission();
  readonly recorder: Recorder;
  readonly flushers = { requests: new Flusher(), answers: new Flusher() };
  readonly rates = new RateBook(() => this.clock.monotonic());
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry = new Registry();
  readonly refusals: Refusals;
  readonly machines: Machines;
  readonly #door = new Door(this);
  readonly #listeners: readonly Listener[];
  #snapshot: Snapshot;
  #policy: Policy;
  #material: TlsMaterial;
  #sweep: NodeJS.Timeout | null = null;
  #lookedAt = 0;

  /** Throws what is wrong with the snapshot or the TLS material. */
  constructor(
    initial: { readonly snapshot: Snapshot; readonly material: TlsMaterial },
    addresses: { readonly modbus: Address; readonly services: Address },
    recorder: Recorder,
    clock: Clock,
    log: Logger,
  ) {
    this.#snapshot = initial.snapshot;
    this.#policy = compilePolicy(initial.snapshot);
    this.#material = initial.material;
    this.clock = clock;
    this.recorder = recorder;
    this.log = log;
    this.refusals = new Refusals(recorder, clock);
    this.machines = new Machines(this.flushers, clock, (draft) => {
      this.log.warn({ machine: draft.machine, service: draft.service, ...draft.detail }, draft.reason);
      recorder.note({ ...draft, id: freshId(), time: clock.now() });
    });
    this.#listeners = [
      new Listener(addresses.modbus, true, this),
      new Listener(addresses.services, false, this),
    ];
    for (const listener of this.#listeners)
      listener.setMaterial(initial.material, needsTls12(initial.snapshot));
  }

  async listen(): Promise<void> {
    for (const listener of this.#listeners) await listener.listen();
    this.#sweep = setInterval(() => this.#look(), SWEEP);
  }

  close(reason: string): void {
    if (this.#sweep) clearInterval(this.#sweep);
    for (const session of this.registry.all()) session.end(reason);
    for (const listener of this.#listeners) listener.close();
    this.machines.close();
    this.refusals.report(true);
  }

  snapshot(): Snapshot {
    return this.#snapshot;
  }

  policy(): Policy {
    return this.#policy;
  }

  sessions(): SessionView[] {
    return this.registry.all().map((session) => session.view());
  }

  sessionIds(): string[] {
    return this.registry.all().map((session) => session.opening.id);
  }

  openWrites(): string[] {
    return this.registry.all().flatMap((session) => session.openWrites());
  }

  endSession(id: string, reason: string): boolean {
    const session = this.registry.get(id);
    session?.end(reason);
    return session !== undefined;
  }

  /** Everything live is judged again at once. Throws, and leaves the old one serving, where the new one cannot be used. */
  apply(snapshot: Snapshot, material: TlsMaterial = this.#material): void {
    const policy = compilePolicy(snapshot);
    for (const listener of this.#listeners) listener.setMaterial(material, needsTls12(snapshot));
    this.#material = material;
    this.#snapshot = snapshot;
    this.#policy = policy;
    const stale = this.machines.takeStale(snapshot);
    for (const session of this.registry.all()) {
      const { machine, service } = session.opening;
      const now = stillServed(session.opening, snapshot);
      if (!now) {
        session.end(`the site document changed ${service.name} of ${machine.name}`);
        continue;
      }
      session.machine = now;
      this.judge(session);
    }
    for (const { port } of stale.values()) port.close();
  }

  // --- ListenerHost -------------------------------------------------------------------------------------------------

  arrived(arrival: Arrival): void {
    this.#door.admit(arrival).catch((error: unknown) => {
      arrival.socket.destroy();
      this.log.fatal({ err: error }, "a connection could not be judged");
      throw error;
    });
  }

  turnedAway(source: { address: string; port: number }, stage: string, reason: string): void {
    this.refusals.add(source.address, { source: `${source.address}:${source.port}`, stage, reason });
  }

  // --- House -------------------------------------------------------------------------------------------------------

  ended(session: Session): void {
    this.registry.remove(session);
  }

  judge(session: Session): void {
    const verdict = judgeSession(this.#policy, session.permit, this.clock.now());
    if (isPermit(verdict)) session.permit = verdict;
    else session.end(verdict.reason, verdict);
  }

  /** What time alone changes. A clock that was set back is only noticed by what it makes due again. */
  #look(): void {
    const now = this.clock.now();
    const { idleTimeout } = this.#snapshot.site.limits;
    for (const session of this.registry.all()) {
      const { identity } = session.opening;
      if (now > identity.notAfter) {
        session.end(
          `the certificate of ${identity.user} expired on ${new Date(identity.notAfter).toISOString()}`,
          EXPIRED,
        );
      } else if (now - session.lastActive > idleTimeout) {
        session.end(`nothing came from the client for ${idleTimeout / 1000} s`);
      } else {
        if (nextChange(session.permit, this.#lookedAt) <= now || now < this.#lookedAt) this.judge(session);
        if (!session.ended) session.report(now, false);
      }
    }
    this.#lookedAt = now;
    this.refusals.report(false);
  }
}

const EXPIRED = { stage: "certificate", rule: null } as const;

function needsTls12(snapshot: Snapshot): boolean {
  return snapshot.machines.some((machine) => machine.services.some((service) => service.unsafeTls12));
}
