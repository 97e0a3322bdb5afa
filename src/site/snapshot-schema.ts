/** Snapshots that come over a channel: checked strictly, what deciding leans on (sorted, resolved) included. */
import { z } from "zod";
import { PeerError } from "../base/index.ts";
import { isTimeZone } from "./calendar.ts";
import { deepFreeze } from "./lookup.ts";
import { network } from "./network.ts";
import type { Interval, Snapshot } from "./snapshot.ts";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const positive = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);
const texts = z.array(z.string()).readonly();
const port = z.int().min(1).max(65_535);
const instant = z.int().nullable();

function sortedBy(starts: readonly number[]): boolean {
  return starts.every((start, index) => index === 0 || starts[index - 1]! < start);
}

/** Whole numbers from `least` to `most`, each greater than the one before. */
function numbers(least: number, most: number) {
  return z.array(z.int().min(least).max(most)).readonly().refine(sortedBy, "not sorted");
}

function apart(list: readonly Interval[]): boolean {
  return list.every(({ start, end }, index) => start <= end && (index === 0 || list[index - 1]!.end < start));
}

function intervals(least: number, most: number) {
  const end = z.int().min(least).max(most);
  return z
    .array(z.strictObject({ start: end, end }).readonly())
    .readonly()
    .refine(apart, "not sorted and apart");
}

const register = z.int().min(0).max(65_535);
const write = z.strictObject({
  start: register,
  end: register,
  min: register,
  max: register,
  maxChange: register.nullable(),
});
const writes = z
  .array(write.refine(({ min, max }) => min <= max, "values run backwards").readonly())
  .readonly()
  .refine(apart, "not sorted and apart");
const reads = intervals(0, 65_535);

function tables<T extends z.ZodType>(list: T) {
  return z
    .strictObject({
      coils: list.exactOptional(),
      discreteInputs: list.exactOptional(),
      holdingRegisters: list.exactOptional(),
      inputRegisters: list.exactOptional(),
    })
    .readonly()
    .nullable();
}

const functions = z
  .array(
    z.strictObject({ code: z.int().min(1).max(127), subFunctions: numbers(0, 65_535).nullable() }).readonly(),
  )
  .readonly()
  .refine((scopes) => sortedBy(scopes.map(({ code }) => code)), "not sorted by code")
  .nullable();

const modbus = z
  .strictObject({
    units: intervals(0, 255).nullable(),
    functions,
    reads: tables(reads),
    writes: tables(writes),
  })
  .refine((scope) => (scope.reads === null) === (scope.writes === null), "one of reads and writes is null")
  .readonly()
  .nullable();

const when = z
  .strictObject({
    days: numbers(0, 6).nullable(),
    hours: intervals(0, 1440).nullable(),
    from: instant,
    until: instant,
  })
  .readonly()
  .nullable();

const who = z
  .strictObject({
    users: texts.nullable(),
    groups: texts.nullable(),
    devices: texts.nullable(),
    roles: texts.nullable(),
    tiers: texts.nullable(),
    tenants: texts.nullable(),
  })
  .readonly();

const cidr = z.string().refine((text) => text.includes("/") && network(text) !== null, "no network");

const rule = {
  name: z.string(),
  reason: z.string(),
  line: count,
  who,
  services: texts,
  modbus,
  when,
  from: z.array(cidr).readonly().nullable(),
};

const rate = z
  .strictObject({ operationsPerSecond: positive.nullable(), connections: positive.nullable() })
  .readonly()
  .nullable();

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
    protocol: z.enum(["modbus-tcp", "modbus-rtu"]),
    tcp: tcp.nullable(),
    serial: serial.nullable(),
    units: numbers(0, 255),
    maxConnections: positive,
    maxPending: positive,
    maxQueued: positive,
    requestTimeout: positive,
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
  .strictObject({ name: z.string(), unsafeTls12: z.boolean(), protocol: z.literal("tcp"), tcp })
  .readonly();

const machine = z
  .strictObject({
    name: z.string(),
    description: z.string(),
    whenUnrecorded: z.enum(["deny", "readOnly", "allow"]),
    services: z.array(z.discriminatedUnion("protocol", [modbusService, tcpService])).readonly(),
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
  })
  .readonly();

function listsFunctions(grant: { readonly modbus: Snapshot["grants"][number]["modbus"] }): boolean {
  return grant.modbus === null || grant.modbus.functions !== null;
}

/** Every rule speaks of services that exist: one that does not would deny, or forbid, nothing. */
function resolved({ machines, grants, forbids }: Snapshot): boolean {
  const known = new Set(
    machines.flatMap(({ name, services }) => services.map((service) => `${name}/${service.name}`)),
  );
  return [...grants, ...forbids].every(({ services }) => services.every((service) => known.has(service)));
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
    machines: z.array(machine).readonly(),
    people: z.record(z.string(), texts).readonly(),
    certificateGroups: texts,
    grants: z
      .array(
        z
          .strictObject({ ...rule, rate })
          .refine(listsFunctions, "a grant opens every function")
          .readonly(),
      )
      .readonly(),
    forbids: z.array(z.strictObject(rule).readonly()).readonly(),
    destinations: z.array(destination).readonly(),
  })
  .readonly()
  .refine(resolved, "a rule speaks of a service that no machine has");

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
