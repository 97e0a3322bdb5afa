import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { AuditLog, RecordDraft } from "../audit/index.ts";
import {
  messageOf,
  UnavailableError,
  type Call,
  type Channel,
  type Clock,
  type Event,
} from "../base/index.ts";
import {
  append,
  attach,
  certificateCheck,
  certify,
  leaving,
  ping,
  newSnapshot,
  newTls,
  ownCertificate,
  type CertificateInUse,
  type OwnCertificateState,
  type PanelState,
  type RevocationVerdict,
  type TlsGiven,
  type TrustState,
} from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";
import type { OwnTls } from "./certify.ts";
import { endingsOf } from "./reconcile.ts";

/** Records appended at once when a lost gateway's sessions are ended. */
const BATCH = 500;

/** What the gateway is told and has done for it. */
export interface GatewayHost {
  current(): {
    readonly snapshot: Snapshot;
    readonly tls: TlsGiven;
    readonly trust: TrustState;
    readonly panel: PanelState;
  };
  /** Signs a PKCS#10 request (DER) for the gateway's own certificate. */
  certify(request: Buffer): ReturnType<OwnTls["certify"]>;
  /** Whether a client's certificate is revoked. */
  check(certificate: CertificateInUse, groups: readonly string[]): Promise<RevocationVerdict>;
  /** A gateway has been given what there is, its answer to attach. */
  attached(): void;
  /** What the gateway handed in is stored. */
  recorded(drafts: readonly RecordDraft[]): void;
  /** How the gateway's own certificate stands, after every change of it; null: the gateway is gone. */
  ownCertificate(state: OwnCertificateState | null): void;
}

/** Control's side of the channel to the gateway: hands out the snapshot, takes records. One gateway at a time; a new one takes over. */
export class GatewayLink {
  readonly #audit: AuditLog;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #host: GatewayHost;
  #channel: Channel | null = null;
  #closing = false;

  constructor(audit: AuditLog, clock: Clock, log: Logger, host: GatewayHost) {
    this.#audit = audit;
    this.#clock = clock;
    this.#log = log;
    this.#host = host;
  }

  get attached(): boolean {
    return this.#channel !== null;
  }

  accept(channel: Channel): void {
    let instance = "";
    let left = false;
    let closed = false;
    channel.on(leaving, () => {
      if (left || this.#channel !== channel) return;
      left = true;
      // At once: control may be stopped before the channel closes.
      this.#gone("gateway stopped", instance);
    });
    channel.handle(attach, async (hello) => {
      instance = hello.instance;
      const now = this.#clock.now();
      const attached: RecordDraft = {
        time: now,
        kind: "process",
        id: randomUUID(),
        reason: "gateway attached",
        detail: { instance, sessions: hello.sessions.length },
      };
      const endings = endingsOf(this.#audit, hello, now);
      for (let at = 0; at < endings.length; at += BATCH)
        await this.#audit.append(endings.slice(at, at + BATCH), "now");
      await this.#audit.append([attached], "now");
      // A channel that closed meanwhile would never be noticed to be gone.
      if (closed)
        throw new UnavailableError("channel-lost", "the gateway was lost while it was being attached");
      this.#channel?.close();
      this.#channel = channel;
      this.#log.info({ instance, sessions: hello.sessions.length }, "gateway attached");
      setImmediate(() => this.#host.attached());
      return this.#host.current();
    });
    channel.handle(ping, () => null);
    channel.handle(certify, ({ request }) => {
      this.#mustBe(channel, "is given a certificate");
      return this.#host.certify(Buffer.from(request, "base64"));
    });
    channel.handle(certificateCheck, ({ certificate, groups }) => {
      this.#mustBe(channel, "asks what is revoked");
      return this.#host.check(certificate, groups);
    });
    channel.on(ownCertificate, (state) => {
      if (this.#channel === channel) this.#host.ownCertificate(state);
    });
    channel.handle(append, async ({ drafts, urgency }) => {
      this.#mustBe(channel, "hands in records");
      await this.#audit.append(drafts, urgency);
      this.#host.recorded(drafts);
      return null;
    });
    channel.onClosed((error) => {
      closed = true;
      if (this.#channel !== channel) return;
      this.#channel = null;
      this.#host.ownCertificate(null);
      if (this.#closing || left) return;
      this.#gone("gateway lost", instance, messageOf(error));
    });
  }

  push(snapshot: Snapshot): void {
    this.#channel?.notify(newSnapshot, { snapshot });
  }

  pushTls(tls: TlsGiven): void {
    this.#channel?.notify(newTls, { tls });
  }

  notify<Params>(event: Event<Params>, params: Params): void {
    this.#channel?.notify(event, params);
  }

  /** A gateway that another took the place of may be one that an attacker holds. */
  #mustBe(channel: Channel, does: string): void {
    if (this.#channel !== channel)
      throw new UnavailableError("not-attached", `only the attached gateway ${does}`);
  }

  /** Throws an UnavailableError where no gateway is attached. */
  async call<Params, Result>(call: Call<Params, Result>, params: Params): Promise<Result> {
    if (!this.#channel) {
      throw new UnavailableError(
        "gateway-away",
        "the gateway is not attached",
        "It is restarted by itself; try again in a few seconds.",
      );
    }
    return this.#channel.call(call, params);
  }

  /** What the gateway has said is read before: where both are being stopped, that it stops may have come in the same moment. */
  async close(): Promise<void> {
    // Two turns: what comes while one has begun is read in the next.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    this.#closing = true;
    this.#channel?.close();
  }

  #gone(reason: "gateway stopped" | "gateway lost", instance: string, why?: string): void {
    if (why === undefined) this.#log.info({ instance }, reason);
    else this.#log.warn({ instance, reason: why }, reason);
    const gone: RecordDraft = {
      time: this.#clock.now(),
      kind: "process",
      id: randomUUID(),
      reason,
      detail: { instance },
    };
    this.#audit
      .append([gone], "soon")
      .catch((failure: unknown) =>
        this.#log.error({ reason: messageOf(failure) }, "that the gateway is gone could not be recorded"),
      );
  }
}
