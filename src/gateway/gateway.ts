import type { Socket } from "node:net";
import type { Logger } from "pino";
import type { Clock } from "../base/index.ts";
import type { Identity } from "../identity/index.ts";
import type {
  CertificateInUse,
  PanelState,
  RevocationVerdict,
  SessionView,
  TrustState,
} from "../link/index.ts";
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
import { Registry, type Doom } from "./registry.ts";
import { placeOf, stillServed } from "./served.ts";
import { freshId, type Session } from "./session.ts";
import { clientContext, type TlsMaterial } from "./tls.ts";
import { inTurns } from "./turns.ts";
import { Trust } from "./trust.ts";

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

/** Asks control whether a certificate is revoked. Throws an UnavailableError where it cannot be asked. */
export type Check = (certificate: CertificateInUse, groups: readonly string[]) => Promise<RevocationVerdict>;

/**
 * Holds what is live: listeners, sessions, connections to machines. Judges all of it again when the site document, whom to
 * trust, the panel or the time changes.
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
  #trust: Trust;
  #panel: PanelState;
  #floor: number;
  readonly #check: Check;
  #sweep: NodeJS.Timeout | null = null;
  #lookedAt = 0;

  /** Throws what is wrong with the snapshot or the TLS material. */
  constructor(
    initial: {
      readonly snapshot: Snapshot;
      readonly material: TlsMaterial;
      readonly trust: TrustState;
      readonly panel: PanelState;
    },
    places: Places,
    recorder: Recorder,
    check: Check,
    clock: Clock,
    log: Logger,
  ) {
    this.#snapshot = initial.snapshot;
    this.#policy = compilePolicy(initial.snapshot);
    this.#material = initial.material;
    this.#outside = outsideOf(initial.snapshot, initial.material);
    this.#trust = new Trust(initial.trust);
    this.#floor = initial.trust.floor;
    this.#panel = initial.panel;
    this.#check = check;
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

  trust(): Trust {
    return this.#trust;
  }

  panel(): PanelState {
    return this.#panel;
  }

  latest(now: number): number {
    return Math.max(now, this.#floor);
  }

  check(identity: Identity): Promise<RevocationVerdict> {
    return this.#check(certificateOf(identity), [...this.#policy.groupsOf(identity)]);
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

  /** Judges all that is live at once; resolves with how many sessions it ended. What of it cannot be used is said, and lets nobody in. */
  applyTrust(state: TrustState): Promise<number> {
    this.#trust = new Trust(state);
    this.#floor = state.floor;
    for (const problem of this.#trust.problems) {
      this.log.error({ problem }, "whoever it issued a certificate for is refused");
      this.recorder.note({ time: this.clock.now(), kind: "trust", id: freshId(), reason: problem });
    }
    return this.#judgeAll();
  }

  /** Judges all that is live at once; resolves with how many sessions it ended. Requests that wait are decided on afresh before they go. */
  applyPanel(panel: PanelState): Promise<number> {
    if (panel.keySwitch === this.#panel.keySwitch) return Promise.resolve(0);
    this.#panel = panel;
    return this.#judgeAll();
  }

  /** The latest time known; what expired by it ends with the next look. */
  applyFloor(floor: number): void {
    this.#floor = floor;
  }

  /** What every live session's certificate is, and of those about to be sessions. */
  certificates(): {
    readonly session: string;
    readonly groups: string[];
    readonly certificate: CertificateInUse;
  }[] {
    return this.registry.certificates().map(({ session, identity }) => ({
      session,
      groups: [...this.#policy.groupsOf(identity)],
      certificate: certificateOf(identity),
    }));
  }

  /** Resolves with how many of them there were. */
  async endSessions(ids: readonly string[], doom: Doom): Promise<number> {
    const coming = ids.filter((id) => this.registry.doom(id, doom));
    const ends = ids.flatMap((id) => {
      const session = this.registry.get(id);
      return session === undefined ? [] : [{ session, reason: doom.reason, stage: doom.stage, rule: null }];
    });
    return coming.length + (await this.#endAll(ends));
  }

  #judgeAll(): Promise<number> {
    const ends = this.registry.all().flatMap((session) => {
      const end = this.#verdict(session);
      return end === null ? [] : [{ session, ...end }];
    });
    return this.#endAll(ends);
  }

  /** All of them are stopped now, and ended in turns: who is not among them does not wait for a thousand sockets. */
  async #endAll(ends: readonly (End & { readonly session: Session })[]): Promise<number> {
    for (const { session } of ends) session.condemn();
    await inTurns(ends, ({ session, reason, stage, rule }) => session.end(reason, { stage, rule }));
    return ends.length;
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
    const end = this.#verdict(session);
    if (end !== null) session.end(end.reason, end);
  }

  /** Null: it may go on, as far as its permit says now. */
  #verdict(session: Session): End | null {
    const now = this.latest(this.clock.now());
    const { identity, issuer } = session.opening;
    if (now > identity.notAfter) {
      const when = new Date(identity.notAfter).toISOString();
      return { reason: `the certificate of ${identity.user} expired on ${when}`, ...CERTIFICATE };
    }
    if (issuer !== this.#trust.issuer(identity)) {
      const what = `who is trusted has changed: the authority that issued the certificate of ${identity.user}`;
      return { reason: `${what} is not what it was when this session began`, ...CERTIFICATE };
    }
    const verdict = judgeSession(this.#policy, session.permit, now);
    if (!isPermit(verdict)) return verdict;
    session.permit = verdict;
    return null;
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
    const judged = this.latest(now);
    const { idleTimeout } = this.#snapshot.site.limits;
    for (const session of this.registry.all()) {
      if (now - session.lastActive > idleTimeout) {
        session.end(`nothing came from the client for ${idleTimeout / 1000} s`);
        continue;
      }
      const { notAfter } = session.opening.identity;
      const due = Math.min(nextChange(session.permit, this.#lookedAt), notAfter + 1);
      if (due <= judged || judged < this.#lookedAt) this.judge(session);
      if (!session.ended) session.report(now, false);
    }
    this.#lookedAt = judged;
    this.refusals.report(false);
    this.machines.report();
  }
}

/** Why a session ends. */
interface End {
  readonly reason: string;
  readonly stage: string;
  readonly rule: string | null;
}

const CERTIFICATE = { stage: "certificate", rule: null } as const;

function certificateOf({ authority, serialNumber, fingerprint }: Identity): CertificateInUse {
  return { authority, serialNumber, fingerprint };
}

/** No name leads to a machine of this site: these are reached through their grants and not around them. */
function outsideOf(snapshot: Snapshot, material: TlsMaterial): Outside {
  const servers = snapshot.network?.nameServers ?? [];
  const names = new Names(servers, (address) => machineAt(snapshot, address) !== null);
  return { names, context: clientContext(material) };
}

function needsTls12(snapshot: Snapshot): boolean {
  return snapshot.machines.some((machine) => machine.services.some((service) => service.unsafeTls12));
}
