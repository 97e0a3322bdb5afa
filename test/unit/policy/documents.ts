/**
 * Short forms of the values policy/ is asked with: a test writes what matters to it, the rest is filled in. The vectors
 * in test/vectors/policy are written in the same forms.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Identity } from "../../../src/identity/identity.ts";
import type { Operation } from "../../../src/modbus/index.ts";
import {
  compilePolicy,
  isPermit,
  Locks,
  openSession,
  type Panel,
  type Policy,
  type SessionPermit,
  unknownStanding,
} from "../../../src/policy/index.ts";
import type { Snapshot } from "../../../src/site/snapshot.ts";

const names = z.array(z.string()).nullable().default(null);
const table = z.enum(["coils", "discreteInputs", "holdingRegisters", "inputRegisters"]);
const interval = z.tuple([z.number(), z.number()]).transform(([start, end]) => ({ start, end }));

/** `[start, end]`, with `min`, `max` and `maxChange` behind them as far as they matter. */
const writeInterval = z
  .tuple([z.number(), z.number()])
  .rest(z.number())
  .transform(([start, end, min = 0, max = 0xffff, maxChange = null]) => ({
    start,
    end,
    min,
    max,
    maxChange,
  }));

/** A code alone, or `[code, sub-function, ...]`. */
const functionScope = z
  .union([z.number(), z.array(z.number())])
  .transform((one) =>
    typeof one === "number"
      ? { code: one, subFunctions: null }
      : { code: one[0] ?? 0, subFunctions: one.slice(1) },
  );

const modbus = z.strictObject({
  units: z.array(interval).nullable().default(null),
  functions: z.array(functionScope).nullable().default(null),
  reads: z.partialRecord(table, z.array(interval)).nullable().default(null),
  writes: z.partialRecord(table, z.array(writeInterval)).nullable().default(null),
});

const rule = z.strictObject({
  name: z.string(),
  reason: z.string().default("because"),
  line: z.number().default(1),
  who: z
    .strictObject({
      users: names,
      groups: names,
      devices: names,
      roles: names,
      tiers: names,
      tenants: names,
      sources: names,
      machines: names,
    })
    .prefault({}),
  services: z.array(z.string()).default(["press-4/plc"]),
  modbus: modbus.nullable().default(null),
  when: z
    .strictObject({
      days: z.array(z.number()).nullable().default(null),
      hours: z.array(interval).nullable().default(null),
      from: z.number().nullable().default(null),
      until: z.number().nullable().default(null),
      keySwitch: z.enum(["on", "off"]).nullable().default(null),
    })
    .nullable()
    .default(null),
  from: names,
});
const grant = rule.extend({
  posture: names,
  rate: z
    .strictObject({
      operationsPerSecond: z.number().nullable().default(null),
      connections: z.number().nullable().default(null),
    })
    .nullable()
    .default(null),
});

export type GrantForm = z.input<typeof grant>;
export type ForbidForm = z.input<typeof rule>;

const siteForm = z.strictObject({
  timeZone: z.string().default("UTC"),
  protocol: z.enum(["modbus-tcp", "modbus-rtu"]).default("modbus-tcp"),
  units: z.array(z.number()).default([]),
  people: z.record(z.string(), z.array(z.string())).default({ alice: ["engineers"] }),
  certificateGroups: z.array(z.string()).default([]),
  grants: z.array(grant).default([]),
  forbids: z.array(rule).default([]),
});

export const identityForm = z.strictObject({
  kind: z.enum(["certificate", "source", "machine"]).default("certificate"),
  user: z.string().default("alice"),
  device: z.string().nullable().default("laptop-1"),
  groups: z.array(z.string()).default([]),
  role: z.string().nullable().default(null),
  tier: z.string().nullable().default(null),
  tenant: z.string().nullable().default(null),
});

const range = z
  .tuple([table, z.number(), z.number()])
  .transform(([where, address, quantity]) => ({ table: where, address, quantity }));
const mask = z.strictObject({ and: z.number(), or: z.number() });
/** `[table, address, [value, ...]]`, or `[table, address, { and, or }]`. */
const writeRange = z
  .tuple([table, z.number(), z.union([z.array(z.number()), mask])])
  .transform(([where, address, what]) =>
    Array.isArray(what)
      ? { table: where, address, quantity: what.length, values: what }
      : { table: where, address, quantity: 1, ...what },
  );

const asked = z.strictObject({
  unit: z.number().default(1),
  code: z.number(),
  sub: z.number().default(-1),
  reads: range.nullable().default(null),
  writes: writeRange.nullable().default(null),
});

/**
 * One machine, `press-4`, with the Modbus service `plc` and the VNC service `panel`; a second, `oven-1`, with `plc`. Of their
 * destinations `plc-12` is inspected (service `modbus`), `historian` wrapped as it is (`tcp`) and `broker` left to the kernel.
 */
function siteOf({ timeZone, protocol, units, ...rules }: z.output<typeof siteForm>): Snapshot {
  const host = { host: "192.0.2.4", port: 502 };
  const plc = {
    name: "plc",
    unsafeTls12: false,
    tlsPort: null,
    protocol,
    tcp: protocol === "modbus-tcp" ? host : null,
    serial:
      protocol === "modbus-tcp"
        ? null
        : ({ path: "/dev/ttyS1", baudRate: 19_200, parity: "even", stopBits: 1 } as const),
    units,
    maxConnections: 1,
    maxPending: 1,
    maxQueued: 16,
    requestTimeout: 1000,
    queueTimeout: 1000,
  };
  const panel = {
    name: "panel",
    unsafeTls12: false,
    tlsPort: null,
    protocol: "tcp" as const,
    tcp: { ...host, port: 5900 },
  };
  const inCable = { address: null, mac: null, ping: false, standIn: null };
  return {
    format: 1,
    version: 1,
    hash: "",
    site: {
      name: "hall-2",
      appliance: "niac.example",
      timeZone,
      limits: {
        connections: 64,
        connectionsPerSource: 16,
        handshakeTimeout: 5000,
        idleTimeout: 60_000,
        readSummaryInterval: 60_000,
      },
    },
    network: null,
    machines: [
      { name: "oven-1", description: "", whenUnrecorded: "deny", ...inCable, services: [plc] },
      { name: "press-4", description: "", whenUnrecorded: "deny", ...inCable, services: [panel, plc] },
    ],
    destinations: [
      { ...destination("broker"), how: "forward", service: null, serverName: null },
      {
        ...destination("historian"),
        how: "wrap",
        service: { ...panel, name: "tcp" },
        serverName: "historian.plant.example",
      },
      {
        ...destination("plc-12"),
        how: "inspect",
        service: { ...plc, name: "modbus", protocol: "modbus-tcp", tcp: host, serial: null },
        serverName: null,
      },
    ],
    unauthenticated: [],
    postures: [],
    trust: { authorities: [], signIn: null, postureSigners: [] },
    ...rules,
  };
}

function destination(name: string) {
  return {
    name,
    reason: "because",
    line: 1,
    machines: ["oven-1", "press-4"],
    host: "192.0.2.12",
    ports: [{ start: 502, end: 502 }],
    transport: "tcp",
    address: "192.0.2.12",
    names: [],
    source: "machine",
  } as const;
}

export const documentForm = siteForm.transform(siteOf);

export function snapshotOf(form: z.input<typeof documentForm>): Snapshot {
  return documentForm.parse(form);
}

export function identityOf(form: z.input<typeof identityForm> = {}): Identity {
  return {
    ...identityForm.parse(form),
    authority: null,
    issuer: "CN=Plant CA",
    serialNumber: "01",
    fingerprint: "00",
    notBefore: 0,
    notAfter: 1e15,
  };
}

export const operationForm = asked.transform(({ unit, code, sub, reads, writes }): Operation => ({
  unit,
  functionCode: code,
  subFunction: sub,
  reads,
  writes,
  files: [],
  data: new Uint8Array(),
}));

export function operationOf(form: z.input<typeof operationForm>): Operation {
  return operationForm.parse(form);
}

/** Function 6: one holding register. */
export function write(address: number, value: number, unit = 1): Operation {
  return operationOf({ code: 6, unit, writes: ["holdingRegisters", address, [value]] });
}

/** Function 3. */
export function read(address: number, quantity = 1, unit = 1): Operation {
  return operationOf({ code: 3, unit, reads: ["holdingRegisters", address, quantity] });
}

export const NO_LOCKS = new Locks([]);
export const NO_PANEL: Panel = { keySwitch: null };

/** A request to open press-4/plc as alice from 10.1.2.3, with no session open yet. */
export function requestOf(
  form: z.input<typeof identityForm> = {},
  rest: Partial<Parameters<typeof openSession>[1]> = {},
): Parameters<typeof openSession>[1] {
  return {
    identity: identityOf(form),
    machine: "press-4",
    service: "plc",
    source: "10.1.2.3",
    connections: () => 0,
    locks: () => NO_LOCKS,
    posture: unknownStanding,
    panel: () => NO_PANEL,
    ...rest,
  };
}

export function policyOf(form: z.input<typeof documentForm>): Policy {
  return compilePolicy(snapshotOf(form));
}

/** For tests in which opening is not the question. */
export function open(policy: Policy, request = requestOf(), now = 0): SessionPermit {
  const session = openSession(policy, request, now);
  if (!isPermit(session)) throw new Error(`no session: ${JSON.stringify(session)}`);
  return session;
}

/** The vectors of one file, each checked against its form. */
export function vectors<T extends z.ZodType>(file: string, form: T): z.output<T>[] {
  const text = readFileSync(new URL(`../../vectors/policy/${file}`, import.meta.url), "utf8");
  return z.array(form).parse(JSON.parse(text));
}
