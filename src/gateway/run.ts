import { join } from "node:path";
import type { Logger } from "pino";
import { messageOf, NiacError, systemClock, UnavailableError, type Channel } from "../base/index.ts";
import * as link from "../link/index.ts";
import type { Settings } from "../settings/index.ts";
import { Gateway } from "./gateway.ts";
import { identify } from "./identify.ts";
import { Recorder } from "./recorder.ts";
import { Responders } from "./responders.ts";
import { freshId } from "./session.ts";
import type { TlsMaterial } from "./tls.ts";

/** Milliseconds between attempts to reach control. */
const REDIAL = 300;
/** Milliseconds a clean stop waits for the last records. */
const PATIENCE = 3_000;

/**
 * Descriptors of listening sockets that `niac up` opened as root, with IP_TRANSPARENT, and handed on, so that this process needs no
 * privilege; see Entrance and PlainArrival. Null: not in the cable.
 */
export interface Inherited {
  readonly captured: number | null;
  readonly plain: number | null;
  readonly outbound: number | null;
}

/**
 * Runs the gateway: attaches to control, opens the listeners, and attaches again whenever control comes back. Resolves
 * once it listens; until control answers for the first time it listens to nobody.
 */
export async function runGateway(
  settings: Settings,
  inherited: Inherited,
  log: Logger,
): Promise<{ stop(): Promise<void> }> {
  const recorder = new Recorder(systemClock, freshId);
  const process = new GatewayProcess(settings, inherited, recorder, log);
  await process.attachFirst();
  return { stop: () => process.stop() };
}

class GatewayProcess {
  readonly #settings: Settings;
  readonly #inherited: Inherited;
  readonly #recorder: Recorder;
  readonly #log: Logger;
  /** New at every start, so that control can tell a gateway that came back from one that was restarted. */
  readonly #instance = freshId();
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
  }

  async attachFirst(): Promise<void> {
    while (!this.#gateway && !this.#stopped) {
      if (await this.#attach()) return;
      await new Promise((resolve) => setTimeout(resolve, REDIAL));
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
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
    this.#answer(channel);
    try {
      const kept = this.#recorder.endingsKept();
      const sessions = [...kept.sessions, ...(this.#gateway?.sessionIds() ?? [])];
      const writes = [...kept.writes, ...(this.#gateway?.openWrites() ?? [])];
      const { snapshot, tls } = await channel.call(link.attach, {
        instance: this.#instance,
        sessions,
        writes,
      });
      const material = materialOf(tls);
      if (this.#gateway) this.#applySafely(() => this.#gateway?.apply(snapshot, material));
      else await this.#open(snapshot, material);
    } catch (error) {
      channel.close();
      if (!this.#gateway && !(error instanceof UnavailableError)) throw error;
      this.#complain(error);
      return false;
    }
    this.#channel = channel;
    this.#complaint = "";
    this.#recorder.connect((drafts, urgency) => channel.call(link.append, { drafts, urgency }));
    channel.onClosed((error) => this.#lost(channel, error));
    this.#log.info({ site: this.#gateway?.snapshot().version }, "attached to control");
    return true;
  }

  async #open(snapshot: Parameters<Gateway["apply"]>[0], material: TlsMaterial): Promise<void> {
    const { captured, plain, outbound } = this.#inherited;
    const places = {
      modbus: this.#settings.listenModbus,
      services: this.#settings.listenServices,
      captured: placeOf(captured),
      plain: placeOf(plain),
      outbound: placeOf(outbound),
    };
    const gateway = new Gateway({ snapshot, material }, places, this.#recorder, systemClock, this.#log);
    try {
      await gateway.listen();
    } catch (error) {
      // The listeners that did open would be in the way of the next attempt.
      gateway.close("the gateway could not start");
      throw error;
    }
    this.#gateway = gateway;
    if (places.outbound !== null)
      this.#responders = new Responders(() => gateway.snapshot(), this.#recorder, systemClock, this.#log);
    this.#log.info(places, "gateway is ready");
  }

  #answer(channel: Channel): void {
    channel.on(link.newSnapshot, ({ snapshot }) => this.#applySafely(() => this.#gateway?.apply(snapshot)));
    channel.handle(link.gatewaySessions, () => this.#gateway?.sessions() ?? []);
    channel.handle(link.gatewayMachines, () => this.#gateway?.machines.views() ?? []);
    channel.handle(link.gatewayIdentify, ({ address }) => identify(address));
    channel.handle(link.gatewayEnd, ({ session, reason }) => ({
      ended: this.#gateway?.endSession(session, reason) ?? false,
    }));
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
    if (!(await this.#attach()) && !this.#stopped) this.#redialSoon();
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

function materialOf({ own, clientCa, serverCa }: link.TlsGiven): TlsMaterial {
  if (own !== null) return { ...own, clientCa, serverCa };
  throw new UnavailableError("no-certificate", "the gateway has no certificate of its own");
}
