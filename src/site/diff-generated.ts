/** Differences between the destinations and the clients without a certificate of two snapshots, each with its grant. */
import { endText } from "./calendar.ts";
import { generatedGrants, reachOf, type Named } from "./diff-rules.ts";
import { compare, type Access, type Change, type Fields } from "./fields.ts";
import { containsIntervals, intervalsText } from "./interval.ts";
import { durationText } from "./scalar.ts";
import type { Destination, Snapshot, UnauthenticatedSource } from "./snapshot.ts";
import { namesText, scopeFields } from "./words.ts";

interface Granted<T> {
  readonly item: T;
  /** Undefined: the kernel forwards, and asks nobody. */
  readonly grant: Named | undefined;
}

function granted<T extends { readonly name: string }>(
  items: readonly T[],
  snapshot: Snapshot | null,
): ReadonlyMap<string, Granted<T>> {
  const grants = generatedGrants(snapshot);
  return new Map(items.map((item) => [item.name, { item, grant: grants.get(item.name) }]));
}

function scopeOf(grant: Named | undefined): Fields {
  return scopeFields(grant?.parts.find(({ modbus }) => modbus !== null)?.modbus ?? null);
}

function destinationFields({ item, grant }: Granted<Destination>): Fields {
  const { reason, machines, how, host, ports, transport, names, source, service, serverName } = item;
  const modbus = service?.protocol === "modbus-tcp" ? service : null;
  return {
    reason,
    machines: namesText(machines),
    how,
    host,
    ports: intervalsText(ports),
    transport,
    names: namesText(names),
    source,
    tlsPort: how === "wrap" ? `${service?.tcp?.port}` : "-",
    serverName: serverName ?? "-",
    ...scopeOf(grant),
    maxConnections: modbus === null ? "-" : `${modbus.maxConnections}`,
    requestTimeout: modbus === null ? "-" : durationText(modbus.requestTimeout),
  };
}

/** Whether the same station is meant, and every port and machine of the other is there too. */
function reaches(wide: Destination, narrow: Destination): boolean {
  const same = (["host", "how", "transport", "serverName"] as const).every(
    (field) => wide[field] === narrow[field],
  );
  return (
    same &&
    wide.service?.tcp?.port === narrow.service?.tcp?.port &&
    containsIntervals(wide.ports, narrow.ports) &&
    narrow.machines.every((machine) => wide.machines.includes(machine))
  );
}

function destinationAccess(before: Granted<Destination> | null, after: Granted<Destination> | null): Access {
  if (before === null) return "wider";
  if (after === null) return "narrower";
  const grant =
    after.grant === undefined && before.grant === undefined ? "same" : reachOf(before.grant, after.grant);
  const grown = reaches(after.item, before.item) && (grant === "wider" || grant === "same");
  const shrunk = reaches(before.item, after.item) && (grant === "narrower" || grant === "same");
  if (grown && shrunk) return "same";
  return grown ? "wider" : shrunk ? "narrower" : null;
}

export function destinationChanges(before: Snapshot | null, after: Snapshot): readonly Change[] {
  return compare(
    "destination",
    granted(before?.destinations ?? [], before),
    granted(after.destinations, after),
    destinationFields,
    destinationAccess,
  );
}

function sourceFields(zone: string) {
  return ({ item, grant }: Granted<UnauthenticatedSource>): Fields => {
    const { owner, reason, address, mac, services, until } = item;
    return {
      owner,
      reason,
      address,
      mac,
      services: namesText(services),
      ...scopeOf(grant),
      until: endText(until, zone),
    };
  };
}

function sourceAccess(
  before: Granted<UnauthenticatedSource> | null,
  after: Granted<UnauthenticatedSource> | null,
): Access {
  if (before !== null && after !== null && before.item.mac !== after.item.mac) return null;
  return reachOf(before?.grant, after?.grant);
}

export function sourceChanges(before: Snapshot | null, after: Snapshot): readonly Change[] {
  const zone = after.site.timeZone;
  return compare(
    "source",
    granted(before?.unauthenticated ?? [], before),
    granted(after.unauthenticated, after),
    sourceFields(zone),
    sourceAccess,
  ).map((change) => {
    if (change.change !== "added") return change;
    const added = after.unauthenticated.find(({ name }) => name === change.name);
    const until = added === undefined ? "-" : endText(added.until, zone);
    return { ...change, fields: [{ field: "until", before: "-", after: until }] };
  });
}
