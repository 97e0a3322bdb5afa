/** Destinations, from the document to the snapshot: where machines reach each, and the grant that says what they may ask. */
import { isIPv4 } from "node:net";
import type { Budget } from "./budget.ts";
import { compileModbus } from "./compile-modbus.ts";
import { MODBUS_PORT, MODBUS_TLS_PORT } from "./compile-machine.ts";
import type { Cable } from "./compile-network.ts";
import type { Path, Reporter } from "./findings.ts";
import { intersects, intervalsOf, mergeIntervals } from "./interval.ts";
import { FIRST_NAMED, ipv4Text, isLoopback } from "./ipv4.ts";
import type { DestinationDocument } from "./schema-destination.ts";
import { MODBUS_DEFAULTS } from "./schema-machine.ts";
import type { Destination, Grant, Machine, Service, Who } from "./snapshot.ts";

export interface DestinationContext {
  readonly machines: ReadonlyMap<string, Machine>;
  readonly cable: Cable;
  readonly budget: Budget;
  readonly reporter: Reporter;
}

export interface CompiledDestination {
  readonly path: Path;
  readonly destination: Destination;
  /** Null: the kernel forwards it, and asks nobody. */
  readonly grant: Grant | null;
}

/** RFC 1035, section 4.2.1; RFC 5905, section 7.2. */
const DNS_PORT = 53;
const NTP_PORT = 123;
const ANSWERED = [DNS_PORT, NTP_PORT];

/** To be narrowed: as it stands, a grant for it opens to every certificate. */
export const ANYONE: Who = {
  users: null,
  groups: null,
  devices: null,
  roles: null,
  tiers: null,
  tenants: null,
  sources: null,
  machines: null,
};

function portAsked({ ports }: DestinationDocument): number {
  return ports[0]?.start ?? 0;
}

function serviceOf(document: DestinationDocument): Service | null {
  const { how, host, modbus } = document;
  if (how === "forward") return null;
  const asked = portAsked(document);
  const secure = asked === MODBUS_PORT || modbus !== undefined ? MODBUS_TLS_PORT : asked;
  const tcp = { host, port: how === "wrap" ? (document.tlsPort ?? secure) : asked };
  if (modbus === undefined) return { name: "tcp", unsafeTls12: false, tlsPort: null, protocol: "tcp", tcp };
  const { maxConnections, maxPending, maxQueued, requestTimeout, queueTimeout } = MODBUS_DEFAULTS;
  return {
    name: "modbus",
    unsafeTls12: false,
    tlsPort: null,
    protocol: "modbus-tcp",
    tcp,
    serial: null,
    units: [],
    maxConnections: document.maxConnections ?? maxConnections,
    maxPending,
    maxQueued,
    requestTimeout: document.requestTimeout ?? requestTimeout,
    queueTimeout,
  };
}

function grantOf(
  { modbus }: DestinationDocument,
  { name, reason, line, machines, service }: Destination,
  path: Path,
  reporter: Reporter,
): Grant | null {
  if (service === null) return null;
  const scope =
    modbus === undefined
      ? null
      : compileModbus(modbus, { kind: "grant", path: [...path, "modbus"], reporter });
  return {
    name,
    reason,
    line,
    who: { ...ANYONE, machines },
    services: [`${name}/${service.name}`],
    modbus: scope,
    when: null,
    from: null,
    posture: null,
    rate: null,
  };
}

/** What the document says, against the way the appliance stands in the cable. */
function checkCable(
  document: DestinationDocument,
  path: Path,
  { machines, cable, reporter }: DestinationContext,
): void {
  const { host, source } = document;
  if (!cable.present) {
    if (source !== "machine") return;
    reporter.warn(
      [...path, "source"],
      "source says nothing here: the site has no `network`, and the appliance's address is seen",
    );
    return;
  }
  if (isIPv4(host) && (isLoopback(host) || host === cable.network?.device?.address)) {
    reporter.error([...path, "host"], `${host} is the appliance itself`, {
      expected: "the address of another station",
    });
  }
  const beside = [...machines.values()].find(({ address }) => address === host);
  if (beside !== undefined) {
    reporter.error(
      [...path, "host"],
      `${host} is ${beside.name}'s own: machines reach each other without the appliance`,
      {
        expected: "the address of a station on the plant's side",
      },
    );
  }
  if (!isIPv4(host) && cable.network?.nameServers.length === 0) {
    reporter.error([...path, "host"], `${host} is a name, and the appliance has nobody to ask for it`, {
      expected: "nameServers under network, or an IPv4 address",
    });
  }
  const answered =
    document.transport === "udp"
      ? ANSWERED.find((port) => intersects(document.ports, intervalsOf([port])))
      : undefined;
  if (answered !== undefined) {
    reporter.warn(
      [...path, "ports"],
      `udp port ${answered} is answered by the appliance itself: machines do not reach ${host} there`,
      {
        expected:
          answered === NTP_PORT
            ? "timeServers under network"
            : "names of the destinations that machines may look up",
      },
    );
  }
  if (document.machines === "all") return;
  for (const [index, name] of document.machines.entries()) {
    if (machines.get(name)?.address !== null) continue;
    reporter.warn([...path, "machines", index], `${name} has no address of its own: it connects nowhere`, {
      expected: "machines with address and mac",
    });
  }
}

/** Machines reach a host given by name at an inner address; two destinations of one name are one host to them. */
class InnerAddresses {
  readonly #byName = new Map<string, string>();

  of(host: string): string {
    if (isIPv4(host)) return host;
    const known = this.#byName.get(host);
    if (known !== undefined) return known;
    const address = ipv4Text(FIRST_NAMED + this.#byName.size);
    this.#byName.set(host, address);
    return address;
  }
}

export function compileDestinations(
  entries: readonly (readonly [Path, DestinationDocument])[],
  context: DestinationContext,
): readonly CompiledDestination[] {
  const { machines, cable, budget, reporter } = context;
  const inner = new InnerAddresses();
  const all = [...machines.keys()].toSorted();
  return entries.flatMap(([path, document]) => {
    const { name, reason, how, host, ports, transport, names = [] } = document;
    checkCable(document, path, context);
    const named = document.machines === "all" ? all : [...new Set(document.machines)].toSorted();
    const intervals = mergeIntervals(ports);
    if (!budget.spend(named.length * intervals.length, path)) return [];
    const inline = cable.network?.mode === "inline";
    const destination: Destination = {
      name,
      reason,
      line: reporter.line(path),
      machines: named,
      how,
      host,
      ports: intervals,
      transport,
      address: inner.of(host),
      names: [...new Set([...names, ...(isIPv4(host) ? [] : [host])])].toSorted(),
      source: cable.present ? (document.source ?? (inline ? "machine" : "appliance")) : "appliance",
      service: serviceOf(document),
      serverName: how === "wrap" ? (document.serverName ?? host) : null,
    };
    return [{ path, destination, grant: grantOf(document, destination, path, reporter) }];
  });
}
