/**
 * Site documents and requests from a seed. Everything is drawn from small pools, so that rules and requests meet:
 * addresses 0..11, values 0..31, the hours around changes of the clock.
 */
import type { Identity } from "../../../src/identity/identity.ts";
import type { AddressRange, Operation } from "../../../src/modbus/index.ts";
import type { Forbid, Grant, Interval, ModbusScope, Snapshot, When } from "../../../src/site/snapshot.ts";
import type { Panel } from "../../../src/policy/index.ts";
import { identityOf, snapshotOf } from "./documents.ts";

/** As sockets give it, and what it means. */
export interface Source {
  readonly text: string;
  readonly plain: string;
}

export interface DrawnOperation {
  readonly operation: Operation;
  readonly now: number;
  /** What the machine holds at the addresses written. */
  readonly current: readonly number[];
  /** The key switch may be turned between two questions. */
  readonly panel: Panel;
}

export interface DrawnSession {
  readonly identity: Identity;
  readonly machine: string;
  readonly service: string;
  readonly source: Source;
  readonly now: number;
  readonly panel: Panel;
  readonly asks: readonly DrawnOperation[];
}

const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "Pacific/Chatham",
];
const USERS = ["alice", "bob", "constructor"];
const GROUPS = ["engineers", "operators", "vendors"];
const SERVICES = ["oven-1/plc", "press-4/panel", "press-4/plc"];
const DESTINATIONS = ["historian/tcp", "plc-12/modbus"];
/** Names that are users of certificates too: one must get nothing of the other's. */
const UNCERTIFIED = ["alice", "scada-1", "press-4"];
const PANELS: readonly Panel[] = [{ keySwitch: true }, { keySwitch: false }, { keySwitch: null }];
const NO_WHO = {
  users: null,
  groups: null,
  devices: null,
  roles: null,
  tiers: null,
  tenants: null,
  sources: null,
  machines: null,
};
const NETWORKS = [
  "10.0.0.0/8",
  "10.1.2.0/24",
  "10.1.2.3/32",
  "0.0.0.0/0",
  "fd00:1::/32",
  "fd00:1::7/128",
  "::/0",
  "192.168.0.0/16",
];
const SOURCES: readonly Source[] = [
  { text: "10.1.2.3", plain: "10.1.2.3" },
  { text: "::ffff:10.1.2.3", plain: "10.1.2.3" },
  { text: "::ffff:0a01:0204", plain: "10.1.2.4" },
  { text: "fd00:1::7", plain: "fd00:1::7" },
  { text: "fd00:1:0:0::8%eth0", plain: "fd00:1::8" },
  { text: "192.168.7.1", plain: "192.168.7.1" },
];
/** Each code with what it reads and writes. */
const CODES = [
  { code: 1, reads: "coils" },
  { code: 3, reads: "holdingRegisters" },
  { code: 4, reads: "inputRegisters" },
  { code: 5, writes: "coils" },
  { code: 6, writes: "holdingRegisters" },
  { code: 16, writes: "holdingRegisters" },
  { code: 22, writes: "holdingRegisters" },
  { code: 23, reads: "holdingRegisters", writes: "holdingRegisters" },
  { code: 8 },
  { code: 43 },
  { code: 99 },
] as const;
const HOUR = 3_600_000;
/** Clock changes of the zones above, and a plain day. */
const MOMENTS = [
  Date.UTC(2026, 2, 29, 1),
  Date.UTC(2026, 9, 25, 1),
  Date.UTC(2026, 2, 8, 7),
  Date.UTC(2026, 10, 1, 6),
  Date.UTC(2026, 3, 4, 15),
  Date.UTC(2026, 5, 17, 12),
];

/** A small generator of numbers (mulberry32): the same seed gives the same document on every machine. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0..n-1. */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  }

  /** True once in `n`. */
  once(n: number): boolean {
    return this.below(n) === 0;
  }

  of<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to choose from");
    return item;
  }

  /** At least one, in their order. */
  some<T>(items: readonly T[]): T[] {
    const chosen = items.filter(() => this.once(2));
    return chosen.length > 0 ? chosen : [this.of(items)];
  }
}

export function drawSnapshot(dice: Dice): Snapshot {
  const snapshot = snapshotOf({
    timeZone: dice.of(ZONES),
    protocol: dice.once(3) ? "modbus-rtu" : "modbus-tcp",
    units: dice.once(3) ? [0, 1, 2] : dice.once(6) ? [1, 2] : [],
    people: Object.fromEntries(USERS.filter(() => !dice.once(4)).map((user) => [user, dice.some(GROUPS)])),
    certificateGroups: dice.once(2) ? dice.some(GROUPS) : [],
  });
  const grants = Array.from({ length: dice.below(11) }, (_, i): Grant => ({
    ...drawRule(dice, `grant-${i}`, true),
    posture: null,
    rate: null,
  }));
  const forbids = Array.from({ length: dice.below(9) }, (_, i): Forbid =>
    drawRule(dice, `forbid-${i}`, false),
  );
  return { ...snapshot, grants, forbids };
}

function drawRule(dice: Dice, name: string, grant: boolean): Forbid {
  // A forbid must miss as often as it hits, so it is drawn narrower.
  const rare = grant ? 4 : 3;
  return {
    name,
    reason: "drawn",
    line: 1,
    who: dice.once(grant ? 4 : 12)
      ? drawUncertified(dice, grant)
      : {
          ...NO_WHO,
          users: dice.once(4) ? dice.some(USERS) : null,
          groups: dice.once(rare) ? dice.some(GROUPS) : null,
          devices: dice.once(8) ? dice.some(["laptop-1", "laptop-2"]) : null,
          roles: dice.once(8) ? dice.some(["Engineer", "Operator"]) : null,
          tiers: dice.once(12) ? ["gold"] : null,
          tenants: dice.once(12) ? ["vendor"] : null,
        },
    services: dice.some([...SERVICES, ...DESTINATIONS]),
    modbus: dice.once(grant ? 8 : 12) ? null : drawScope(dice, grant),
    when: dice.once(rare) ? drawWhen(dice) : null,
    from: dice.once(rare) ? dice.some(NETWORKS) : null,
  };
}

/** A rule for sources or machines; at times one that asks for both, or for a group as well, and so matches nobody. */
function drawUncertified(dice: Dice, grant: boolean): Forbid["who"] {
  const [one, other] = dice.once(2) ? (["sources", "machines"] as const) : (["machines", "sources"] as const);
  return {
    ...NO_WHO,
    [one]: dice.once(grant ? 8 : 4) ? [dice.of(UNCERTIFIED)] : UNCERTIFIED,
    ...(dice.once(12) ? { [other]: UNCERTIFIED } : {}),
    ...(dice.once(12) ? { groups: GROUPS } : {}),
  };
}

function drawScope(dice: Dice, grant: boolean): ModbusScope {
  const codes = dice.once(3) ? CODES : dice.some(CODES);
  const functions = codes
    .map(({ code }) => ({
      code,
      subFunctions: code === 8 || code === 43 ? (dice.once(2) ? dice.some([0, 1, 13, 14]) : null) : null,
    }))
    .toSorted((a, b) => a.code - b.code);
  const addressed = !dice.once(3);
  const tables = ["coils", "discreteInputs", "holdingRegisters", "inputRegisters"] as const;
  return {
    units: dice.once(3) ? dice.some([0, 1, 2]).map((unit) => ({ start: unit, end: unit })) : null,
    functions: !grant && dice.once(3) ? null : functions,
    reads:
      addressed && !dice.once(4)
        ? Object.fromEntries(
            tables.filter(() => !dice.once(4)).map((table) => [table, merged(drawIntervals(dice, grant))]),
          )
        : null,
    writes: addressed
      ? Object.fromEntries(
          (["coils", "holdingRegisters"] as const).map((table) => [
            table,
            drawIntervals(dice, grant).map((interval) => ({ ...interval, ...drawLimits(dice, grant) })),
          ]),
        )
      : null,
  };
}

/** Sorted, without overlap, often touching: a write may cross from one to the next. */
function drawIntervals(dice: Dice, grant: boolean): Interval[] {
  const intervals: Interval[] = [];
  for (let start = dice.below(grant ? 3 : 8); start < 12 && intervals.length < 4;) {
    const end = start + dice.below(grant ? 7 : 3);
    intervals.push({ start, end });
    start = end + 1 + (dice.once(2) ? 0 : dice.below(4));
    if (!grant && dice.once(2)) break;
  }
  return intervals;
}

/** What the site's compiler does to lists of reads. */
function merged(intervals: readonly Interval[]): Interval[] {
  const out: { start: number; end: number }[] = [];
  for (const { start, end } of intervals) {
    const last = out.at(-1);
    if (last !== undefined && last.end + 1 === start) last.end = end;
    else out.push({ start, end });
  }
  return out;
}

function drawLimits(dice: Dice, grant: boolean) {
  if (dice.once(3)) return { min: 0, max: 0xffff, maxChange: grant && dice.once(4) ? dice.below(8) : null };
  const min = dice.below(grant ? 8 : 24);
  return {
    min,
    max: min + dice.below(grant ? 28 : 12),
    maxChange: grant && dice.once(2) ? dice.below(12) : null,
  };
}

function drawWhen(dice: Dice): When {
  const now = drawTime(dice);
  const opens = dice.below(1440);
  const spans = [
    [{ start: opens, end: Math.min(1440, opens + 1 + dice.below(900)) }],
    [
      { start: 0, end: 90 + dice.below(120) },
      { start: 900 + dice.below(400), end: 1440 },
    ],
    [{ start: 60 * dice.below(4), end: 60 * (4 + dice.below(18)) }],
  ];
  return {
    days: dice.once(2) ? dice.some([0, 1, 2, 3, 4, 5, 6]) : null,
    hours: dice.once(2) ? dice.of(spans) : null,
    from: dice.once(4) ? now - dice.below(100) * HOUR : null,
    until: dice.once(4) ? now + dice.below(100) * HOUR : null,
    keySwitch: dice.once(3) ? dice.of(["on", "off"] as const) : null,
  };
}

/** Near a change of the clock: on the whole minute as often as not, and on the millisecond before. */
export function drawTime(dice: Dice): number {
  const near = dice.of(MOMENTS) + (dice.below(61) - 30) * HOUR;
  return dice.once(3) ? near : near + dice.below(60) * 60_000 + dice.of([-1, 0, 1, 30_000]);
}

export function drawSession(dice: Dice, asks: number): DrawnSession {
  const kind = dice.of(["certificate", "certificate", "certificate", "source", "machine"] as const);
  const often = kind === "machine" ? "plc-12/modbus" : "press-4/plc";
  const pair = dice.once(6) ? dice.of([...SERVICES, ...DESTINATIONS]) : often;
  const [machine = "", service = ""] = pair.split("/");
  const times = [drawTime(dice), drawTime(dice), drawTime(dice)];
  return {
    identity: identityOf({
      kind,
      user: dice.of(kind === "certificate" ? [...USERS, "scada-1"] : UNCERTIFIED),
      device: dice.of(["laptop-1", "laptop-1", "laptop-2", null]),
      groups: dice.once(2) ? dice.some(GROUPS) : [],
      role: dice.of(["Engineer", "Engineer", "Operator", null]),
      tier: dice.of(["gold", null]),
      tenant: dice.of(["vendor", null]),
    }),
    machine,
    service,
    source: dice.of(SOURCES),
    now: dice.of(times),
    panel: dice.of(PANELS),
    asks: Array.from({ length: asks }, () => drawOperation(dice, dice.of(times))),
  };
}

function drawOperation(dice: Dice, now: number): DrawnOperation {
  const kind = dice.of(CODES);
  const writes = "writes" in kind ? drawWrites(dice, kind.code, kind.writes) : null;
  const held = (i: number): number => {
    const value = writes !== null && "values" in writes ? (writes.values[i] ?? 0) : 8;
    return Math.max(0, value + dice.below(15) - 7);
  };
  const bit = writes?.table === "coils";
  return {
    operation: {
      unit: dice.of([0, 1, 1, 1, 2, 3]),
      functionCode: kind.code,
      subFunction: kind.code === 8 ? dice.of([0, 1, 4]) : kind.code === 43 ? dice.of([13, 14]) : -1,
      reads: "reads" in kind ? drawRange(dice, kind.reads, 1 + dice.below(4)) : null,
      writes,
      files: [],
      data: new Uint8Array(),
    },
    now,
    panel: dice.of(PANELS),
    current: Array.from({ length: writes?.quantity ?? 0 }, (_, i) => (bit ? dice.below(2) : held(i))),
  };
}

function drawRange(dice: Dice, table: AddressRange["table"], quantity: number): AddressRange {
  return { table, address: dice.below(12), quantity };
}

function drawWrites(dice: Dice, code: number, table: AddressRange["table"]): Operation["writes"] {
  const quantity = code === 16 || code === 23 ? 1 + dice.below(4) : 1;
  const range = drawRange(dice, table, quantity);
  // At most three bits of a mask write are open: its at most eight results can all be tried.
  if (code === 22) return { ...range, and: dice.below(8) << dice.below(4), or: dice.below(32) };
  const near = dice.below(24);
  const values = Array.from({ length: quantity }, () =>
    table === "coils" ? dice.below(2) : near + dice.below(8),
  );
  return { ...range, values };
}
