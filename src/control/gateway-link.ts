import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { AuditLog, RecordDraft } from "../audit/index.ts";
import { messageOf, UnavailableError, type Call, type Channel, type Clock } from "../base/index.ts";
import { append, attach, leaving, newSnapshot, type TlsGiven, type TrustState } from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";
import { endingsOf } from "./reconcile.ts";

/** Records appended at once when a lost gateway's sessions are ended. */
const BATCH = 500;

/** Control's side of the channel to the gateway: hands out the snapshot, takes records. One gateway at a time; a new one takes over. */
export class GatewayLink {
  readonly #audit: AuditLog;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #current: () => { snapshot: Snapshot; tls: TlsGiven; trust: TrustState };
  #channel: Channel | null = null;
  #closing = false;

  constructor(
    audit: AuditLog,
    clock: Clock,
    log: Logger,
    current: () => { snapshot: Snapshot; tls: TlsGiven; trust: TrustState },
  ) {
    this.#audit = audit;
    this.#clock = clock;
    this.#log = log;
    this.#current = current;
  }

  get attached(): boolean {
    return this.#channel !== null;
  }

  accept(channel: Channel): void {
    let instance = "";
    let left = false;
    let closed = false;
    channel.on(leaving, () => {
      left = true;
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
      return this.#current();
    });
    channel.handle(append, async ({ drafts, urgency }) => {
      if (this.#channel !== channel) {
        throw new UnavailableError("not-attached", "only the attached gateway's records are taken");
      }
      await this.#audit.append(drafts, urgency);
      return null;
    });
    channel.onClosed((error) => {
      closed = true;
      if (this.#channel !== channel) return;
      this.#channel = null;
      if (this.#closing) return;
      if (left) this.#log.info({ instance }, "gateway stopped");
      else this.#log.warn({ instance, reason: messageOf(error) }, "gateway lost");
      const gone: RecordDraft = {
        time: this.#clock.now(),
        kind: "process",
        id: randomUUID(),
        reason: left ? "gateway stopped" : "gateway lost",
        detail: { instance },
      };
      this.#audit
        .append([gone], "soon")
        .catch((failure: unknown) =>
          this.#log.error({ reason: messageOf(failure) }, "that the gateway is gone could not be recorded"),
        );
    });
  }

  push(snapshot: Snapshot): void {
    this.#channel?.notify(newSnapshot, { snapshot });
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

  close(): void {
    this.#closing = true;
    this.#channel?.close();
  }
}
