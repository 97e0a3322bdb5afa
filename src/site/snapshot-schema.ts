/** Snapshots that come over a channel: checked strictly, what deciding leans on (sorted, resolved) included. */
import * as z from "zod";
import { PeerError } from "../base/index.ts";
import { isTimeZone } from "./calendar.ts";
import { deepFreeze } from "./lookup.ts";
import {
  count,
  intervals,
  numbers,
  positive,
  snapshotForbid,
  snapshotGrant,
  texts,
} from "./snapshot-rules.ts";
import { postures, trust } from "./snapshot-trust.ts";
import type { Snapshot } from "./snapshot.ts";

const port = z.int().min(1).max(65_535);

const tcp = z.strictObject({ host: z.string().min(1), port }).readonly();

const serial = z
  .strictObject({
    path: z.string().min(1),
    baudRate: positive,
    parity: z.enum(["none", "even", "odd"]),
    stopBits: z.union([z.literal(1), z.literal(2)]),
  })
  .readonly();

const modbusService = z
  .strictObject({
    name: z.string(),
    unsafeTls12: z.boolean(),
    tlsPort: port.nullable(),
    protocol: z.enum(["modbus-tcp", "modbus-rtu"]),
    tcp: tcp.nullable(),
    serial: serial.nullable(),
    units: numbers(0, 255),
    maxConnections: positive,
    maxPending: positive,
    maxQueued: positive,
    requestTimeout: positive,
    queueTimeout: positive,
  })
  .refine(
    (service) => (service.tcp === null) !== (service.serial === null),
    "not exactly one of tcp and serial",
  )
  .refine(
    (service) => (service.protocol === "modbus-rtu") === (service.serial !== null),
    "protocol and place disagree",
  )
  .readonly();

const tcpService = z
  .strictObject({
    name: z.string(),
    unsafeTls12: z.boolean(),
    tlsPort: port.nullable(),
    protocol: z.literal("tcp"),
    tcp,
  })
  .readonly();

const service = z.discriminatedUnion("protocol", [modbusService, tcpService]);

const mac = z.string().regex(/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/);

const machine = z
  .strictObject({
    name: z.string(),
    description: z.string(),
    whenUnrecorded: z.enum(["deny", "readOnly", "allow"]),
    address: z.ipv4().nullable(),
    mac: mac.nullable(),
    ping: z.boolean(),
    standIn: z.ipv4().nullable(),
    services: z.array(service).readonly(),
  })
  .readonly();

const limits = z
  .strictObject({
    connections: positive,
    connectionsPerSource: positive,
    handshakeTimeout: positive,
    idleTimeout: positive,
    readSummaryInterval: positive,
  })
  .readonly();

const destination = z
  .strictObject({
    name: z.string(),
    reason: z.string(),
    line: count,
    machines: texts,
    how: z.enum(["forward", "inspect", "wrap"]),
    host: z.string().min(1),
    ports: intervals(1, 65_535),
    transport: z.enum(["tcp", "udp"]),
    address: z.ipv4(),
    names: texts,
    source: z.enum(["machine", "appliance"]),
    service: service.nullable(),
    serverName: z.string().nullable(),
  })
  .refine((one) => (one.service === null) === (one.how === "forward"), "how and service disagree")
  .refine((one) => (one.serverName !== null) === (one.how === "wrap"), "how and server name disagree")
  .readonly();

const network = z
  .strictObject({
    mode: z.enum(["inline", "routed"]),
    refusal: z.enum(["reset", "silent"]),
    device: z
      .strictObject({ address: z.ipv4(), prefix: z.int().min(1).max(30), dhcp: z.boolean() })
      .readonly()
      .nullable(),
    nameServers: z.array(z.ipv4()).readonly(),
    timeServers: z.array(z.ipv4()).readonly(),
  })
  .refine((one) => (one.device !== null) === (one.mode === "routed"), "mode and device disagree")
  .readonly();

const unauthenticated = z
  .strictObject({
    name: z.string(),
    owner: z.string(),
    reason: z.string(),
    line: count,
    address: z.ipv4(),
    mac,
    services: texts,
    until: z.int(),
  })
  .readonly();

/** netd admits a machine by both of its addresses, and tells one from another by either. */
function apart({ machines, network: cable }: Snapshot): boolean {
  return (["address", "mac", "standIn"] as const).every((field) => {
    const given = machines.flatMap((one) => one[field] ?? []);
    const whole = cable === null || machines.every((one) => one.address === null || one[field] !== null);
    return whole && new Set(given).size === given.length;
  });
}

/** Every rule speaks of services and clients that exist: one that does not would deny, or forbid, nothing. */
function resolved({
  machines,
  destinations,
  grants,
  forbids,
  unauthenticated: sources,
  postures: required,
}: Snapshot): boolean {
  const known = new Set([
    ...machines.flatMap(({ name, services }) => services.map((one) => `${name}/${one.name}`)),
    ...destinations.flatMap(({ name, service: one }) => (one === null ? [] : [`${name}/${one.name}`])),
  ]);
  const rules = [...grants, ...forbids];
  const machineNames = new Set(machines.map(({ name }) => name));
  const sourceNames = new Set(sources.map(({ name }) => name));
  const postureNames = new Set(required.map(({ name }) => name));
  return (
    [...rules, ...sources].every(({ services }) => services.every((one) => known.has(one))) &&
    rules.every(({ who }) => (who.sources ?? []).every((one) => sourceNames.has(one))) &&
    grants.every(({ posture }) => (posture ?? []).every((one) => postureNames.has(one))) &&
    rules.every(({ who }) => (who.machines ?? []).every((one) => machineNames.has(one))) &&
    destinations.every((one) => one.machines.every((name) => machineNames.has(name)))
  );
}

const snapshotSchema: z.ZodType<Snapshot> = z
  .strictObject({
    format: z.literal(1),
    version: count,
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    site: z
      .strictObject({
        name: z.string(),
        appliance: z.string(),
        timeZone: z.string().refine(isTimeZone, "no time zone"),
        limits,
      })
      .readonly(),
    network: network.nullable(),
    machines: z.array(machine).readonly(),
    people: z.record(z.string(), texts).readonly(),
    certificateGroups: texts,
    grants: z.array(snapshotGrant).readonly(),
    forbids: z.array(snapshotForbid).readonly(),
    destinations: z.array(destination).readonly(),
    unauthenticated: z.array(unauthenticated).readonly(),
    postures,
    trust,
  })
  .readonly()
  .refine(apart, "machines are not told apart by their addresses")
  .refine(resolved, "a rule speaks of a service, a client, a machine or a posture that is not there");

const format = z.looseObject({ format: z.unknown() });

/**
 * What came over the channel, deeply frozen. Throws PeerError (`snapshot-format`, `snapshot-shape`) where it is not exactly a
 * snapshot of the one format known here.
 */
export function parseSnapshot(json: unknown): Snapshot {
  const given = format.safeParse(json).data?.format;
  if (given !== undefined && given !== 1) {
    throw new PeerError(
      "snapshot-format",
      `the snapshot has format ${JSON.stringify(given)}, this version of niac knows format 1`,
      "Run the same version of niac in all processes of the appliance.",
    );
  }
  const parsed = snapshotSchema.safeParse(json);
  if (parsed.success) return deepFreeze(parsed.data);
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "the whole" : issue.path.join(".");
  throw new PeerError(
    "snapshot-shape",
    `the snapshot is not one: at ${where}: ${issue?.message ?? "unknown"}`,
  );
}
