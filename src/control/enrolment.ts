/** Where laptops enrol: open as long as there is an authority, with a certificate of control's own that is renewed as the gateway's is. */
import { createHash, randomUUID, X509Certificate } from "node:crypto";
import type { Logger } from "pino";
import type { AuditLog, Database } from "../audit/index.ts";
import { type Subject, TIERS } from "../authority/index.ts";
import {
  EnrolService,
  type HeldCertificate,
  type PostureHandler,
  serveEnrolment,
} from "../enrolment/index.ts";
import { messageOf, UsageError, type Channel, type Clock } from "../base/index.ts";
import type { Identity } from "../identity/index.ts";
import { lockOn, Locks, type Standing } from "../policy/index.ts";
import type { Address } from "../settings/index.ts";
import type { Snapshot } from "../site/index.ts";
import type { Authorities } from "./authorities.ts";
import type { OwnTls } from "./certify.ts";
import { OwnServer } from "./own-server.ts";
import type { TrustKeeper } from "./trust.ts";

export interface EnrolmentDeskParts {
  readonly db: Database;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Logger;
  readonly listen: Address;
  readonly authorities: Authorities;
  readonly tls: OwnTls;
  readonly trust: TrustKeeper;
  site(): Snapshot;
  readonly posture: PostureHandler | null;
}

/** Milliseconds between attempts to listen, where the port cannot be had. */
const AGAIN = 10_000;

type Pair = Parameters<EnrolService["setMaterial"]>[0];

export class EnrolmentDesk {
  readonly #parts: EnrolmentDeskParts;
  readonly #own: OwnServer;
  #service: Promise<EnrolService> | null = null;
  #pair: Pair | null = null;
  #listening = false;
  #opening: Promise<void> = Promise.resolve();
  #problem = "";
  #again: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(parts: EnrolmentDeskParts) {
    this.#parts = parts;
    this.#own = new OwnServer(parts.tls, (pair) => this.#install(pair), parts.clock, parts.log);
  }

  /** At the start, and when authorities or names may be others. Never rejects. */
  async follow(): Promise<void> {
    const { log } = this.#parts;
    try {
      await this.#own.follow();
      if (this.#listening) (await this.service()).trustChanged();
    } catch (error) {
      log.error({ reason: messageOf(error) }, "the enrolment listener goes on with what it had");
    }
  }

  /** Answers one command's channel. */
  serve(channel: Channel): void {
    serveEnrolment(channel, () => this.service());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#own.stop();
    if (this.#again !== null) clearTimeout(this.#again);
    await this.#opening;
    // One that could not be made has said so to whoever asked for it.
    const service = await this.#service?.catch(() => null);
    await service?.close();
  }

  /** Rejects with an UnavailableError where there is no authority, or its keyring does not open. */
  async service(): Promise<EnrolService> {
    this.#parts.authorities.issuer().cacerts();
    this.#service ??= this.#make();
    try {
      return await this.#service;
    } catch (error) {
      this.#service = null;
      throw error;
    }
  }

  async #make(): Promise<EnrolService> {
    const { db, audit, clock, log, authorities, tls, trust, posture } = this.#parts;
    const issuer = () => authorities.issuer();
    return new EnrolService({
      db,
      keyring: await authorities.keyring(),
      issuer: {
        cacerts: () => issuer().cacerts(),
        issue: (request, subject, by, renews) => issuer().issue(request, subject, by, renews),
        holder: (fingerprint) =>
          authorities.plant.holder(fingerprint) ?? authorities.upstream.holder(fingerprint),
      },
      append: (drafts) => audit.append(drafts, "now"),
      clock,
      floor: () => trust.clock().floor,
      signIn: () => this.#parts.site().trust.signIn,
      userOf: (device) => authorities.userOf(device),
      refuses: (subject, certificate) => this.#lockOn(subject, certificate),
      authorities: () =>
        trust.state().authorities.map(({ certificate, ...authority }) => ({
          ...authority,
          certificate: new X509Certificate(certificate),
        })),
      tiers: () => this.#tiers(),
      clientCa: () => tls.given().clientCa,
      crl: (authority) => this.#list(authority),
      fingerprint: () => this.#fingerprint(),
      posture,
      log,
    });
  }

  /** With files of the settings there may be a certificate and no authority: nobody enrols then, and nothing is opened. */
  async #install(pair: Pair): Promise<void> {
    this.#pair = pair;
    if (this.#listening) {
      (await this.service()).setMaterial(pair);
      return;
    }
    if (!this.#parts.authorities.plant.initialised && !this.#parts.authorities.upstream.identity.there)
      return;
    this.#opening = this.#opening.then(() => this.#open());
    await this.#opening;
  }

  /** A port that cannot be had stops neither control nor the renewal: it is said once, and tried again. */
  async #open(): Promise<void> {
    if (this.#listening || this.#stopped || this.#pair === null) return;
    const { listen, log } = this.#parts;
    try {
      const service = await this.service();
      const port = await service.open(listen.host, listen.port, this.#pair);
      this.#listening = true;
      this.#problem = "";
      log.info({ address: listen.host, port }, "laptops can enrol");
    } catch (error) {
      this.#complain(messageOf(error));
      this.#again = setTimeout(() => {
        this.#opening = this.#opening.then(() => this.#open());
      }, AGAIN);
    }
  }

  #complain(reason: string): void {
    if (reason === this.#problem) return;
    this.#problem = reason;
    const { audit, clock, log } = this.#parts;
    log.error({ reason }, "laptops cannot enrol");
    audit
      .append([{ time: clock.now(), kind: "trust", id: randomUUID(), reason }], "now")
      .catch((error: unknown) => log.error({ reason: messageOf(error) }, "it could not be recorded"));
  }

  /** A site's own authority in the plant's place issues for every tier of the plant itself. */
  #tiers() {
    const { plant, upstream } = this.#parts.authorities;
    if (upstream.identity.there) return TIERS.map((tier) => ({ tier, tenant: null }));
    return plant.store
      .standing("issuing")
      .flatMap(({ state, tier, tenant }) => (state === "current" && tier !== null ? [{ tier, tenant }] : []));
  }

  /** Null: there is no such authority here, or no list of it. */
  #list(authority: string): Buffer | null {
    try {
      return this.#parts.authorities.plant.crl(authority);
    } catch (error) {
      if (error instanceof UsageError) return null;
      throw error;
    }
  }

  #fingerprint(): string | null {
    const { plant, upstream } = this.#parts.authorities;
    if (plant.initialised && !upstream.identity.there) return plant.fingerprint();
    const [root] = upstream.cacerts();
    return root === undefined ? null : createHash("sha256").update(root).digest("hex");
  }

  /** Locks on people, laptops and certificates. One on a posture is none on the certificate: it is about what a laptop is like now. */
  #lockOn(subject: Subject, certificate: HeldCertificate | null): string | null {
    const { user, device, tier, tenant, role } = subject;
    const groups = [...subject.groups, ...(this.#parts.site().people[user] ?? [])];
    const { fingerprint, serialNumber } = certificate ?? { fingerprint: "", serialNumber: "" };
    const identity: Identity = {
      kind: "certificate",
      user,
      device,
      tier,
      tenant,
      role,
      groups,
      fingerprint,
      serialNumber,
      authority: null,
      issuer: "",
      notBefore: 0,
      notAfter: 0,
    };
    const locks = new Locks(this.#parts.trust.locks.all.filter(({ kind }) => kind !== "posture"));
    const lock = lockOn(locks, { identity, groups, machine: "", posture: anyPosture }, 0);
    return lock === null ? null : `${lock.kind} ${lock.value} is locked: ${lock.reason}`;
  }
}

/** Meets whatever is asked. */
function anyPosture(): Standing {
  return { until: Infinity, lack: "" };
}
