/** What a new site document changes, by name, and whether access becomes wider or narrower where that can be told. */
import { ruleChanges } from "./diff-rules.ts";
import { fieldChanges, keyed } from "./fields.ts";
import type { Access, Change, Fields } from "./fields.ts";
import { containsIntervals, intervalsText } from "./interval.ts";
import { durationText } from "./scalar.ts";
import type { Destination, Machine, Service, Snapshot } from "./snapshot.ts";
import { namesText } from "./words.ts";

/** One kind of thing, compared by name. */
function compare<T>(
  kind: Change["kind"],
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  fieldsOf: (item: T) => Fields,
  accessOf: (before: T | null, after: T | null, name: string) => Access,
): readonly Change[] {
  const changes: Change[] = [];
  for (const [name, item] of after) {
    const old = before.get(name);
    if (old === undefined) {
      changes.push({ kind, name, change: "added", fields: [], access: accessOf(null, item, name) });
      continue;
    }
    const fields = fieldChanges(fieldsOf(old), fieldsOf(item));
    if (fields.length > 0)
      changes.push({ kind, name, change: "changed", fields, access: accessOf(old, item, name) });
  }
  for (const [name, item] of before) {
    if (!after.has(name))
      changes.push({ kind, name, change: "removed", fields: [], access: accessOf(item, null, name) });
  }
  return changes;
}

function siteFields({ site }: Snapshot): Fields {
  const { limits } = site;
  return {
    name: site.name,
    appliance: site.appliance,
    timeZone: site.timeZone,
    "limits.connections": `${limits.connections}`,
    "limits.connectionsPerSource": `${limits.connectionsPerSource}`,
    "limits.handshakeTimeout": durationText(limits.handshakeTimeout),
    "limits.idleTimeout": durationText(limits.idleTimeout),
    "limits.readSummaryInterval": durationText(limits.readSummaryInterval),
  };
}

const UNRECORDED = ["deny", "readOnly", "allow"] as const;

function machineAccess(before: Machine | null, after: Machine | null): Access {
  if (before === null || after === null || before.whenUnrecorded === after.whenUnrecorded) return null;
  const wider = UNRECORDED.indexOf(after.whenUnrecorded) > UNRECORDED.indexOf(before.whenUnrecorded);
  return wider ? "wider" : "narrower";
}

function serviceFields(service: Service): Fields {
  const { protocol, unsafeTls12, tcp } = service;
  const common: Fields = {
    protocol,
    unsafeTls12: `${unsafeTls12}`,
    address: tcp === null ? "-" : `${tcp.host}:${tcp.port}`,
  };
  if (protocol === "tcp") return common;
  const { serial, units, maxConnections, maxPending, maxQueued, requestTimeout } = service;
  const line =
    serial === null ? "-" : `${serial.path} ${serial.baudRate} ${serial.parity} ${serial.stopBits}`;
  return {
    ...common,
    serial: line,
    units: units.length === 0 ? "any" : units.join(", "),
    maxConnections: `${maxConnections}`,
    maxPending: `${maxPending}`,
    maxQueued: `${maxQueued}`,
    requestTimeout: durationText(requestTimeout),
  };
}

function servicesOf(snapshot: Snapshot | null): ReadonlyMap<string, Service> {
  const machines = snapshot?.machines ?? [];
  return new Map(
    machines.flatMap(({ name, services }) => services.map((one) => [`${name}/${one.name}`, one] as const)),
  );
}

/** Groups that a forbid names: joining one may take access away, so nothing simple can be said. */
function forbiddenGroups(snapshots: readonly (Snapshot | null)[]): ReadonlySet<string> {
  const forbids = snapshots.flatMap((snapshot) => snapshot?.forbids ?? []);
  return new Set(forbids.flatMap(({ who }) => who.groups ?? []));
}

function membership(
  before: readonly string[],
  after: readonly string[],
  forbidden: ReadonlySet<string>,
): Access {
  const joined = after.filter((group) => !before.includes(group));
  const left = before.filter((group) => !after.includes(group));
  if ([...joined, ...left].some((group) => forbidden.has(group))) return null;
  if (joined.length > 0 && left.length > 0) return null;
  if (joined.length === 0 && left.length === 0) return "same";
  return joined.length > 0 ? "wider" : "narrower";
}

function destinationFields({ reason, machines, how, host, ports, transport }: Destination): Fields {
  return { reason, machines: namesText(machines), how, host, ports: intervalsText(ports), transport };
}

function reaches(wide: Destination, narrow: Destination): boolean {
  const same = wide.host === narrow.host && wide.how === narrow.how && wide.transport === narrow.transport;
  return (
    same &&
    containsIntervals(wide.ports, narrow.ports) &&
    narrow.machines.every((machine) => wide.machines.includes(machine))
  );
}

function destinationAccess(before: Destination | null, after: Destination | null): Access {
  if (before === null) return "wider";
  if (after === null) return "narrower";
  const [grown, shrunk] = [reaches(after, before), reaches(before, after)];
  if (grown && shrunk) return "same";
  return grown ? "wider" : shrunk ? "narrower" : null;
}

function siteOf(snapshot: Snapshot | null): ReadonlyMap<string, Snapshot> {
  return new Map(snapshot === null ? [] : [["site", snapshot]]);
}

function peopleOf(snapshot: Snapshot | null): ReadonlyMap<string, readonly string[]> {
  return new Map(Object.entries(snapshot?.people ?? {}));
}

function groupsOf(snapshot: Snapshot | null): ReadonlyMap<string, string> {
  return new Map((snapshot?.certificateGroups ?? []).map((name) => [name, name]));
}

/**
 * Every difference, by name: the site, machines, services, people, groups whose claim on a certificate is taken, rules,
 * destinations. Null: there was no document before. What only moved to another line is no difference.
 */
export function diffSites(before: Snapshot | null, after: Snapshot): readonly Change[] {
  const forbidden = forbiddenGroups([before, after]);
  return [
    ...compare("site", siteOf(before), siteOf(after), siteFields, () => null),
    ...compare(
      "machine",
      keyed(before?.machines ?? []),
      keyed(after.machines),
      ({ description, whenUnrecorded }): Fields => ({ description, whenUnrecorded }),
      machineAccess,
    ),
    ...compare("service", servicesOf(before), servicesOf(after), serviceFields, () => null),
    ...compare(
      "person",
      peopleOf(before),
      peopleOf(after),
      (names): Fields => ({ groups: namesText(names) }),
      (old, now) => membership(old ?? [], now ?? [], forbidden),
    ),
    ...compare(
      "group",
      groupsOf(before),
      groupsOf(after),
      (): Fields => ({}),
      (old, now, name) => membership(old === null ? [] : [name], now === null ? [] : [name], forbidden),
    ),
    ...ruleChanges(before, after),
    ...compare(
      "destination",
      keyed(before?.destinations ?? []),
      keyed(after.destinations),
      destinationFields,
      destinationAccess,
    ),
  ];
}
