/** What a new site document changes, by name, and whether access becomes wider or narrower where that can be told. */
import { ruleChanges } from "./diff-rules.ts";
import { trustChanges } from "./diff-trust.ts";
import { destinationChanges, sourceChanges } from "./diff-generated.ts";
import { compare, keyed, type Access, type Change, type Fields } from "./fields.ts";
import { durationText } from "./scalar.ts";
import type { Machine, Network, Service, Snapshot } from "./snapshot.ts";
import { namesText } from "./words.ts";

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

function machineFields({ description, whenUnrecorded, address, mac, ping }: Machine): Fields {
  return { description, whenUnrecorded, address: address ?? "-", mac: mac ?? "-", ping: `${ping}` };
}

/** Null where it is another station now, or what changed says nothing of access. */
function machineAccess(before: Machine | null, after: Machine | null): Access {
  if (before === null || after === null) return null;
  if (before.address !== after.address || before.mac !== after.mac) return null;
  const steps = new Set(
    [
      UNRECORDED.indexOf(after.whenUnrecorded) - UNRECORDED.indexOf(before.whenUnrecorded),
      // Whatever answers an echo request can be found.
      Number(after.ping) - Number(before.ping),
    ].map(Math.sign),
  );
  if (steps.has(1)) return steps.has(-1) ? null : "wider";
  return steps.has(-1) ? "narrower" : null;
}

function serviceFields(service: Service): Fields {
  const { protocol, unsafeTls12, tcp, tlsPort } = service;
  const common: Fields = {
    protocol,
    unsafeTls12: `${unsafeTls12}`,
    address: tcp === null ? "-" : `${tcp.host}:${tcp.port}`,
    tlsPort: `${tlsPort ?? "-"}`,
  };
  if (protocol === "tcp") return common;
  const { serial, units, maxConnections, maxPending, maxQueued, requestTimeout, queueTimeout } = service;
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
    queueTimeout: durationText(queueTimeout),
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

function networkFields({ mode, refusal, device, nameServers, timeServers }: Network): Fields {
  return {
    mode,
    refusal,
    device: device === null ? "-" : `${device.address}/${device.prefix}`,
    dhcp: `${device?.dhcp ?? false}`,
    nameServers: namesText(nameServers),
    timeServers: namesText(timeServers),
  };
}

function networkOf(snapshot: Snapshot | null): ReadonlyMap<string, Network> {
  const network = snapshot?.network ?? null;
  return new Map(network === null ? [] : [["network", network]]);
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
 * Every difference, by name: the site, its network, machines, services, people, groups whose claim on a certificate is taken, rules,
 * destinations, clients without a certificate, what is asked of laptops, whom else to trust. Null: there was no document before. What only moved to another line is no difference.
 */
export function diffSites(before: Snapshot | null, after: Snapshot): readonly Change[] {
  const forbidden = forbiddenGroups([before, after]);
  return [
    ...compare("site", siteOf(before), siteOf(after), siteFields, () => null),
    ...compare("network", networkOf(before), networkOf(after), networkFields, () => null),
    ...compare("machine", keyed(before?.machines ?? []), keyed(after.machines), machineFields, machineAccess),
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
    ...destinationChanges(before, after),
    ...sourceChanges(before, after),
    ...trustChanges(before, after),
  ];
}
