import type { Logger } from "pino";
import { UnavailableError } from "../base/index.ts";
import { isRefusal, peerOf, readIdentity, type Identity } from "../identity/index.ts";
import { isDenial, isPermit, openSession, type Policy } from "../policy/index.ts";
import type { Machine, Service } from "../site/index.ts";
import { answerDenied } from "./denied.ts";
import { directoryFor } from "./directory.ts";
import type { Arrival } from "./listener.ts";
import type { Machines } from "./machines.ts";
import { ModbusSession } from "./modbus-session.ts";
import { unrecorded, type Refused } from "./modbus-request.ts";
import { recordedIdentity, recordedOperation } from "./recorded.ts";
import type { Refusals } from "./refusals.ts";
import type { Registry } from "./registry.ts";
import { RelaySession } from "./relay-session.ts";
import { freshId, stillServed, type Opening, type Session, type Surroundings } from "./session.ts";
import { findTarget } from "./target.ts";

/** What the door needs of the gateway behind it. */
export interface House extends Surroundings {
  readonly log: Logger;
  readonly registry: Registry;
  readonly machines: Machines;
  readonly refusals: Refusals;
  policy(): Policy;
  /** Ends the session where the rules in force no longer allow it. */
  judge(session: Session): void;
}

/**
 * Lets a laptop in, or says on record why not. A connection whose handshake is done passes, in this order: certificate, service,
 * policy, record. Nothing is passed on before all have agreed.
 */
export class Door {
  readonly #house: House;

  constructor(house: House) {
    this.#house = house;
  }

  async admit(arrival: Arrival): Promise<void> {
    const { socket, source } = arrival;
    const now = this.#house.clock.now();
    const found = readIdentity(peerOf(socket), now);
    if (isRefusal(found)) {
      this.#refuse(
        arrival,
        { stage: "certificate", reason: found.reason },
        found.presented ? { presented: found.presented } : {},
      );
      return;
    }
    // Node sets it on server sockets to the SNI, or false; its types do not say so.
    const serverName =
      "servername" in socket && typeof socket.servername === "string" ? socket.servername : undefined;
    const target = findTarget(this.#house.snapshot(), {
      serverName,
      protocol: socket.alpnProtocol || null,
      modbusOnly: arrival.modbusOnly,
    });
    const who = { identity: recordedIdentity(found) };
    if (target.kind === "none") {
      this.#refuse(arrival, { stage: "service", reason: target.reason }, who);
      return;
    }
    const version = socket.getProtocol();
    if (target.kind === "directory" && version !== "TLSv1.3") {
      this.#refuse(
        arrival,
        { stage: "tls", reason: `${version} is not accepted for the directory: only TLSv1.3` },
        who,
      );
      return;
    }
    if (target.kind === "directory") {
      this.#answerDirectory(arrival, found);
      return;
    }
    const { machine, service } = target;
    const about = { ...who, machine: machine.name, service: service.name };
    if (version !== "TLSv1.3" && !service.unsafeTls12) {
      const reason = `${version} is not accepted for ${service.name} of ${machine.name}: only TLSv1.3`;
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
    const release = this.#house.registry.hold(permit.grants, identity.user);
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
    // While the start was being recorded the client may have left, and the site may have changed.
    const now = stillServed(opening, this.#house.snapshot());
    if (socket.destroyed) {
      this.#neverBegan(opening, "the client left before the session began");
      return;
    }
    if (!now) {
      socket.destroy();
      this.#neverBegan(opening, `the site document changed ${service.name} of ${machine.name}`);
      return;
    }
    const session = this.#sessionOf({ ...opening, machine: now }, socket);
    this.#house.registry.add(session);
    this.#house.judge(session);
    if (session.ended) return;
    session.start();
    this.#house.log.info(
      { session: id, user: identity.user, machine: machine.name, service: service.name, source },
      "session started",
    );
  }

  /** Null once it is on record, or where this machine may be used unrecorded. */
  async #recordStart(opening: Opening, detail: Record<string, string>): Promise<Refused | null> {
    const { id, identity, machine, service, source, permit } = opening;
    const draft = {
      time: this.#house.clock.now(),
      id,
      kind: "session.start",
      session: id,
      identity: recordedIdentity(identity),
      source,
      machine: machine.name,
      service: service.name,
      decision: "permit",
      ...(permit.grants[0] === undefined ? {} : { rule: permit.grants[0] }),
      siteVersion: this.#house.snapshot().version,
      detail,
    } as const;
    try {
      await this.#house.recorder.commit([draft]);
      return null;
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      if (machine.whenUnrecorded === "allow") {
        this.#house.recorder.note(draft);
        return null;
      }
      return unrecorded(error);
    }
  }

  /** The end of a session whose start is on record and that nothing was passed on for. */
  #neverBegan({ id, identity, machine, service, source }: Opening, reason: string): void {
    this.#house.recorder.note({
      time: this.#house.clock.now(),
      id: freshId(),
      kind: "session.end",
      session: id,
      identity: recordedIdentity(identity),
      source,
      machine: machine.name,
      service: service.name,
      reason,
      duration: 0,
      siteVersion: this.#house.snapshot().version,
    });
  }

  #sessionOf(opening: Opening, socket: Arrival["socket"]): Session {
    const { machine, service } = opening;
    if (service.protocol === "tcp") return new RelaySession(opening, this.#house, socket, service);
    const { port, gate } = this.#house.machines.get(machine, service);
    return new ModbusSession(opening, this.#house, socket, port, gate);
  }

  #open(
    identity: Identity,
    machine: Machine,
    service: Service,
    source: string,
    now: number,
  ): ReturnType<typeof openSession> {
    const connections = (grant: string, user: string): number =>
      this.#house.registry.connections(grant, user);
    return openSession(
      this.#house.policy(),
      { identity, machine: machine.name, service: service.name, source, connections },
      now,
    );
  }

  /** Who it is is known, and this service is not for him: a Modbus client is told so in its own protocol. */
  #deny(
    arrival: Arrival,
    refused: Refused,
    about: Partial<Parameters<Refusals["add"]>[1]>,
    service: Service,
  ): void {
    this.#recordRefusal(arrival, refused, about);
    if (service.protocol === "tcp") {
      arrival.socket.destroy();
      return;
    }
    answerDenied(arrival.socket, refused, (operation) => {
      this.#house.recorder.note({
        ...about,
        time: this.#house.clock.now(),
        kind: "operation",
        id: freshId(),
        source: `${arrival.source.address}:${arrival.source.port}`,
        operation: recordedOperation(operation),
        decision: "denial",
        stage: refused.stage,
        ...(refused.rule === null ? {} : { rule: refused.rule }),
        reason: refused.reason,
        exception: refused.exception,
        siteVersion: this.#house.snapshot().version,
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
    this.#house.log.info(
      { source: source.address, stage: refused.stage, user: about.identity?.user },
      refused.reason,
    );
    this.#house.refusals.add(source.address, {
      ...about,
      source: `${source.address}:${source.port}`,
      stage: refused.stage,
      reason: refused.reason,
      ...(refused.rule ? { rule: refused.rule } : {}),
      siteVersion: this.#house.snapshot().version,
    });
  }

  #answerDirectory(arrival: Arrival, identity: Identity): void {
    const { socket, source } = arrival;
    const now = this.#house.clock.now();
    const directory = directoryFor(this.#house.snapshot(), identity, (machine, service) =>
      isPermit(this.#open(identity, machine, service, source.address, now)),
    );
    socket.end(`${JSON.stringify(directory)}\n`);
  }
}
