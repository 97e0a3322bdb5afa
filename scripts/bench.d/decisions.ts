/**
 * Decisions per second, run as a process of its own so that it has the core and the heap to itself. Prints one line of JSON:
 * row path to value. All rules apply to the one session that asks.
 */
import type { Identity } from "../../src/identity/index.ts";
import { NO_PANEL } from "../../src/link/index.ts";
import type { Operation } from "../../src/modbus/index.ts";
import {
  compilePolicy,
  decide,
  isDenial,
  isPermit,
  Locks,
  openSession,
  type SessionPermit,
  type Verdict,
  unknownStanding,
} from "../../src/policy/index.ts";
import type { Forbid, Grant, ModbusScope, Snapshot, Who } from "../../src/site/index.ts";
import { median, RULE_COUNTS } from "./results.ts";

const SAMPLES = 5;
/** Milliseconds of one sample. */
const SAMPLE_TIME = 150;
/** Decisions between two looks at the clock, which costs as much as several of them. */
const BATCH = 64;
const DIFFERENT_OPERATIONS = 4_096;
const NOW = Date.UTC(2026, 0, 14, 10, 0);
const SERVICE = "press-4/modbus";
const REGISTERS_OF_A_RULE = 30;
const HIGHEST_VALUE = 1_000;

/** The same numbers in every run, so that runs compare. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const maintenance: Who = {
  users: null,
  groups: ["maintenance"],
  devices: null,
  roles: null,
  tiers: null,
  tenants: null,
  sources: null,
  machines: null,
};

function startOf(rule: number, rules: number): number {
  return Math.floor((rule * 65_000) / rules);
}

function scope(start: number, min: number, max: number, withReads: boolean): ModbusScope {
  const interval = { start, end: start + REGISTERS_OF_A_RULE - 1 };
  return {
    units: [{ start: 1, end: 1 }],
    functions: withReads ? [3, 6, 16].map((code) => ({ code, subFunctions: null })) : null,
    reads: withReads ? { holdingRegisters: [interval] } : {},
    writes: { holdingRegisters: [{ ...interval, min, max, maxChange: null }] },
  };
}

/** Nine grants to one forbid, over the same registers; the forbids are of values no grant allows. */
function snapshotOf(rules: number): Snapshot {
  const grants: Grant[] = [];
  const forbids: Forbid[] = [];
  for (let i = 0; i < rules; i++) {
    const common = {
      reason: "bench",
      line: i + 1,
      who: maintenance,
      services: [SERVICE],
      when: null,
      from: null,
    };
    const start = startOf(i, rules);
    if (i % 10 === 9)
      forbids.push({ ...common, name: `forbid-${i}`, modbus: scope(start, 60_000, 65_535, false) });
    else
      grants.push({
        ...common,
        name: `grant-${i}`,
        modbus: scope(start, 0, HIGHEST_VALUE, true),
        posture: null,
        rate: null,
      });
  }
  return {
    format: 1,
    version: 1,
    hash: "",
    site: {
      name: "Bench",
      appliance: "bench.example",
      timeZone: "Europe/Berlin",
      limits: {
        connections: 512,
        connectionsPerSource: 64,
        handshakeTimeout: 10_000,
        idleTimeout: 900_000,
        readSummaryInterval: 60_000,
      },
    },
    network: null,
    machines: [
      {
        name: "press-4",
        description: "",
        whenUnrecorded: "readOnly",
        address: null,
        mac: null,
        ping: false,
        standIn: null,
        services: [
          {
            name: "modbus",
            unsafeTls12: false,
            tlsPort: null,
            protocol: "modbus-tcp",
            tcp: { host: "127.0.0.1", port: 502 },
            serial: null,
            units: [],
            maxConnections: 2,
            maxPending: 4,
            maxQueued: 256,
            requestTimeout: 2_000,
            queueTimeout: 5_000,
          },
        ],
      },
    ],
    people: { "engineer-1": ["maintenance"] },
    certificateGroups: [],
    grants,
    forbids,
    destinations: [],
    unauthenticated: [],
    postures: [],
    trust: { authorities: [], signIn: null, postureSigners: [] },
  };
}

const engineer: Identity = {
  kind: "certificate",
  user: "engineer-1",
  device: "laptop-1",
  groups: [],
  role: null,
  tier: null,
  tenant: null,
  authority: null,
  issuer: "CN=bench",
  serialNumber: "01",
  fingerprint: "00",
  notBefore: 0,
  notAfter: Number.MAX_SAFE_INTEGER,
};

/** Three reads of ten registers to one write of one, each within a grant; `value` decides whether writes are. */
function operationsOf(rules: number, value: number, onlyWrites: boolean): Operation[] {
  const random = generator(rules);
  return Array.from({ length: DIFFERENT_OPERATIONS }, (_, i) => {
    const rule = random(rules);
    const start = startOf(rule % 10 === 9 ? rule - 1 : rule, rules);
    const common = { unit: 1, subFunction: -1, files: [], data: new Uint8Array() };
    if (onlyWrites || i % 4 === 3) {
      const address = start + random(REGISTERS_OF_A_RULE);
      const writes = { table: "holdingRegisters", address, quantity: 1, values: [value] } as const;
      return { ...common, functionCode: 6, reads: null, writes };
    }
    const address = start + random(REGISTERS_OF_A_RULE - 10);
    return {
      ...common,
      functionCode: 3,
      reads: { table: "holdingRegisters", address, quantity: 10 },
      writes: null,
    };
  });
}

/** Milliseconds of CPU so far: waiting for a core that others use is no part of a decision. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** How many a second, the median of some samples; throws where a decision is not the one expected. */
function perSecond(
  session: SessionPermit,
  operations: readonly Operation[],
  expected: "permit" | "denial",
): number {
  const right = (verdict: Verdict): boolean =>
    expected === "permit" ? isPermit(verdict) : isDenial(verdict);
  const sample = (): number => {
    const begin = cpuTime();
    let count = 0;
    let elapsed = 0;
    for (; elapsed < SAMPLE_TIME; elapsed = cpuTime() - begin) {
      for (let i = 0; i < BATCH; i++) {
        const operation = operations[(count + i) % operations.length]!;
        if (!right(decide(session, operation, NOW)))
          throw new Error(`not a ${expected}: ${JSON.stringify(operation)}`);
      }
      count += BATCH;
    }
    return (count / elapsed) * 1_000;
  };
  sample();
  return median(Array.from({ length: SAMPLES }, sample));
}

const values: Record<string, number> = {};
for (const rules of RULE_COUNTS) {
  const request = {
    identity: engineer,
    machine: "press-4",
    service: "modbus",
    source: "192.0.2.7",
    connections: () => 0,
    locks: () => new Locks([]),
    posture: unknownStanding,
    panel: () => NO_PANEL,
  };
  const session = openSession(compilePolicy(snapshotOf(rules)), request, NOW);
  if (isDenial(session)) throw new Error(`the session is denied: ${session.reason}`);
  values[`decisionsPerSecond.rules${rules}`] = perSecond(session, operationsOf(rules, 5, false), "permit");
  values[`denialsPerSecond.rules${rules}`] = perSecond(
    session,
    operationsOf(rules, HIGHEST_VALUE + 1, true),
    "denial",
  );
}
process.stdout.write(`${JSON.stringify(values)}\n`);
