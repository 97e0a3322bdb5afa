import { mkdirSync } from "node:fs";
import type { Server } from "node:net";
import { join } from "node:path";
import type { Logger } from "pino";
import { messageOf, nameMaker, systemClock, UnavailableError, type Channel } from "../base/index.ts";
import * as link from "../link/index.ts";
import { Cable } from "./cable.ts";
import { Child } from "./child.ts";
import { listTracked, parseTracked } from "./conntrack.ts";
import { CounterBook, readCounters } from "./counters.ts";
import { dhcpArguments } from "./dhcp.ts";
import { ForwardBook, forwardViews } from "./forwards.ts";
import { addressesOf, hasRuleset, openSinkhole, portState } from "./kernel.ts";
import { loadNative, type Native } from "../native/index.ts";
import { Outbox } from "./outbox.ts";
import type { Ports } from "./plan.ts";
import { PortBook } from "./port-book.ts";
import { RefusalBook } from "./refusals.ts";
import { Sinkhole } from "./sinkhole.ts";
import { Watchers } from "./watchers.ts";

/** Milliseconds between looks at what is due. */
const TICK = 1_000;
/** Milliseconds: counters are read and forwarded connections looked at; the latter are recorded at the site's own interval. */
const COUNTING = 5_000;
/** Milliseconds a port that flaps is given before its ways are brought back. */
const SETTLING = 200;
const LAST_WORDS = 2_000;

export interface NetdOptions {
  readonly runDir: string;
  readonly ports: Ports;
}

/**
 * Runs netd: small, told by control alone, with the capabilities NET_ADMIN and NET_RAW (and NET_BIND_SERVICE for DHCP). Rejects with
 * an UnavailableError where it cannot be: no such right, no addon, no tool.
 * What it put in force stays when it stops.
 */
export async function runNetd(
  options: NetdOptions,
  log: Logger,
): Promise<{ stop(): Promise<void>; alive(): boolean }> {
  const loaded = loadNative();
  if ("problem" in loaded) throw new UnavailableError("isolation-unavailable", loaded.problem);
  const netd = new Netd(options, loaded.native, log);
  await netd.start();
  return { stop: () => netd.stop(), alive: () => netd.alive() };
}

/** A name for a record. */
const freshId = nameMaker("n");

class Netd {
  readonly #options: NetdOptions;
  readonly #native: Native;
  readonly #log: Logger;
  readonly #cable: Cable;
  readonly #outbox = new Outbox(freshId);
  readonly #refusals = new RefusalBook(systemClock, freshId);
  readonly #counters = new CounterBook();
  readonly #forwards = new ForwardBook();
  readonly #watchers: Watchers;
  readonly #problems = new Map<string, string>();
  readonly #portBook = new PortBook(systemClock, freshId);
  #server: Server | null = null;
  #channel: Channel | null = null;
  #sinkhole: Sinkhole | null = null;
  #children: Child[] = [];
  #dhcp: { readonly args: string; readonly child: Child } | null = null;
  #timers: NodeJS.Timeout[] = [];
  #settling: NodeJS.Timeout | null = null;
  #reportedAt = systemClock.monotonic();
  /** Whether the kernel was asked for its counters, whatever it said, since this was last looked at. */
  #counted = true;

  constructor(options: NetdOptions, native: Native, log: Logger) {
    this.#options = options;
    this.#native = native;
    this.#log = log;
    this.#cable = new Cable(options.ports);
    this.#watchers = new Watchers(native, options.ports, this.#refusals, systemClock, freshId, {
      drafts: (drafts) => this.#outbox.add(drafts),
      missed: (frames) => this.#counters.add("unheard", frames, systemClock.monotonic()),
      problem: (port, text) => this.#problem(`watch ${port}`, text),
    });
  }

  async start(): Promise<void> {
    const { ports, runDir } = this.#options;
    // What a netd before this one put in force stays until control says what is right now.
    if (!(await hasRuleset())) await this.#cable.apply(null);
    this.#openSinkhole();
    await openSinkhole();
    this.#portBook.see("uplink", ports.uplink, portState(ports.uplink));
    this.#portBook.see("device port", ports.device, portState(ports.device));
    this.#children = [
      new Child("ip", ["-o", "-4", "monitor", "link", "address"], {
        line: () => this.#settleSoon(),
        ended: (why) => this.#log.warn({ why }, "ports are not watched for a moment"),
      }),
      new Child("conntrack", ["-E", "-e", "DESTROY", "-f", "ipv4", "-b", "4194304"], {
        line: (line) => {
          const ended = parseTracked(line);
          if (ended !== null) this.#forwards.ended(this.#cable.ways, ended);
        },
        ended: (why) => this.#log.warn({ why }, "ends of forwarded connections are not seen for a moment"),
      }),
    ];
    this.#timers = [setInterval(() => this.#tick(), TICK), setInterval(() => void this.#count(), COUNTING)];
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
    this.#server = await link.listen(
      join(runDir, link.NETD_SOCKET),
      "netd",
      (channel) => this.#accept(channel),
      // Control is in the group whose processes make sockets in the run directory; the gateway is not.
      "group",
    );
    this.#log.info({ uplink: ports.uplink, device: ports.device }, "netd is ready");
  }

  /** True where it still does its round: asked less often than COUNTING, false says that a round hangs. */
  alive(): boolean {
    const counted = this.#counted;
    this.#counted = false;
    return counted;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#settling) clearTimeout(this.#settling);
    for (const child of this.#children) child.stop();
    this.#dhcp?.child.stop();
    this.#sinkhole?.close();
    this.#watchers.close();
    await this.#count();
    this.#report();
    this.#outbox.add([
      ...this.#refusals.flush(),
      ...this.#portBook.due(true),
      ...this.#counters.due(freshId, systemClock.monotonic(), systemClock.now(), true),
    ]);
    let late: NodeJS.Timeout | undefined;
    await Promise.race([
      this.#outbox.drain(),
      new Promise((resolve) => (late = setTimeout(resolve, LAST_WORDS))),
    ]);
    clearTimeout(late);
    this.#channel?.notify(link.netdLeaving, null);
    this.#server?.close();
    this.#channel?.close();
  }

  #accept(channel: Channel): void {
    this.#channel?.close();
    this.#channel = channel;
    channel.handle(link.netdCheck, async ({ snapshot }) => ({ problem: await this.#cable.check(snapshot) }));
    channel.handle(link.netdApply, async ({ snapshot }) => {
      // What the counters hold goes with the ruleset of before.
      await this.#count();
      const problem = await this.#cable.apply(snapshot);
      if (problem === null) await this.#applied();
      else this.#log.error({ problem }, "the kernel refused the ruleset; the one of before is in force");
      return { problem };
    });
    channel.handle(link.netdStatus, () => this.#status());
    channel.handle(link.netdFlows, async () => ({
      forwarded: forwardViews(this.#cable.ways, await listTracked()),
      refused: this.#refusals.view(),
    }));
    channel.handle(link.netdNeighbours, ({ ask }) => this.#watchers.neighbours(ask));
    channel.handle(link.netdReach, async (reach) => {
      await this.#watchers.reach(reach);
      return null;
    });
    this.#outbox.connect((drafts) => channel.call(link.netdAppend, { drafts }));
    channel.onClosed(() => {
      if (this.#channel !== channel) return;
      this.#channel = null;
      this.#outbox.connect(null);
      this.#log.warn("control is away: the ruleset in force stays");
    });
  }

  async #applied(): Promise<void> {
    const { plan, snapshot } = this.#cable;
    this.#problem("ways", this.#cable.problem);
    const own = await this.#ownAddresses();
    this.#refusals.use(
      snapshot,
      [own.uplink, own.device].filter((one) => one !== null),
    );
    if (this.#sinkhole) this.#sinkhole.silent = plan.refusal === "silent";
    this.#watchers.use(snapshot, plan, own);
    this.#serveDhcp();
    this.#log.info(
      { site: plan.version, mode: plan.mode, machines: plan.stations.length },
      "ruleset in force",
    );
  }

  async #ownAddresses(): Promise<Readonly<Record<"uplink" | "device", string | null>>> {
    const { uplink, device } = this.#options.ports;
    return { uplink: await firstAddress(uplink), device: await firstAddress(device) };
  }

  #openSinkhole(): void {
    this.#sinkhole = new Sinkhole(
      this.#native,
      this.#refusals,
      (packet) => this.#cable.ways.permits(packet),
      (error) => this.#problem("sinkhole", `refused packets cannot be read: ${messageOf(error)}`),
    );
    this.#problem("sinkhole", null);
  }

  #serveDhcp(): void {
    const args = dhcpArguments(this.#cable.plan);
    if ((args === null ? "" : args.join(" ")) === (this.#dhcp?.args ?? "")) return;
    this.#dhcp?.child.stop();
    this.#dhcp = null;
    this.#problem("dhcp", null);
    if (args === null) return;
    const child = new Child("dnsmasq", args, {
      line: () => undefined,
      ended: (why) => this.#problem("dhcp", `machines get no addresses: ${why}`),
    });
    this.#dhcp = { args: args.join(" "), child };
  }

  async #status(): Promise<link.NetdStatus> {
    const { plan } = this.#cable;
    const { ports } = this.#options;
    return {
      site: plan.version,
      mode: plan.mode,
      ports: [await portView("uplink", ports.uplink), await portView("device", ports.device)],
      problems: [...this.#problems.values()],
      refused: this.#counters.totals(),
    };
  }

  #tick(): void {
    this.#watchers.tick();
    this.#outbox.add([
      ...this.#refusals.due(),
      ...this.#portBook.due(),
      ...this.#counters.due(freshId, systemClock.monotonic(), systemClock.now()),
    ]);
    const interval = this.#cable.snapshot?.site.limits.readSummaryInterval ?? Infinity;
    if (systemClock.monotonic() - this.#reportedAt >= interval) this.#report();
  }

  async #count(): Promise<void> {
    try {
      this.#counters.read(await readCounters(), systemClock.monotonic());
      if (this.#cable.plan.forwards.length > 0) this.#forwards.live(this.#cable.ways, await listTracked());
      this.#problem("count", null);
    } catch (error) {
      this.#problem("count", messageOf(error));
    }
    this.#counted = true;
  }

  #report(): void {
    const now = systemClock.monotonic();
    const duration = Math.round(now - this.#reportedAt);
    this.#reportedAt = now;
    this.#outbox.add(
      this.#forwards.report(freshId, systemClock.now(), duration, this.#cable.plan.version ?? 0),
    );
  }

  /** A port that went down has lost its ways; one that came back gets them again. */
  #settleSoon(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = null;
      void this.#settle();
    }, SETTLING);
  }

  async #settle(): Promise<void> {
    const { ports } = this.#options;
    for (const name of [ports.uplink, ports.device]) {
      const drafts = this.#portBook.see(
        name === ports.uplink ? "uplink" : "device port",
        name,
        portState(name),
      );
      for (const { reason } of drafts) this.#log.warn(reason);
      this.#outbox.add(drafts);
    }
    await this.#cable.repair();
    this.#problem("ways", this.#cable.problem);
    this.#watchers.reopen();
  }

  #problem(about: string, text: string | null): void {
    if (text === (this.#problems.get(about) ?? null)) return;
    if (text === null) {
      this.#problems.delete(about);
      return;
    }
    this.#problems.set(about, text);
    this.#log.error({ about }, text);
    this.#outbox.add([
      { time: systemClock.now(), kind: "network", id: freshId(), reason: text.slice(0, 1000) },
    ]);
  }
}

async function firstAddress(port: string): Promise<string | null> {
  return (await addressesOf(port).catch(() => []))[0]?.split("/")[0] ?? null;
}

async function portView(role: "uplink" | "device", name: string): Promise<link.NetdStatus["ports"][number]> {
  const [address = null] = await addressesOf(name).catch(() => []);
  return { role, name, state: portState(name), address };
}
