import type { Logger } from "pino";
import { UnavailableError, type Clock } from "../base/index.ts";
import { isRefusal, peerOf, readIdentity, type Identity } from "../identity/index.ts";
import type { MachineView, SessionView, TlsMaterial } from "../link/index.ts";
import { Flusher } from "../machine/index.ts";
import { compilePolicy, isDenial, isPermit, judgeSession, nextChange, openSession, RateBook, type Policy } from "../policy/index.ts";
import type { Address } from "../settings/index.ts";
import type { Machine, Service, Snapshot } from "../site/index.ts";
import { Admission } from "./admission.ts";
import { answerDenied } from "./denied.ts";
import { directoryFor } from "./directory.ts";
import { Listener, type Arrival, type ListenerHost } from "./listener.ts";
import { Machines } from "./machines.ts";
import { ModbusSession } from "./modbus-session.ts";
import { unrecorded, type Refused } from "./modbus-request.ts";
import { recordedIdentity, recordedOperation } from "./recorded.ts";
import { Recorder } from "./recorder.ts";
import { Refusals } from "./refusals.ts";
import { Registry } from "./registry.ts";
import { RelaySession } from "./relay-session.ts";
import { freshId, type Opening, type Session, type Surroundings } from "./session.ts";
import { findTarget } from "./target.ts";

/** Milliseconds between looks at what time alone changes: expiry, idleness, hours, sums. */
const SWEEP = 1_000;

/**
 * Accepts laptops, judges them, and holds their sessions. A connection passes, in this order: limits, TLS handshake, certificate,
 * service, policy, record. Nothing is passed on before all have agreed.
 */
export class Gateway implements ListenerHost, Surroundings {
  readonly admission = new Admission();
  readonly recorder: Recorder;
  readonly flushers = { requests: new Flusher(), answers: new Flusher() };
  readonly rates = new RateBook(() => this.clock.monotonic());
  readonly clock: Clock;
  readonly #log: Logger;
  readonly #registry = new Registry();
  readonly #refusals: Refusals;
  readonly #machines: Machines;
  readonly #listeners: readonly Listener[];
  #snapshot: Snapshot;
  #policy: Policy;
  #material: TlsMaterial;
  #sweep: NodeJS.Timeout | null = null;

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
    this.#log = log;
    this.#refusals = new Refusals(recorder, clock);
    this.#machines = new Machines(this.flushers, clock, (draft) => {
      this.#log.warn({ machine: draft.machine, service: draft.service, ...draft.detail }, draft.reason);
      recorder.note({ ...draft, id: freshId(), time: clock.now() });
    });
    this.#listeners = [new Listener(addresses.modbus, true, this), new Listener(addresses.services, false, this)];
    for (const listener of this.#listeners) listener.setMaterial(initial.material, needsTls12(initial.snapshot));
  }

  async listen(): Promise<void> {
    for (const listener of this.#listeners) await listener.listen();
    this.#sweep = setInterval(() => this.#look(), SWEEP);
  }

  close(reason: string): void {
    if (this.#sweep) clearInterval(this.#sweep);
    for (const session of this.#registry.all()) session.end(reason);
    for (const listener of this.#listeners) listener.close();
    this.#machines.close();
    this.#refusals.report(true);
  }

  snapshot(): Snapshot {
    return this.#snapshot;
  }

  sessions(): SessionView[] {
    return this.#registry.all().map((session) => session.view());
  }

  sessionIds(): string[] {
    return this.#registry.all().map((session) => session.opening.id);
  }

  openWrites(): string[] {
    return this.#registry.all().flatMap((session) => session.openWrites());
  }

  machines(): MachineView[] {
    return this.#machines.views();
  }

  endSession(id: string, reason: string): boolean {
    const session = this.#registry.get(id);
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
    const stale = this.#machines.takeStale(snapshot);
    for (const session of this.#registry.all()) {
      const { machine, service } = session.opening;
      const now = snapshot.machines.find((each) => each.name === machine.name);
      if (stale.has(`${machine.name}/${service.name}`) || !now) {
        session.end(`the site document changed ${service.name} of ${machine.name}`);
        continue;
      }
      session.machine = now;
      this.#judge(session);
    }
    for (const { port } of stale.values()) port.close();
  }

  // --- ListenerHost -------------------------------------------------------------------------------------------------

  arrived(arrival: Arrival): void {
    this.#admit(arrival).catch((error: unknown) => {
      arrival.socket.destroy();
      this.#log.fatal({ err: error }, "a connection could not be judged");
      throw error;
    });
  }

  turnedAway(source: { address: string; port: number }, stage: string, reason: string): void {
    this.#refusals.add(source.address, { source: `${source.address}:${source.port}`, stage, reason });
  }

  // --- Surroundings -------------------------------------------------------------------------------------------------

  ended(session: Session): void {
    this.#registry.remove(session);
  }

  // --- judging ------------------------------------------------------------------------------------------------------

  async #admit(arrival: Arrival): Promise<void> {
    const { socket, source } = arrival;
    const now = this.clock.now();
    const found = readIdentity(peerOf(socket), now);
    if (isRefusal(found)) {
      this.#refuse(arrival, { stage: "certificate", reason: found.reason }, { ...(found.presented ? { presented: found.presented } : {}) });
      return;
    }
    // Node sets it on server sockets to the SNI, or false; its types do not say so.
    const serverName = "servername" in socket && typeof socket.servername === "string" ? socket.servername : undefined;
    const target = findTarget(this.#snapshot, {
      serverName,
      protocol: socket.alpnProtocol || null,
      modbusOnly: arrival.modbusOnly,
    });
    const who = { identity: recordedIdentity(found) };
    if (target.kind === "none") {
      this.#refuse(arrival, { stage: "service", reason: target.reason }, who);
      return;
    }
    if (target.kind === "directory") {
      this.#answerDirectory(arrival, found);
      return;
    }
    const { machine, service } = target;
    const about = { ...who, machine: machine.name, service: service.name };
    if (socket.getProtocol() !== "TLSv1.3" && !service.unsafeTls12) {
      const reason = `${socket.getProtocol()} is not accepted for ${service.name} of ${machine.name}: only TLSv1.3`;
      this.#refuse(arrival, { stage: "tls", reason }, about);
      return;
    }
    const permit = this.#open(found, machine, service, source.address, now);
    if (isDenial(permit)) {
      this.#deny(arrival, permit, about, service);
      return;
    }
    const opening: Opening = {
      id: freshId(),
      identity: found,
      permit,
      machine,
      service,
      source: `${source.address}:${source.port}`,
    };
    await this.#begin(arrival, opening, serverName ?? "");
  }

  async #begin(arrival: Arrival, opening: Opening, serverName: string): Promise<void> {
    const { socket } = arrival;
    const { identity, machine, service, permit, id, source } = opening;
    const release = this.#registry.hold(permit.grants, identity.user);
    try {
      const unrecordedAs = await this.#recordStart(opening, {
        tls: socket.getProtocol() ?? "",
        cipher: socket.getCipher().name,
        serverName,
        grants: permit.grants.join(", ").slice(0, 1000),
      });
      if (unrecordedAs) {
        const about = { identity: recordedIdentity(identity), machine: machine.name, service: service.name };
        this.#deny(arrival, unrecordedAs, about, service);
        return;
      }
    } finally {
      release();
    }
    const session = this.#sessionOf(opening, socket);
    this.#registry.add(session);
    if (socket.destroyed) {
      session.end("the client left before the session began");
      return;
    }
    // The site may have changed while the start was being recorded.
    if (this.#snapshot.machines.every((each) => each.name !== machine.name)) {
      session.end(`the site document no longer has ${machine.name}`);
      return;
    }
    this.#judge(session);
    if (session.ended) return;
    session.start();
    this.#log.info({ session: id, user: identity.user, machine: machine.name, service: service.name, source }, "session started");
  }

  /** Null once it is on record, or where this machine may be used unrecorded. */
  async #recordStart(opening: Opening, detail: Record<string, string>): Promise<Refused | null> {
    const { id, identity, machine, service, source, permit } = opening;
    const draft = {
      time: this.clock.now(),
      id,
      kind: "session.start",
      session: id,
      identity: recordedIdentity(identity),
      source,
      machine: machine.name,
      service: service.name,
      decision: "permit",
      ...(permit.grants[0] === undefined ? {} : { rule: permit.grants[0] }),
      siteVersion: this.#snapshot.version,
      detail,
    } as const;
    try {
      await this.recorder.commit([draft]);
      return null;
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      if (machine.whenUnrecorded === "allow") {
        this.recorder.note(draft);
        return null;
      }
      return unrecorded(error);
    }
  }

  #sessionOf(opening: Opening, socket: Arrival["socket"]): Session {
    const { machine, service } = opening;
    if (service.protocol === "tcp") return new RelaySession(opening, this, socket, service);
    const { port, gate } = this.#machines.get(machine, service);
    return new ModbusSession(opening, this, socket, port, gate);
  }

  #open(identity: Identity, machine: Machine, service: Service, source: string, now: number): ReturnType<typeof openSession> {
    const connections = (grant: string, user: string): number => this.#registry.connections(grant, user);
    return openSession(this.#policy, { identity, machine: machine.name, service: service.name, source, connections }, now);
  }

  /** Who it is is known, and this service is not for him: a Modbus client is told so in its own protocol. */
  #deny(arrival: Arrival, refused: Refused, about: Partial<Parameters<Refusals["add"]>[1]>, service: Service): void {
    this.#recordRefusal(arrival, refused, about);
    if (service.protocol === "tcp") {
      arrival.socket.destroy();
      return;
    }
    answerDenied(arrival.socket, refused, (operation) => {
      this.recorder.note({
        ...about,
        time: this.clock.now(),
        kind: "operation",
        id: freshId(),
        source: `${arrival.source.address}:${arrival.source.port}`,
        operation: recordedOperation(operation),
        decision: "denial",
        stage: refused.stage,
        ...(refused.rule === null ? {} : { rule: refused.rule }),
        reason: refused.reason,
        exception: refused.exception,
        siteVersion: this.#snapshot.version,
      });
    });
  }

  #refuse(
    arrival: Arrival,
    refused: Pick<Refused, "stage" | "reason">,
    about: Partial<Parameters<Refusals["add"]>[1]>,
  ): void {
    arrival.socket.destroy();
    this.#recordRefusal(arrival, refused, about);
  }

  #recordRefusal(
    arrival: Arrival,
    refused: Pick<Refused, "stage" | "reason"> & { readonly rule?: string | null },
    about: Partial<Parameters<Refusals["add"]>[1]>,
  ): void {
    const { source } = arrival;
    this.#log.info({ source: source.address, stage: refused.stage, user: about.identity?.user }, refused.reason);
    this.#refusals.add(source.address, {
      ...about,
      source: `${source.address}:${source.port}`,
      stage: refused.stage,
      reason: refused.reason,
      ...(refused.rule ? { rule: refused.rule } : {}),
      siteVersion: this.#snapshot.version,
    });
  }

  #answerDirectory(arrival: Arrival, identity: Identity): void {
    const { socket, source } = arrival;
    const now = this.clock.now();
    const directory = directoryFor(this.#snapshot, identity, (machine, service) =>
      isPermit(this.#open(identity, machine, service, source.address, now)),
    );
    socket.end(`${JSON.stringify(directory)}\n`);
  }

  #judge(session: Session): void {
    const verdict = judgeSession(this.#policy, session.permit, this.clock.now());
    if (isPermit(verdict)) session.permit = verdict;
    else session.end(verdict.reason, verdict);
  }

  /** What time alone changes. A clock that was set back is only noticed by what it makes due again. */
  #look(): void {
    const now = this.clock.now();
    const { idleTimeout } = this.#snapshot.site.limits;
    for (const session of this.#registry.all()) {
      const { identity } = session.opening;
      if (now > identity.notAfter) {
        session.end(`the certificate of ${identity.user} expired on ${new Date(identity.notAfter).toISOString()}`, EXPIRED);
      } else if (now - session.lastActive > idleTimeout) {
        session.end(`nothing came from the client for ${idleTimeout / 1000} s`);
      } else {
        if (nextChange(session.permit, this.#lookedAt) <= now || now < this.#lookedAt) this.#judge(session);
        if (!session.ended) session.report(now, false);
      }
    }
    this.#lookedAt = now;
    this.#refusals.report(false);
  }

  #lookedAt = 0;
}

const EXPIRED = { stage: "certificate", rule: null } as const;

function needsTls12(snapshot: Snapshot): boolean {
  return snapshot.machines.some((machine) => machine.services.some((service) => service.unsafeTls12));
}
