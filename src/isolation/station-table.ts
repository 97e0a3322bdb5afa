import type { Clock } from "../base/index.ts";
import type { Neighbour } from "../link/index.ts";
import type { Port } from "./refusal.ts";

/** Stations kept on each port, machines of the site document aside: a flood of forged MACs on one leaves the other as it is. */
export const MAX_STATIONS = 512;
const MAX_ADDRESSES = 8;
const MAX_SEEN = 16;
/** Milliseconds without a frame: then a newcomer may have its place, and then it is shown no more. */
const IDLE = 3_600_000;
const FORGET = 86_400_000;

interface Station {
  readonly addresses: Set<string>;
  readonly seen: Set<string>;
  readonly first: number;
  last: number;
  lastMonotonic: number;
}

/** The stations heard on both ports. */
export class StationTable {
  readonly #clock: Clock;
  /** By MAC, the one longest unheard first. */
  readonly #ports: Readonly<Record<Port, Map<string, Station>>> = { uplink: new Map(), device: new Map() };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `keep`: also where there is no room for one more station. */
  hear(port: Port, mac: string, address: string | null, what: string, keep: boolean): void {
    const stations = this.#ports[port];
    const known = stations.get(mac);
    if (known === undefined && !keep && !this.#hasRoom(stations)) return;
    const now = this.#clock.now();
    const station = known ?? fresh(now);
    station.last = now;
    station.lastMonotonic = this.#clock.monotonic();
    if (address !== null && station.addresses.size < MAX_ADDRESSES) station.addresses.add(address);
    if (station.seen.size < MAX_SEEN) station.seen.add(what);
    stations.delete(mac);
    stations.set(mac, station);
  }

  /** `machineOf`: the machine with that MAC. Sorted by port and MAC. */
  view(machineOf: (mac: string) => string | null): Neighbour[] {
    const now = this.#clock.monotonic();
    const views: Neighbour[] = [];
    for (const port of ["device", "uplink"] as const) {
      for (const [mac, station] of [...this.#ports[port]].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
        if (now - station.lastMonotonic >= FORGET) {
          this.#ports[port].delete(mac);
          continue;
        }
        const { first, last } = station;
        const addresses = [...station.addresses].toSorted();
        views.push({
          port,
          mac,
          addresses,
          machine: machineOf(mac),
          seen: [...station.seen].toSorted(),
          first,
          last,
        });
      }
    }
    return views;
  }

  #hasRoom(stations: Map<string, Station>): boolean {
    if (stations.size < MAX_STATIONS) return true;
    const [oldest] = stations;
    if (oldest === undefined || this.#clock.monotonic() - oldest[1].lastMonotonic < IDLE) return false;
    stations.delete(oldest[0]);
    return true;
  }
}

function fresh(now: number): Station {
  return { addresses: new Set(), seen: new Set(), first: now, last: now, lastMonotonic: 0 };
}
