/** Both ports' packet sockets: who was seen there, asking who is there, and letting the gateway visit a station. */
import type { RecordDraft } from "../audit/index.ts";
import { messageOf, UsageError, type Clock } from "../base/index.ts";
import type { Neighbour } from "../link/index.ts";
import type { Snapshot } from "../site/index.ts";
import { closeVisit, macOf, openVisit, type Visit } from "./kernel.ts";
import type { Native } from "../native/index.ts";
import { Observer } from "./observer.ts";
import { arpRequest } from "./packet/arp.ts";
import { arpFilter, deviceFilter } from "./packet/filter.ts";
import type { Plan, Ports } from "./plan.ts";
import type { Port } from "./refusal.ts";
import type { RefusalBook } from "./refusals.ts";
import { Stations } from "./stations.ts";

/** Milliseconds between two ARP requests of a search, and that the last ones have to be answered. */
const ASK_PAUSE = 4;
const ASK_WAIT = 1_000;
/** Addresses of one search: a /22. */
const MOST_ASKED = 1_024;

export interface WatcherEvents {
  drafts(drafts: readonly RecordDraft[]): void;
  /** Frames that nobody looked at. */
  missed(frames: number): void;
  /** Null: it hears again. */
  problem(port: string, text: string | null): void;
}

export class Watchers {
  readonly #native: Native;
  readonly #ports: Ports;
  readonly #book: RefusalBook;
  readonly #events: WatcherEvents;
  readonly #stations: Stations;
  readonly #observers = new Map<Port, Observer>();
  readonly #visits = new Set<NodeJS.Timeout>();
  #plan: Plan | null = null;
  #closed = false;
  #own: Readonly<Record<Port, string | null>> = { uplink: null, device: null };

  constructor(
    native: Native,
    ports: Ports,
    book: RefusalBook,
    clock: Clock,
    freshId: () => string,
    events: WatcherEvents,
  ) {
    this.#native = native;
    this.#ports = ports;
    this.#book = book;
    this.#events = events;
    this.#stations = new Stations(clock, freshId);
  }

  /** `own`: the appliance's own IPv4 address on each port. */
  use(snapshot: Snapshot | null, plan: Plan, own: Readonly<Record<Port, string | null>>): void {
    this.#plan = plan;
    this.#own = own;
    const port = (role: Port): { mac: string; address: string | null } => ({
      mac: macOf(this.#ports[role]) ?? "",
      address: own[role],
    });
    this.#stations.use(snapshot, { uplink: port("uplink"), device: port("device") });
    this.reopen();
    this.#observers.get("device")?.setFilter(this.#filter("device"));
  }

  /** Hears again at ports that were away; one that hears goes on. */
  reopen(): void {
    // A change of the ports may have been under way when netd was told to stop.
    if (this.#closed) return;
    for (const role of ["uplink", "device"] as const) if (!this.#observers.has(role)) this.#open(role);
  }

  /** To be called every second or so: announces what was claimed again. */
  tick(): void {
    for (const { port, send } of this.#stations.due()) this.#observers.get(port)?.send(send);
  }

  /** Stations on the device port. `ask`: a network in CIDR form whose addresses are asked for first, one by one. */
  async neighbours(ask: string | null): Promise<Neighbour[]> {
    if (ask !== null) await this.#ask(ask);
    return this.#stations.neighbours().filter(({ port }) => port === "device");
  }

  /** The gateway may connect to a station's ports for a while; one the site document does not know gets a way for that while. */
  async reach(visit: Visit & { readonly milliseconds: number }): Promise<void> {
    const known = this.#plan?.stations.some(({ address }) => address === visit.address) ?? false;
    const from = this.#own.device ?? this.#own.uplink;
    await openVisit(this.#ports.device, visit, {
      known,
      from,
      seconds: Math.ceil(visit.milliseconds / 1_000),
    });
    if (known) return;
    const timer = setTimeout(() => {
      this.#visits.delete(timer);
      const meanwhile = this.#plan?.stations.some(({ address }) => address === visit.address) ?? false;
      if (!meanwhile) void closeVisit(this.#ports.device, visit.address);
    }, visit.milliseconds);
    this.#visits.add(timer);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#visits) clearTimeout(timer);
    for (const observer of this.#observers.values()) observer.close();
    this.#observers.clear();
  }

  #filter(role: Port): Buffer {
    return role === "uplink" ? arpFilter() : deviceFilter(this.#plan?.stations.map(({ mac }) => mac) ?? []);
  }

  #open(role: Port): void {
    const name = this.#ports[role];
    try {
      const observer = new Observer(this.#native, name, this.#filter(role), {
        frame: (bytes) => this.#observe(role, bytes),
        missed: (frames) => this.#events.missed(frames),
        failed: (error) => this.#failed(role, error),
      });
      this.#observers.set(role, observer);
      this.#events.problem(name, null);
    } catch (error) {
      this.#events.problem(name, `${name} cannot be listened to: ${messageOf(error)}`);
    }
  }

  #failed(role: Port, error: Error): void {
    this.#observers.get(role)?.close();
    this.#observers.delete(role);
    this.#events.problem(
      this.#ports[role],
      `${this.#ports[role]} is no longer listened to: ${messageOf(error)}`,
    );
  }

  #observe(role: Port, bytes: Buffer): void {
    const { draft, refusal, send } = this.#stations.observe(role, bytes);
    if (draft !== null) this.#events.drafts([draft]);
    if (refusal !== null) this.#book.add(refusal);
    if (send !== null) this.#observers.get(role)?.send(send);
  }

  async #ask(network: string): Promise<void> {
    const addresses = addressesIn(network);
    const mac = macOf(this.#ports.device);
    const from = this.#own.device ?? this.#own.uplink ?? "0.0.0.0";
    for (const address of addresses) {
      if (mac === null || !this.#observers.get("device")?.send(arpRequest(mac, from, address))) continue;
      await pause(ASK_PAUSE);
    }
    await pause(ASK_WAIT);
  }
}

/** Host addresses of an IPv4 network, at most a /22. */
export function addressesIn(network: string): string[] {
  const [, a, b, c, d, prefix] =
    /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(network) ?? [];
  const bytes = [a, b, c, d].map(Number);
  const size = 2 ** (32 - Number(prefix));
  if (prefix === undefined || Number(prefix) > 32 || bytes.some((byte) => byte > 255) || size > MOST_ASKED) {
    throw new UsageError(
      "discover-network",
      `${network} cannot be searched`,
      "Give an IPv4 network of at most 1,024 addresses, like 10.20.0.0/24.",
    );
  }
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const first = value - (value % size);
  const hosts = Array.from({ length: size }, (_, at) => first + at);
  return (size > 2 ? hosts.slice(1, -1) : hosts).map((host) =>
    [24, 16, 8, 0].map((shift) => Math.floor(host / 2 ** shift) % 256).join("."),
  );
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
