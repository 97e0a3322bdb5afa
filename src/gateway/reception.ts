import type { Socket } from "node:net";
import type { Logger } from "pino";
import { UnavailableError } from "../base/index.ts";
import type { Identity } from "../identity/index.ts";
import type { PanelState, RevocationVerdict } from "../link/index.ts";
import { isDenial, openSession, type Policy } from "../policy/index.ts";
import type { Destination, Machine, Service } from "../site/index.ts";
import { cut } from "./cut.ts";
import { answerDenied } from "./denied.ts";
import type { Outside } from "./dial.ts";
import type { Machines } from "./machines.ts";
import { unrecorded, type Refused } from "./modbus-request.ts";
import { recordedIdentity, recordedOperation } from "./recorded.ts";
import type { Refusals } from "./refusals.ts";
import type { Registry } from "./registry.ts";
import { placeOf, stillServed } from "./served.ts";
import { freshId, type Opening, type Session, type Surroundings } from "./session.ts";
import { sessionFor } from "./sessions.ts";
import type { Trust } from "./trust.ts";

/** What those who let in need of the gateway behind them. */
export interface House extends Surroundings {
  readonly log: Logger;
  readonly registry: Registry;
  readonly machines: Machines;
  readonly refusals: Refusals;
  policy(): Policy;
  outside(): Outside;
  trust(): Trust;
  /** What a person at the box says by hand, as far as control is there to say it. */
  panel(): PanelState;
  /** Asks control whether the certificate is revoked. Throws an UnavailableError where it cannot be asked. */
  check(identity: Identity): Promise<RevocationVerdict>;
  /** Ends the session where the rules in force no longer allow it. */
  judge(session: Session): void;
}

/** A connection, from whom. */
export interface Caller {
  readonly socket: Socket;
  readonly source: { readonly address: string; readonly port: number };
}

/** Who is there and what he wants, however that became known. */
export interface Visit extends Caller {
  /** The name of the session to be. */
  readonly id: string;
  readonly identity: Identity;
  /** Whose service it is; or, of a destination, who connects to it. */
  readonly machine: Machine;
  readonly destination: Destination | null;
  readonly service: Service;
  /** See Opening. */
  readonly issuer: string;
  /** Why it could not be asked whether the certificate is revoked; null: it was asked, or there is none. */
  readonly unasked: UnavailableError | null;
  /** For the record: how the connection came. */
  readonly detail: Readonly<Record<string, string>>;
}

type Wish = Pick<Visit, "identity" | "machine" | "destination" | "service" | "source">;
type About = Partial<Parameters<Refusals["add"]>[1]>;

/** The way in that all take once it is known who they are: policy, record, session. Nothing is passed on before both agreed. */
export class Reception {
  readonly #house: House;

  constructor(house: House) {
    this.#house = house;
  }

  async receive(visit: Visit): Promise<void> {
    const permit = this.open(visit);
    if (isDenial(permit)) {
      this.#deny(visit, permit);
      return;
    }
    const { id, identity, issuer, machine, destination, service, source, unasked } = visit;
    if (unasked !== null && machine.whenUnrecorded !== "allow") {
      this.#deny(visit, unrecorded(unasked));
      return;
    }
    const opening: Opening = {
      id,
      issuer,
      identity,
      permit,
      machine,
      destination,
      service,
      source: `${source.address}:${source.port}`,
    };
    const release = this.#house.registry.hold(permit.grants, identity.user);
    try {
      const grants = permit.grants.join(", ").slice(0, 1000);
      const unrecordedAs = await this.#recordStart(opening, { ...visit.detail, grants });
      if (unrecordedAs) {
        this.#deny(visit, unrecordedAs);
        return;
      }
    } finally {
      release();
    }
    this.#begin(opening, visit.socket);
  }

  /** May he open it now? Changes nothing. */
  open({ identity, machine, destination, service, source }: Wish) {
    const connections = (grant: string, user: string): number =>
      this.#house.registry.connections(grant, user);
    const request = {
      identity,
      machine: placeOf({ machine, destination }),
      service: service.name,
      source: source.address,
      connections,
      locks: () => this.#house.trust().locks,
      panel: () => this.#house.panel(),
      posture: (name: string) => this.#house.trust().standing(this.#house.snapshot(), identity, name),
    };
    return openSession(this.#house.policy(), request, this.#house.latest(this.#house.clock.now()));
  }

  /** Ends the connection of who gets nothing, and says so on record. */
  refuse(caller: Caller, refused: Pick<Refused, "stage" | "reason">, about: About): void {
    cut(caller.socket);
    this.#recordRefusal(caller, refused, about);
  }

  #begin(opening: Opening, socket: Socket): void {
    // While the start was being recorded the client may have left, and the site may have changed.
    const now = stillServed(opening, this.#house.snapshot());
    if (socket.destroyed) {
      this.#neverBegan(opening, "the client left before the session began");
      return;
    }
    const place = placeOf(opening);
    const doom = this.#house.registry.doomOf(opening.id);
    if (doom) {
      cut(socket);
      this.#neverBegan(opening, doom.reason, doom.stage);
      return;
    }
    if (!now) {
      cut(socket);
      this.#neverBegan(opening, `the site document changed ${opening.service.name} of ${place}`);
      return;
    }
    const session = sessionFor({ ...opening, machine: now }, this.#house, socket);
    this.#house.registry.add(session);
    this.#house.judge(session);
    if (session.ended) return;
    session.start();
    const { id, identity, service, source } = opening;
    this.#house.log.info(
      { session: id, user: identity.user, machine: place, service: service.name, source },
      "session started",
    );
  }

  /** Null once it is on record, or where this machine may be used unrecorded. */
  async #recordStart(opening: Opening, detail: Record<string, string>): Promise<Refused | null> {
    const [rule] = opening.permit.grants;
    const draft = {
      ...this.#about(opening),
      id: opening.id,
      kind: "session.start",
      decision: "permit",
      ...(rule === undefined ? {} : { rule }),
      detail,
    } as const;
    try {
      await this.#house.recorder.commit([draft]);
      return null;
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      if (opening.machine.whenUnrecorded === "allow") {
        this.#house.recorder.note(draft);
        return null;
      }
      return unrecorded(error);
    }
  }

  /** The end of a session whose start is on record and that nothing was passed on for. */
  #neverBegan(opening: Opening, reason: string, stage?: string): void {
    this.#house.recorder.note({
      ...this.#about(opening),
      kind: "session.end",
      id: freshId(),
      reason,
      ...(stage === undefined ? {} : { decision: "denial", stage }),
      duration: 0,
    });
  }

  #about(opening: Opening) {
    return {
      time: this.#house.clock.now(),
      session: opening.id,
      identity: recordedIdentity(opening.identity),
      source: opening.source,
      machine: placeOf(opening),
      service: opening.service.name,
      siteVersion: this.#house.snapshot().version,
    };
  }

  /** Who it is is known, and this service is not for him: a Modbus client is told so in its own protocol. */
  #deny(visit: Visit, refused: Refused): void {
    const about = {
      identity: recordedIdentity(visit.identity),
      machine: placeOf(visit),
      service: visit.service.name,
    };
    this.#recordRefusal(visit, refused, about);
    if (visit.service.protocol === "tcp") {
      cut(visit.socket);
      return;
    }
    answerDenied(visit.socket, refused, (operation) => {
      this.#house.recorder.note({
        ...about,
        time: this.#house.clock.now(),
        kind: "operation",
        id: freshId(),
        source: `${visit.source.address}:${visit.source.port}`,
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

  #recordRefusal(
    { source }: Caller,
    refused: Pick<Refused, "stage" | "reason"> & { readonly rule?: string | null },
    about: About,
  ): void {
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
}
