import type { Socket } from "node:net";
import type { Logger } from "pino";
import type { Clock } from "../base/index.ts";
import type { SessionView } from "../link/index.ts";
import { Flusher } from "../machine/index.ts";
import { compilePolicy, isPermit, judgeSession, nextChange, RateBook, type Policy } from "../policy/index.ts";
import { machineAt, type Snapshot } from "../site/index.ts";
import { Admission } from "./admission.ts";
import type { Outside } from "./dial.ts";
import { Door } from "./door.ts";
import { Listener, type Arrival, type ListenerHost } from "./listener.ts";
import { Machines } from "./machines.ts";
import { Names } from "./names.ts";
import type { Place } from "./place.ts";
import { PlainDoor } from "./plain-door.ts";
import { PlainListener, type PlainArrival, type PlainHost } from "./plain-listener.ts";
import { Reception, type House } from "./reception.ts";
import type { Recorder } from "./recorder.ts";
import { Refusals } from "./refusals.ts";
import { Registry } from "./registry.ts";
import { placeOf, stillServed } from "./served.ts";
import { freshId, type Session } from "./session.ts";
import { clientContext, type TlsMaterial } from "./tls.ts";

/** Milliseconds between looks at what time alone changes: expiry, idleness, hours, sums. */
const SWEEP = 1_000;

/** Where it listens. The last three are of an appliance in the cable, and null elsewhere; see Entrance and PlainArrival. */
export interface Places {
  readonly modbus: Place;
  readonly services: Place;
  readonly captured: Place | null;
  readonly plain: Place | null;
  readonly outbound: Place | null;
}

/**
 * Holds what is live: listeners, sessions, connections to machines. Judges all of it again when the site document or the time
 * changes.
 */
export class Gateway implements ListenerHost, PlainHost, House {
  readonly admission = new Admission();
  readonly recorder: Recorder;
  readonly flushers = { requests: new Flusher(), answers: new Flusher() };
  readonly rates = new RateBook(() => this.clock.monotonic());
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry = new Registry();
  readonly refusals: Refusals;
  readonly machines: Machines;
  readonly #reception = new Reception(this);
  readonly #door = new Door(this, this.#reception);
  readonly #plainDoor = new PlainDoor(this, this.#reception);
  readonly #listeners: readonly Listener[];
  readonly #plainListeners: readonly PlainListener[];
  #snapshot: Snapshot;
  #policy: Policy;
  #material: TlsMaterial;
  #outside: Outside;
  #sweep: NodeJS.Timeout | null = null;
  #lookedAt = 0;

  /** Throws what is wrong with the snapshot or the TLS material. */
  constructor(
    initial: { readonly snapshot: Snapshot; readonly material: TlsMaterial },
    places: Places,
    recorder: Recorder,
    clock: Clock,
    log: Logger,
  ) {
    this.#snapshot = initial.snapshot;
    this.#policy = compilePolicy(initial.snapshot);
    this.#material = initial.material;
    this.#outside = outsideOf(initial.snapshot, initial.material);
    this.clock = clock;
    this.recorder = recorder;
    this.log = log;
    this.refusals = new Refusals(recorder, clock);
    this.machines = new Machines(this.flushers, clock, (draft) => {
      this.log.warn({ machine: draft.machine, service: draft.service, ...draft.detail }, draft.reason);
      recorder.note({ ...draft, id: freshId(), time: clock.now() });
    });
    const { modbus, services, captured, plain, outbound } = places;
    this.#listeners = [
      new Listener(modbus, "modbus", this),
      new Listener(services, "services", this),
      ...(captured ? [new Listener(captured, "captured", this)] : []),
    ];
    this.#plainListeners = [
      ...(plain ? [new PlainListener(plain, "plain", this)] : []),
      ...(outbound ? [new PlainListener(outbound, "outbound", this)] : []),
    ];
    for (const listener of this.#listeners)
      listener.setMaterial(initial.material, needsTls12(initial.snapshot));
  }

  async listen(): Promise<void> {
    for (const listener of [...this.#listeners, ...this.#plainListeners]) await listener.listen();
    this.#sweep = setInterval(() => this.#look(), SWEEP);
  }

  close(reason: string): void {
    if (this.#sweep) clearInterval(this.#sweep);
    for (const session of this.registry.all()) session.end(reason);
    for (const listener of [...this.#listeners, ...this.#plainListeners]) listener.close();
    this.machines.close();
    this.refusals.report(true);
  }

  snapshot(): Snapshot {
    return this.#snapshot;
  }

  policy(): Policy {
    return this.#policy;
  }

  outside(): Outside {
    return this.#outside;
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
    const outside = outsideOf(snapshot, material);
    for (const listener of this.#listeners) listener.setMaterial(material, needsTls12(snapshot));
    this.#material = material;
    this.#outside = outside;
    this.#snapshot = snapshot;
    this.#policy = policy;
    const stale = this.machines.takeStale(snapshot);
    for (const session of this.registry.all()) {
      const { service } = session.opening;
      const now = stillServed(session.opening, snapshot);
      if (!now) {
        session.end(`the site document changed ${service.name} of ${placeOf(session.opening)}`);
        continue;
      }
      session.machine = now;
      this.judge(session);
    }
    for (const { port } of stale) port.close();
  }

  /** For connections from now on; live ones stay as they are. Throws, and leaves the old one in use, where the new one cannot be used. */
  renew(material: TlsMaterial): void {
    const context = clientContext(material);
    for (const listener of this.#listeners) listener.setMaterial(material, needsTls12(this.#snapshot));
    this.#material = material;
    this.#outside = { ...this.#outside, context };
  }

  // --- ListenerHost -------------------------------------------------------------------------------------------------

  arrived(arrival: Arrival): void {
    this.#orDie(arrival, this.#door.admit(arrival));
  }

  arrivedPlain(arrival: PlainArrival): void {
    this.#orDie(arrival, this.#plainDoor.admit(arrival));
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

  /** A bug in judging lets nobody in, and ends the process. */
  #orDie({ socket }: { readonly socket: Socket }, judged: Promise<void>): void {
    judged.catch((error: unknown) => {
      socket.destroy();
      this.log.fatal({ err: error }, "a connection could not be judged");
      throw error;
    });
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

/** No name leads to a machine of this site: these are reached through their grants and not around them. */
function outsideOf(snapshot: Snapshot, material: TlsMaterial): Outside {
  const servers = snapshot.network?.nameServers ?? [];
  const names = new Names(servers, (address) => machineAt(snapshot, address) !== null);
  return { names, context: clientContext(material) };
}

function needsTls12(snapshot: Snapshot): boolean {
  return snapshot.machines.some((machine) => machine.services.some((service) => service.unsafeTls12));
}
