import { type CompiledForbid, type CompiledGrant, compileRule } from "./rule.ts";
import type { Destination, Machine, Service, Snapshot, When } from "../site/index.ts";
import { UsageError } from "../base/index.ts";
import { TimeCondition, Zone } from "./when.ts";
import type { Identity } from "../identity/index.ts";

/** One service, of a machine or of a destination, and the rules that speak of it. */
export interface Target {
  readonly service: Service;
  /** Those that can open it: with a Modbus scope for Modbus services, without one for the others. */
  readonly grants: CompiledGrant[];
  /** Those of the service as a whole, and for Modbus services the narrower ones too. */
  readonly forbids: CompiledForbid[];
}

/** A snapshot made ready to be asked. Made by compilePolicy only. */
export class Policy {
  readonly snapshot: Snapshot;
  readonly #people: ReadonlyMap<string, readonly string[]>;
  readonly #certificateGroups: ReadonlySet<string>;
  readonly #targets: ReadonlyMap<string, ReadonlyMap<string, Target>>;

  constructor(snapshot: Snapshot, targets: ReadonlyMap<string, ReadonlyMap<string, Target>>) {
    this.snapshot = snapshot;
    // A Map, because a user may be called "constructor".
    this.#people = new Map(Object.entries(snapshot.people));
    this.#certificateGroups = new Set(snapshot.certificateGroups);
    this.#targets = targets;
  }

  /** `machine` may be a destination. Undefined: there is neither of that name, or it has no such service. */
  target(machine: string, service: string): Target | undefined {
    return this.#targets.get(machine)?.get(service);
  }

  services(machine: string): readonly string[] {
    return [...(this.#targets.get(machine)?.keys() ?? [])];
  }

  /** What the site says of the user, and of what the certificate claims only the groups the site takes from there. Without a certificate: none. */
  groupsOf(identity: Identity): ReadonlySet<string> {
    if (identity.kind !== "certificate") return new Set();
    const groups = new Set(this.#people.get(identity.user));
    for (const group of identity.groups) if (this.#certificateGroups.has(group)) groups.add(group);
    return groups;
  }
}

/**
 * Done once for each snapshot. Throws UsageError where the time zone or a source network cannot be read, or two services have
 * one name: the policy before it then stays in force.
 */
export function compilePolicy(snapshot: Snapshot): Policy {
  const targets = new Map<string, Map<string, Target>>();
  const byPair = new Map<string, Target>();
  for (const [name, offered] of [
    ...snapshot.machines.map(servicesOf),
    ...snapshot.destinations.map(serviceOf),
  ]) {
    if (targets.has(name)) throw twice(name);
    const services = new Map<string, Target>();
    for (const service of offered) {
      const target = { service, grants: [], forbids: [] };
      services.set(service.name, target);
      byPair.set(`${name}/${service.name}`, target);
    }
    targets.set(name, services);
  }
  const time = timeConditions(new Zone(snapshot.site.timeZone));
  for (const [order, grant] of snapshot.grants.entries()) {
    const compiled = compileRule("grant", grant, order, time(grant.when));
    for (const pair of new Set(grant.services)) {
      const target = byPair.get(pair);
      if (target !== undefined && (grant.modbus === null) === (target.service.protocol === "tcp")) {
        target.grants.push(compiled);
      }
    }
  }
  for (const [order, forbid] of snapshot.forbids.entries()) {
    const compiled = compileRule("forbid", forbid, order, time(forbid.when));
    for (const pair of new Set(forbid.services)) {
      const target = byPair.get(pair);
      if (target !== undefined && (forbid.modbus === null || target.service.protocol !== "tcp")) {
        target.forbids.push(compiled);
      }
    }
  }
  return new Policy(snapshot, targets);
}

function servicesOf({ name, services }: Machine): [string, readonly Service[]] {
  return [name, services];
}

/** What the kernel passes on by itself has no service: nobody is judged by a rule there. */
function serviceOf({ name, service }: Destination): [string, readonly Service[]] {
  return [name, service === null ? [] : [service]];
}

/** Rules speak of `name/service`: with two of a name they would hold for both. */
function twice(name: string): UsageError {
  return new UsageError(
    "name-twice",
    `"${name}" is the name of two machines or destinations`,
    "Give each machine and each destination a name of its own.",
  );
}

/** Rules with the same times share one condition, so that a boundary is worked out once for all of them. */
function timeConditions(zone: Zone): (when: When | null) => TimeCondition | null {
  const known = new Map<string, TimeCondition>();
  return (when) => {
    if (when === null) return null;
    const key = JSON.stringify([when.days, when.hours, when.from, when.until]);
    const condition = known.get(key) ?? new TimeCondition(when, zone);
    known.set(key, condition);
    return condition;
  };
}
