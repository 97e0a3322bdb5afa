import {
  type CompiledForbid,
  type CompiledGrant,
  type Kind,
  holds,
  matchesFunction,
  matchesUnit,
  runsOf,
} from "./rule.ts";
import { type Intervals, buildIntervals } from "./intervals.ts";
import { BugError, type Table } from "../base/index.ts";
import type { Locks } from "./lock.ts";
import type { Panel } from "./panel.ts";
import type { Standing } from "./posture.ts";
import type { Identity } from "../identity/index.ts";
import type { Policy, Target } from "./compile.ts";

export interface SessionRequest {
  readonly identity: Identity;
  /** Name of the machine, or of the destination that a machine connects to. */
  readonly machine: string;
  readonly service: string;
  /** IP address of who connects. */
  readonly source: string;
  /** How many sessions that user already has open under that grant, this one not counted. */
  readonly connections: (grantName: string, user: string) => number;
  /** The locks in force, now and whenever the session is judged again. */
  readonly locks: () => Locks;
  /** How the laptop stands to a requirement of that name, now and whenever that is asked again. */
  readonly posture: (name: string) => Standing;
  /** What the panel of the box says, now and whenever that is asked again. */
  readonly panel: () => Panel;
}

/** All rules that may decide one kind of access: what a decision searches. */
export interface Slice {
  readonly forbids: Intervals<CompiledForbid>;
  /** Without a limit on operations a second. */
  readonly unlimited: Intervals<CompiledGrant>;
  readonly limited: Intervals<CompiledGrant>;
}

/** Slices kept for one session at most: a laptop that tries every function on every unit must not fill the memory. */
const MAX_SLICES = 512;

const TABLE_NUMBER: Readonly<Record<Table, number>> = {
  coils: 0,
  discreteInputs: 1,
  holdingRegisters: 2,
  inputRegisters: 3,
};
const KIND_NUMBER: Readonly<Record<Kind, number>> = { read: 0, write: 1, call: 2 };

/**
 * What the functions with addresses read and write (MODBUS Application Protocol, section 6). An operation that says
 * otherwise was not made by the codec, and no grant covers it.
 */
const SHAPES: ReadonlyMap<number, { readonly read?: Table; readonly write?: Table }> = new Map([
  [1, { read: "coils" }],
  [2, { read: "discreteInputs" }],
  [3, { read: "holdingRegisters" }],
  [4, { read: "inputRegisters" }],
  [5, { write: "coils" }],
  [6, { write: "holdingRegisters" }],
  [15, { write: "coils" }],
  [16, { write: "holdingRegisters" }],
  [22, { write: "holdingRegisters" }],
  [23, { read: "holdingRegisters", write: "holdingRegisters" }],
  [24, { read: "holdingRegisters" }],
]);

/** What is constant for one session, and what was worked out for it so far. */
export class SessionState {
  readonly policy: Policy;
  readonly request: SessionRequest;
  readonly target: Target;
  /** Grants that match who, service and source, whether or not they hold now. */
  readonly matched: readonly CompiledGrant[];
  readonly forbids: readonly CompiledForbid[];
  /** Those of `matched` it may use; the others' `connections` are used up, or were not asked as they did not hold. */
  readonly usable: ReadonlySet<CompiledGrant>;
  readonly names: readonly string[];
  /** The rules that hold are the same from `#from` on and before `#until`, as long as the key switch stands as it did. */
  #from = Infinity;
  #until = -Infinity;
  #keySwitch: Panel["keySwitch"] = null;
  #grants: readonly CompiledGrant[] = [];
  #forbidding: readonly CompiledForbid[] = [];
  readonly #slices = new Map<number, Slice>();

  constructor(fields: {
    policy: Policy;
    request: SessionRequest;
    target: Target;
    matched: readonly CompiledGrant[];
    forbids: readonly CompiledForbid[];
    usable: ReadonlySet<CompiledGrant>;
    names: readonly string[];
  }) {
    this.policy = fields.policy;
    this.request = fields.request;
    this.target = fields.target;
    this.matched = fields.matched;
    this.forbids = fields.forbids;
    this.usable = fields.usable;
    this.names = fields.names;
  }

  get user(): string {
    return this.request.identity.user;
  }

  /** A write to unit 0 of a serial line reaches every unit (MODBUS over Serial Line V1.02, section 2.1). */
  broadcast(unit: number): boolean {
    return unit === 0 && this.target.service.protocol === "modbus-rtu";
  }

  /** False where the site says which units there are, and this is none of them. */
  hasUnit(unit: number): boolean {
    const { service } = this.target;
    return service.protocol !== "tcp" && (service.units.length === 0 || service.units.includes(unit));
  }

  /** The earliest time after `now` at which a rule may begin or cease to hold; Infinity: never. */
  changes(now: number): number {
    this.at(now);
    return this.#until;
  }

  /** To be called before `slice`: forgets what was worked out for another time or panel. */
  at(now: number): void {
    const panel = this.request.panel();
    if (now >= this.#from && now < this.#until && panel.keySwitch === this.#keySwitch) return;
    if (!Number.isFinite(now)) throw new BugError("time", `${now} is no time to decide at`);
    let until = Infinity;
    for (const { when } of [...this.matched, ...this.forbids]) {
      if (when !== null) until = Math.min(until, when.changes(now));
    }
    for (const name of this.#postures()) {
      const met = this.request.posture(name).until;
      if (met > now) until = Math.min(until, met);
    }
    this.#grants = this.matched.filter(
      (grant) => this.usable.has(grant) && holds(grant, now, panel) && this.lacking(grant, now) === null,
    );
    this.#forbidding = this.forbids.filter((forbid) => holds(forbid, now, panel));
    this.#slices.clear();
    this.#from = now;
    this.#until = until;
    this.#keySwitch = panel.keySwitch;
  }

  /** Of the grant's requirements the first that the laptop does not meet; null: it meets all. */
  lacking(grant: CompiledGrant, now: number): string | null {
    return lackingPosture(grant, this.request, now);
  }

  /** Requirements whose reports' age may change what is allowed. */
  #postures(): ReadonlySet<string> {
    const locked = this.request.locks().postures.map(({ value }) => value);
    return new Set([...this.matched.flatMap(({ rule }) => rule.posture ?? []), ...locked]);
  }

  slice(unit: number, code: number, subFunction: number, kind: Kind, table: Table): Slice {
    // A small integer for every operation but diagnostics and MEI, so that the map stays fast.
    const key =
      (subFunction + 1) * 2 ** 20 +
      ((unit << 12) | (code << 4) | (TABLE_NUMBER[table] << 2) | KIND_NUMBER[kind]);
    const known = this.#slices.get(key);
    if (known !== undefined) return known;
    const slice = this.#build(unit, code, subFunction, kind, table);
    if (this.#slices.size >= MAX_SLICES) this.#slices.clear();
    this.#slices.set(key, slice);
    return slice;
  }

  #build(unit: number, code: number, subFunction: number, kind: Kind, table: Table): Slice {
    const shape = SHAPES.get(code);
    const sound = shape === undefined || (kind !== "call" && shape[kind] === table);
    const grants = (sound && this.hasUnit(unit) ? this.#grants : []).filter(
      (rule) => matchesFunction(rule, code, subFunction) && matchesUnit(rule, unit, false),
    );
    const broadcast = this.broadcast(unit);
    const forbids = this.#forbidding.filter(
      (rule) => matchesFunction(rule, code, subFunction) && matchesUnit(rule, unit, broadcast),
    );
    return {
      forbids: this.#intervals(forbids, kind, table),
      unlimited: this.#intervals(
        grants.filter((rule) => !paced(rule)),
        kind,
        table,
      ),
      limited: this.#intervals(grants.filter(paced), kind, table),
    };
  }

  #intervals<R extends CompiledGrant | CompiledForbid>(rules: readonly R[], kind: Kind, table: Table) {
    return buildIntervals(rules.flatMap((rule) => runsOf(rule, kind, table).map((run) => ({ rule, run }))));
  }
}

/** Of the grant's requirements the first that the laptop does not meet; null: it meets all. */
export function lackingPosture(
  { rule }: CompiledGrant,
  { posture }: SessionRequest,
  now: number,
): string | null {
  return rule.posture?.find((name) => !(now < posture(name).until)) ?? null;
}

function paced({ rule }: CompiledGrant): boolean {
  return (rule.rate?.operationsPerSecond ?? null) !== null;
}
