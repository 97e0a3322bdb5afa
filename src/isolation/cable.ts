/**
 * The plan in force: how one takes the place of another. Ruleset first, whole or not at all; then addresses and ways; then what is
 * left of connections that may no longer be. What the kernel refuses leaves the plan of before.
 */
import { messageOf } from "../base/index.ts";
import type { Snapshot } from "../site/index.ts";
import { forget, listTracked, type Tracked } from "./conntrack.ts";
import { Ways } from "./forwards.ts";
import { applyLayout, applyRuleset, checkRuleset, portState } from "./kernel.ts";
import { planOf, QUERIES, type Plan, type Ports } from "./plan.ts";

export class Cable {
  readonly #ports: Ports;
  #plan: Plan;
  #ways: Ways;
  #snapshot: Snapshot | null = null;
  /** What of the plan in force is not done, for the reader; null: all is. */
  problem: string | null = null;
  /** One change at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#plan = planOf(null, ports);
    this.#ways = new Ways(this.#plan);
  }

  get plan(): Plan {
    return this.#plan;
  }

  get ways(): Ways {
    return this.#ways;
  }

  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  /** What the kernel would say against the snapshot's ruleset; null: nothing. */
  check(snapshot: Snapshot): Promise<string | null> {
    return this.#inTurn(() => complaint(checkRuleset(planOf(snapshot, this.#ports))));
  }

  /** What the kernel said against the snapshot's ruleset, and that of before is in force; null: it is in force. */
  apply(snapshot: Snapshot | null): Promise<string | null> {
    return this.#inTurn(async () => {
      const plan = planOf(snapshot, this.#ports);
      const refused = await complaint(applyRuleset(plan));
      if (refused !== null) return refused;
      const before = this.#plan;
      this.#plan = plan;
      this.#ways = new Ways(plan);
      this.#snapshot = snapshot;
      await this.#settle();
      this.problem ??= await complaint(this.#forgetGone(before));
      return null;
    });
  }

  /** Brings addresses and ways back, after a port was away. */
  repair(): Promise<void> {
    return this.#inTurn(() => this.#settle());
  }

  async #settle(): Promise<void> {
    const { uplink, device } = this.#ports;
    const missing = [uplink, device].filter((name) => portState(name) === "missing");
    this.problem =
      missing.length > 0
        ? `there is no network port ${missing.join(" and no ")} on this computer: see NIAC_UPLINK and NIAC_DEVICE_PORT`
        : await complaint(applyLayout(this.#plan));
  }

  /**
   * What `before` had open and this plan has not: the ruleset has stopped it already; out of the table it takes no room, and does
   * not live again under a later ruleset.
   */
  async #forgetGone(before: Plan): Promise<void> {
    const sources = new Set(before.stations.map(({ address }) => address));
    const gone = (await listTracked()).filter(
      (one) => sources.has(one.from) && !isQuery(one) && this.#ways.of(one) === null,
    );
    await forget(gone);
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

/** It ends at the gateway, and is allowed by no way. */
function isQuery({ transport, toPort }: Tracked): boolean {
  return transport === "udp" && QUERIES.includes(toPort);
}

async function complaint(done: Promise<unknown>): Promise<string | null> {
  try {
    await done;
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
