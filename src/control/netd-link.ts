import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Logger } from "pino";
import type { AuditLog } from "../audit/index.ts";
import { messageOf, UnavailableError, type Call, type Channel, type Clock } from "../base/index.ts";
import { dial, NETD_SOCKET, netdAppend, netdApply, netdCheck, netdLeaving } from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";

/** Milliseconds between attempts to reach netd. */
const REDIAL = 500;

/** What netd said to the snapshot it was given last. */
export interface RulesetState {
  /** What stands against it, for the reader; the ruleset of before is in force then. */
  readonly problem: string | null;
}

/** Control's side of the channel to netd: tells it what is in force, takes its records. Where the box has no ports, there is none. */
export class NetdLink {
  readonly #path: string | null;
  readonly #audit: AuditLog;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #current: () => Snapshot;
  #channel: Channel | null = null;
  #timer: NodeJS.Timeout | null = null;
  #complaint = "";
  #ruleset: RulesetState = { problem: null };
  #closed = false;

  /** `runDir` null: this appliance has no ports of its own, and nobody is called. */
  constructor(runDir: string | null, audit: AuditLog, clock: Clock, log: Logger, current: () => Snapshot) {
    this.#path = runDir === null ? null : join(runDir, NETD_SOCKET);
    this.#audit = audit;
    this.#clock = clock;
    this.#log = log;
    this.#current = current;
    if (this.#path !== null) void this.#dial(this.#path);
  }

  get state(): "absent" | "attached" | "away" {
    if (this.#path === null) return "absent";
    return this.#channel ? "attached" : "away";
  }

  /** Another object after each change. */
  get ruleset(): RulesetState {
    return this.#ruleset;
  }

  /** What the kernel would say against it; null: nothing, or nobody can be asked now, who is told when he comes. */
  async check(snapshot: Snapshot): Promise<string | null> {
    return this.#channel ? (await this.#channel.call(netdCheck, { snapshot })).problem : null;
  }

  /** Resolves once it is in force, with null, or with what stands against that, for the reader. */
  async push(snapshot: Snapshot): Promise<string | null> {
    if (this.#path === null) return null;
    return this.#channel ? this.#apply(this.#channel, snapshot) : "netd is away: the ruleset in force stays";
  }

  /** Throws an UnavailableError where netd is not there. */
  async call<Params, Result>(call: Call<Params, Result>, params: Params): Promise<Result> {
    if (this.#channel) return this.#channel.call(call, params);
    const absent = this.#path === null;
    throw new UnavailableError(
      "netd-away",
      absent
        ? "this appliance does not stand in the cable: it has no ports of its own"
        : "netd is not running",
      absent
        ? "Set NIAC_UPLINK and NIAC_DEVICE_PORT, and run it as root."
        : "It is restarted by itself; the ruleset in force stays. Try again in a few seconds.",
    );
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#channel?.close();
  }

  async #dial(path: string): Promise<void> {
    try {
      const channel = await dial(path, "control", "netd");
      channel.handle(netdAppend, async ({ drafts }) => {
        await this.#audit.append(drafts, "soon");
        return null;
      });
      let left = false;
      channel.on(netdLeaving, () => {
        left = true;
      });
      channel.onClosed((error) => this.#lost(path, left ? null : error));
      this.#channel = channel;
      this.#complaint = "";
      this.#log.info("netd attached");
      await this.#apply(channel, this.#current());
    } catch (error) {
      const message = messageOf(error);
      if (message !== this.#complaint) this.#log.warn({ reason: message }, "netd cannot be reached");
      this.#complaint = message;
      this.#redial(path);
    }
  }

  /** `error` null: it said that it goes. */
  #lost(path: string, error: Error | null): void {
    this.#channel = null;
    if (this.#closed) return;
    if (error === null) this.#log.info("netd stopped: the ruleset in force stays");
    else this.#log.warn({ reason: messageOf(error) }, "netd lost: the ruleset in force stays");
    this.#redial(path);
  }

  #redial(path: string): void {
    if (this.#closed || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#dial(path);
    }, REDIAL);
  }

  async #apply(channel: Channel, snapshot: Snapshot): Promise<string | null> {
    const problem = await this.#given(channel, snapshot);
    this.#ruleset = { problem };
    return problem;
  }

  async #given(channel: Channel, snapshot: Snapshot): Promise<string | null> {
    try {
      const { problem } = await channel.call(netdApply, { snapshot });
      if (problem === null) return null;
      this.#log.error({ problem }, "the kernel refused the ruleset of this site document");
      const reason = `the kernel refused the ruleset of version ${snapshot.version}, the one of before is in force: ${problem}`;
      await this.#audit.append(
        [{ time: this.#clock.now(), kind: "network", id: randomUUID(), reason: reason.slice(0, 1000) }],
        "soon",
      );
      return reason;
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, "netd did not take the ruleset");
      return `netd did not take the ruleset: ${messageOf(error)}`;
    }
  }
}
