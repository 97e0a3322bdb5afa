import { join } from "node:path";
import type { Logger } from "pino";
import type * as z from "zod";
import {
  messageOf,
  NiacError,
  systemClock,
  UnavailableError,
  type Channel,
  type RenewalState,
} from "../base/index.ts";
import * as link from "../link/index.ts";
import type { Settings } from "../settings/index.ts";
import { Gateway } from "./gateway.ts";
import { identify } from "./identify.ts";
import { OwnCertificate, type OwnPair } from "./own-certificate.ts";
import { namesOf, ownRecord, ownWords, stateOfFile } from "./own-state.ts";
import { away, Recorder } from "./recorder.ts";
import { Responders } from "./responders.ts";
import { freshId } from "./session.ts";
import type { TlsMaterial } from "./tls.ts";

/** Milliseconds between attempts to reach control. */
const REDIAL = 300;
/** Milliseconds a clean stop waits for the last records. */
const PATIENCE = 3_000;
/** Milliseconds after which a control that does not answer is taken for away. */
const ANSWER = 15_000;

/**
 * Descriptors of listening sockets that `niac up` opened as root, with IP_TRANSPARENT, and handed on, so that this process needs no
 * privilege; see Entrance and PlainArrival. Null: not in the cable.
 */
export interface Inherited {
  readonly captured: number | null;
  readonly plain: number | null;
  readonly outbound: number | null;
}

type Given = z.infer<typeof link.attach.result>;

/**
 * Runs the gateway: attaches to control, opens the listeners, and attaches again whenever control comes back. Until control answers for
 * the first time, and there is a certificate, it listens to nobody. `failed` rejects with what cannot get better by itself.
 */
export function runGateway(
  settings: Settings,
  inherited: Inherited,
  log: Logger,
): { stop(): Promise<void>; alive(): Promise<boolean>; readonly failed: Promise<never> } {
  const recorder = new Recorder(systemClock, freshId);
  const process = new GatewayProcess(settings, inherited, recorder, log);
  const failed = process.attachFirst().then(() => new Promise<never>(() => {}));
  return { stop: () => process.stop(), alive: () => process.alive(), failed };
}

class GatewayProcess {
  readonly #settings: Settings;
  readonly #inherited: Inherited;
  readonly #recorder: Recorder;
  readonly #log: Logger;
  /** New at every start, so that control can tell a gateway that came back from one that was restarted. */
  readonly #instance = freshId();
  readonly #own: OwnCertificate;
  readonly #opened = Promise.withResolvers<void>();
  /** What control gave last; null until it did for the first time. */
  #given: Given | null = null;
  /** Null: no certificate yet. */
  #pair: OwnPair | null = null;
  #gateway: Gateway | null = null;
  #responders: Responders | null = null;
  #channel: Channel | null = null;
  #redial: NodeJS.Timeout | null = null;
  #stopped = false;
  #complaint = "";

  constructor(settings: Settings, inherited: Inherited, recorder: Recorder, log: Logger) {
    this.#settings = settings;
    this.#inherited = inherited;
    this.#recorder = recorder;
    this.#log = log;
    this.#own = new OwnCertificate({
      clock: systemClock,
      certify: (request) => this.#certify(request),
      install: (pair) => this.#install(pair),
      tell: (state, first) => this.#tell(state, first),
    });
  }

  async attachFirst(): Promise<void> {
    while (!this.#stopped && !(await this.#attach()))
      await new Promise((resolve) => setTimeout(resolve, REDIAL));
    await this.#opened.promise;
  }

  /**
   * True once control has answered, or is known to be away. One that keeps the channel and does not answer is given up, so that what
   * holds without control begins to hold: new sessions and writes are refused, and no longer wait.
   */
  async alive(): Promise<boolean> {
    const channel = this.#channel;
    if (channel === null) return true;
    const unanswered = setTimeout(() => {
      this.#log.error({ waited: ANSWER }, "control does not answer: the channel to it is given up");
      channel.close();
    }, ANSWER);
    // That it was lost is another's to deal with.
    await channel.call(link.ping, null).catch(() => undefined);
    clearTimeout(unanswered);
    return true;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#opened.resolve();
    this.#own.stop();
    if (this.#redial) clearTimeout(this.#redial);
    await this.#responders?.close();
    this.#gateway?.close("the appliance is being stopped");
    await this.#recorder.drain(PATIENCE);
    this.#recorder.close();
    this.#channel?.notify(link.leaving, null);
    this.#channel?.close();
  }

  /** False where control is away or refuses; what cannot get better by itself is thrown. */
  async #attach(): Promise<boolean> {
    let channel: Channel;
    try {
      channel = await link.dial(join(this.#settings.runDir, link.GATEWAY_SOCKET), "gateway");
    } catch (error) {
      this.#complain(error);
      return false;
    }
    const taken = Promise.withResolvers<void>();
    this.#answer(channel, taken.promise);
    try {
      const kept = this.#recorder.endingsKept();
      const sessions = [...kept.sessions, ...(this.#gateway?.sessionIds() ?? [])];
      const writes = [...kept.writes, ...(this.#gateway?.openWrites() ?? [])];
      const given = await channel.call(link.attach, { instance: this.#instance, sessions, writes });
      this.#channel = channel;
      await this.#take(given);
      taken.resolve();
    } catch (error) {
      this.#channel = null;
      channel.close();
      void this.#turn(link.NO_PANEL);
      if (!this.#gateway && !(error instanceof UnavailableError)) throw error;
      this.#complain(error);
      return false;
    }
    this.#complaint = "";
    this.#recorder.connect((drafts, urgency) => channel.call(link.append, { drafts, urgency }));
    channel.onClosed((error) => this.#lost(channel, error));
    this.#log.info({ site: this.#given?.snapshot.version }, "attached to control");
    return true;
  }

  /** Takes all that control gave: the files' certificate at once, the authority's as soon as it is made. */
  async #take(given: Given): Promise<void> {
    const { own } = given.tls;
    this.#given = given;
    if (own !== null) this.#pair = own;
    if (this.#gateway) this.#applySafely(() => this.#apply(given));
    else if (own !== null) await this.#open(own);
    this.#follow(given.tls);
  }

  #apply({ snapshot, tls, trust, panel }: Given): void {
    // Before the site document, which might be refused: what is locked is locked.
    void this.#gateway?.applyTrust(trust);
    void this.#gateway?.applyPanel(panel);
    if (this.#pair) this.#gateway?.apply(snapshot, materialOf(this.#pair, tls));
  }

  #follow(tls: link.TlsGiven): void {
    const { own } = tls;
    this.#own.follow(tls);
    this.#channel?.notify(link.ownCertificate, own === null ? this.#own.state : stateOfFile(own.certificate));
  }

  async #certify(request: Buffer): Promise<z.infer<typeof link.certify.result>> {
    try {
      if (this.#channel)
        return await this.#channel.call(link.certify, { request: request.toString("base64") });
    } catch (error) {
      if (!(error instanceof UnavailableError && error.code === "channel-lost")) throw error;
    }
    // It was away, or went while it was asked.
    throw new UnavailableError("control-away", "control, which signs it, is away");
  }

  /** Throws what is wrong with the pair; the old one then stays in use. */
  async #install(pair: OwnPair): Promise<void> {
    if (this.#given === null) return;
    if (this.#gateway) this.#gateway.renew(materialOf(pair, this.#given.tls));
    else await this.#open(pair);
    this.#pair = pair;
  }

  async #check(
    certificate: link.CertificateInUse,
    groups: readonly string[],
  ): Promise<link.RevocationVerdict> {
    if (!this.#channel) throw away();
    try {
      return await this.#channel.call(link.certificateCheck, { certificate, groups: [...groups] });
    } catch (error) {
      if (error instanceof UnavailableError && error.code === "channel-lost") throw away();
      const advice = error instanceof NiacError ? error.advice : undefined;
      const reason = `whether the certificate is revoked could not be asked: ${messageOf(error)}`;
      throw new UnavailableError("revocation-unasked", reason, advice, { cause: error });
    }
  }

  #tell(state: RenewalState, first: boolean): void {
    const words = ownWords(state, systemClock.now());
    if (state.problem !== null) this.#log.warn(words);
    else this.#log.info({ until: state.notAfter, names: this.#pair && namesOf(this.#pair) }, words);
    const draft = first ? ownRecord(state, systemClock.now()) : null;
    if (draft) this.#recorder.note({ ...draft, id: freshId() });
    this.#channel?.notify(link.ownCertificate, state);
  }

  async #open(pair: OwnPair): Promise<void> {
    const given = this.#given;
    if (given === null) return;
    const material = materialOf(pair, given.tls);
    const { captured, plain, outbound } = this.#inherited;
    const places = {
      modbus: this.#settings.listenModbus,
      services: this.#settings.listenServices,
      captured: placeOf(captured),
      plain: placeOf(plain),
      outbound: placeOf(outbound),
    };
    const { snapshot, trust, panel } = given;
    const gateway = new Gateway(
      { snapshot, material, trust, panel },
      places,
      this.#recorder,
      (certificate, groups) => this.#check(certificate, groups),
      systemClock,
      this.#log,
    );
    try {
      await gateway.listen();
    } catch (error) {
      // The listeners that did open would be in the way of the next attempt.
      gateway.close("the gateway could not start");
      throw error;
    }
    this.#gateway = gateway;
    this.#pair = pair;
    if (this.#stopped) return gateway.close("the appliance is being stopped");
    // What came while the listeners were being opened.
    const latest = this.#given;
    if (latest !== given && latest !== null) this.#applySafely(() => this.#apply(latest));
    if (places.outbound !== null)
      this.#responders = new Responders(() => gateway.snapshot(), this.#recorder, systemClock, this.#log);
    this.#log.info(places, "gateway is ready");
    this.#opened.resolve();
  }

  /** `taken`: what control says after its answer to attach must not come before that, which it may have overtaken in this process. */
  #answer(channel: Channel, taken: Promise<void>): void {
    const then = async (apply: () => void): Promise<void> => {
      await taken;
      apply();
    };
    channel.on(link.newSnapshot, ({ snapshot }) => void then(() => this.#newSnapshot(snapshot)));
    channel.on(link.newTls, ({ tls }) => void then(() => this.#newTls(tls)));
    channel.on(link.newFloor, ({ floor }) => void then(() => this.#newFloor(floor)));
    channel.handle(link.gatewayTrust, async ({ trust }) => {
      await taken;
      if (this.#given) this.#given = { ...this.#given, trust };
      return { ended: (await this.#gateway?.applyTrust(trust)) ?? 0 };
    });
    channel.handle(link.gatewayPanel, async ({ panel }) => {
      await taken;
      // A channel that is lost by now has had its last word taken back.
      if (this.#channel !== channel) throw away();
      return { ended: await this.#turn(panel) };
    });
    channel.handle(link.gatewayCertificates, async () => {
      await taken;
      return this.#gateway?.certificates() ?? [];
    });
    channel.handle(link.gatewayEndSessions, async ({ sessions, stage, reason }) => ({
      ended: (await this.#gateway?.endSessions(sessions, { stage, reason })) ?? 0,
    }));
    channel.handle(link.gatewaySessions, () => this.#gateway?.sessions() ?? []);
    channel.handle(link.gatewayMachines, () => this.#gateway?.machines.views() ?? []);
    channel.handle(link.gatewayIdentify, ({ address }) => identify(address));
    channel.handle(link.gatewayEnd, ({ session, reason }) => ({
      ended: this.#gateway?.endSession(session, reason) ?? false,
    }));
  }

  /** How many sessions it ended. */
  async #turn(panel: link.PanelState): Promise<number> {
    if (this.#given) this.#given = { ...this.#given, panel };
    return (await this.#gateway?.applyPanel(panel)) ?? 0;
  }

  #newSnapshot(snapshot: Given["snapshot"]): void {
    if (this.#given) this.#given = { ...this.#given, snapshot };
    this.#applySafely(() => this.#gateway?.apply(snapshot));
  }

  #newFloor(floor: number): void {
    if (this.#given) this.#given = { ...this.#given, trust: { ...this.#given.trust, floor } };
    this.#gateway?.applyFloor(floor);
  }

  #newTls(tls: link.TlsGiven): void {
    if (!this.#given) return;
    this.#given = { ...this.#given, tls };
    const pair = tls.own ?? this.#pair;
    this.#applySafely(() => {
      if (pair) this.#gateway?.renew(materialOf(pair, tls));
      this.#pair = pair;
    });
    this.#follow(tls);
  }

  /** A site document or certificate that cannot be used leaves the old one serving. */
  #applySafely(apply: () => void): void {
    try {
      apply();
    } catch (error) {
      this.#log.error(
        { reason: messageOf(error) },
        "the new site document or certificate cannot be used; the old one stays",
      );
      this.#recorder.note({
        time: systemClock.now(),
        kind: "process",
        id: freshId(),
        reason: `the gateway could not take the new site document or certificate: ${messageOf(error)}`.slice(
          0,
          1000,
        ),
      });
    }
  }

  #lost(channel: Channel, error: Error): void {
    if (this.#channel !== channel) return;
    this.#channel = null;
    this.#recorder.connect(null);
    if (this.#stopped) return;
    // Nobody would say that the key is turned off: what needs it ends here, whatever whenUnrecorded lets go on.
    void this.#turn(link.NO_PANEL);
    this.#log.warn(
      { reason: messageOf(error) },
      "control is away: sessions that read go on, new sessions and writes are refused",
    );
    this.#redialSoon();
  }

  #redialSoon(): void {
    this.#redial = setTimeout(() => void this.#attachAgain(), REDIAL);
  }

  async #attachAgain(): Promise<void> {
    try {
      if (!(await this.#attach()) && !this.#stopped) this.#redialSoon();
    } catch (error) {
      this.#opened.reject(error);
    }
  }

  /** Says it once and not at every attempt. */
  #complain(error: unknown): void {
    const message = messageOf(error);
    if (message === this.#complaint) return;
    this.#complaint = message;
    this.#log.warn(
      { reason: message, advice: error instanceof NiacError ? error.advice : undefined },
      "not attached to control",
    );
  }
}

function placeOf(fd: number | null): { readonly fd: number } | null {
  return fd === null ? null : { fd };
}

function materialOf(pair: OwnPair, { clientCa, serverCa }: link.TlsGiven): TlsMaterial {
  return { ...pair, clientCa, serverCa };
}
