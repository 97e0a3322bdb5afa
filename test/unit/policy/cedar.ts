/**
 * The same question put to Cedar (cedarpolicy.com). A snapshot becomes Cedar policies address by address, without the
 * intervals, searches and caches of src/policy, of which nothing is used here: where the two disagree, one is wrong.
 */
import {
  type CedarValueJson,
  type Context,
  type Entities,
  preparsePolicySet,
  statefulIsAuthorized,
} from "@cedar-policy/cedar-wasm/nodejs";
import type { AddressRange, Operation } from "../../../src/modbus/index.ts";
import type { Forbid, ModbusScope, Snapshot, When } from "../../../src/site/snapshot.ts";
import type { DrawnSession } from "./generator.ts";

/** Addresses of one access at most; each is a condition of its own in the policies. */
const WIDEST = 4;

export interface Answer {
  readonly allowed: boolean;
  /** Whether a forbid was what denied. */
  readonly forbidden: boolean;
}

/** When it is asked, and how the panel stands then. */
type Moment = Pick<DrawnSession, "now" | "panel">;

const TYPES = { certificate: "User", source: "Source", machine: "Machine" } as const;

type Action = "open" | "read" | "write" | "call";

export class Cedar {
  readonly #snapshot: Snapshot;
  readonly #clock: Intl.DateTimeFormat;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#clock = new Intl.DateTimeFormat("en-GB", {
      timeZone: snapshot.site.timeZone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    const permits = snapshot.grants.map((rule) => [rule.name, policyText("permit", rule)]);
    const forbids = snapshot.forbids.map((rule) => [rule.name, policyText("forbid", rule)]);
    const staticPolicies: Record<string, string> = Object.fromEntries([...permits, ...forbids]);
    const answer = preparsePolicySet("site", { staticPolicies });
    if (answer.type === "failure") throw new Error(JSON.stringify([answer.errors, staticPolicies]));
  }

  opens(drawn: DrawnSession, at: Moment): Answer {
    return this.#ask(drawn, "open", at, {});
  }

  /** Every access must be allowed; `current`: what the machine holds at the addresses written. */
  permits(drawn: DrawnSession, operation: Operation, at: Moment, current: readonly number[]): Answer {
    const { unit, functionCode, subFunction, reads, writes } = operation;
    const base = { unit, function: functionCode, sub: subFunction };
    const answers: Answer[] = [];
    if (reads !== null)
      answers.push(this.#ask(drawn, "read", at, { ...base, ...place(reads), ...numbers("v", []) }));
    if (writes !== null) {
      const there = { ...base, ...place(writes), ...numbers("c", current) };
      const asked = (values: readonly number[]) =>
        this.#ask(drawn, "write", at, { ...there, ...numbers("v", values) });
      if ("values" in writes) answers.push(asked(writes.values));
      else {
        const [held = 0] = current;
        answers.push(asked([result(held, writes.and, writes.or)]));
        const others = possible(writes.and, writes.or).map((value) => asked([value]));
        if (others.some(({ forbidden }) => forbidden)) answers.push({ allowed: false, forbidden: true });
      }
    }
    if (answers.length === 0) answers.push(this.#ask(drawn, "call", at, base));
    return {
      allowed: answers.every(({ allowed }) => allowed),
      forbidden: answers.some(({ forbidden }) => forbidden),
    };
  }

  #ask(drawn: DrawnSession, action: Action, { now, panel }: Moment, asked: Context): Answer {
    const entities = this.#entities(drawn);
    if (entities === null) return { allowed: false, forbidden: false };
    const answer = statefulIsAuthorized({
      principal: { type: TYPES[drawn.identity.kind], id: drawn.identity.user },
      action: { type: "Action", id: action },
      resource: { type: "Service", id: `${drawn.machine}/${drawn.service}` },
      context: {
        ...asked,
        ...this.#time(now),
        // What is not known is not there, as Cedar has it.
        ...(panel.keySwitch === null ? {} : { keySwitch: panel.keySwitch }),
        source: { __extn: { fn: "ip", arg: drawn.source.plain } },
      },
      preparsedPolicySetId: "site",
      entities,
    });
    if (answer.type === "failure") throw new Error(JSON.stringify(answer.errors));
    const { decision, diagnostics } = answer.response;
    // A policy that fails to evaluate is passed over by Cedar: the translation would be wrong, and nobody would see it.
    if (diagnostics.errors.length > 0) throw new Error(JSON.stringify(diagnostics.errors));
    return { allowed: decision === "allow", forbidden: decision === "deny" && diagnostics.reason.length > 0 };
  }

  #time(now: number): Context {
    const parts = new Map(this.#clock.formatToParts(now).map(({ type, value }) => [type, value]));
    return {
      now,
      day: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].indexOf(parts.get("weekday") ?? ""),
      minute: 60 * Number(parts.get("hour")) + Number(parts.get("minute")),
    };
  }

  /** Null: the site has no such service. */
  #entities({ identity, machine, service }: DrawnSession): Entities | null {
    const { machines, destinations, people, certificateGroups } = this.#snapshot;
    const found =
      machines.find(({ name }) => name === machine)?.services.find(({ name }) => name === service) ??
      destinations.find(({ name, service: one }) => name === machine && one?.name === service)?.service;
    if (found == null) return null;
    const certified = identity.kind === "certificate";
    const own = Object.entries(people).flatMap(([user, groups]) => (user === identity.user ? groups : []));
    const claimed = identity.groups.filter((group) => certificateGroups.includes(group));
    const attrs: Record<string, CedarValueJson> = {};
    for (const field of ["device", "role", "tier", "tenant"] as const) {
      const value = identity[field];
      if (value !== null) attrs[field] = value;
    }
    return [
      {
        uid: { type: TYPES[identity.kind], id: identity.user },
        // What is no certificate has no attributes, whatever the identity says.
        attrs: certified ? attrs : {},
        parents: certified ? [...new Set([...own, ...claimed])].map((id) => ({ type: "Group", id })) : [],
      },
      {
        uid: { type: "Service", id: `${machine}/${service}` },
        attrs: {
          modbus: found.protocol !== "tcp",
          serial: found.protocol === "modbus-rtu",
          units: found.protocol === "tcp" ? [] : [...found.units],
        },
        parents: [],
      },
    ];
  }
}

/** Every result of a mask write with at most a few open bits, found by trying. */
export function possible(and: number, or: number): number[] {
  const results = new Set<number>();
  for (let held = 0; held <= 0xffff; held++) results.add(result(held, and, or));
  return [...results];
}

/** Section 6.16, bit by bit as the standard has it. */
export function result(held: number, and: number, or: number): number {
  let value = 0;
  for (let bit = 1; bit <= 0x8000; bit *= 2) {
    if ((and & bit) === bit ? (held & bit) === bit : (or & bit) === bit) value += bit;
  }
  return value;
}

function place({ table, address, quantity }: AddressRange): Context {
  if (quantity > WIDEST) throw new Error(`the translation knows ${WIDEST} addresses, ${quantity} were asked`);
  return { table, start: address, quantity };
}

function numbers(letter: string, values: readonly number[]): Context {
  return Object.fromEntries(Array.from({ length: WIDEST }, (_, i) => [`${letter}${i}`, values[i] ?? 0]));
}

function policyText(effect: "permit" | "forbid", rule: Forbid): string {
  const { who } = rule;
  const uncertified = who.sources !== null || who.machines !== null;
  const conditions = [
    effect === "permit" && !uncertified ? "principal is User" : "true",
    who.sources === null ? "true" : `[${uids("Source", who.sources)}].contains(principal)`,
    who.machines === null ? "true" : `[${uids("Machine", who.machines)}].contains(principal)`,
    who.users === null ? "true" : `[${uids("User", who.users)}].contains(principal)`,
    who.groups === null ? "true" : `principal in [${uids("Group", who.groups)}]`,
    attribute("device", who.devices),
    attribute("role", who.roles),
    attribute("tier", who.tiers),
    attribute("tenant", who.tenants),
    `[${uids("Service", rule.services)}].contains(resource)`,
    rule.from === null ? "true" : any(rule.from.map((cidr) => `context.source.isInRange(ip("${cidr}"))`)),
    rule.when === null ? "true" : whenText(rule.when),
    rule.when === null ? "true" : keyText(effect, rule.when),
    effect === "permit" ? permitText(rule.modbus) : forbidText(rule.modbus),
  ];
  return `${effect}(principal, action, resource) when { ${all(conditions)} };`;
}

function permitText(scope: ModbusScope | null): string {
  if (scope === null) return `!resource.modbus && ${isAction("open")}`;
  const exists = "resource.units.isEmpty() || resource.units.contains(context.unit)";
  const asked = all([
    exists,
    functionText(scope) ?? "false",
    unitText(scope),
    addressText(scope, every, true),
  ]);
  return `resource.modbus && (${isAction("open")} || (${asked}))`;
}

function forbidText(scope: ModbusScope | null): string {
  if (scope === null) return "true";
  const unit = `(resource.serial && context.unit == 0) || (${unitText(scope)})`;
  const asked = all([functionText(scope) ?? "true", unit, addressText(scope, some, false)]);
  return `resource.modbus && !${isAction("open")} && (${asked})`;
}

function functionText({ functions }: ModbusScope): string | null {
  if (functions === null) return null;
  return any(
    functions.map(({ code, subFunctions }) =>
      subFunctions === null
        ? `context.function == ${code}`
        : `context.function == ${code} && [${subFunctions.join(", ")}].contains(context.sub)`,
    ),
  );
}

function unitText({ units }: ModbusScope): string {
  if (units === null) return "true";
  return any(units.map(({ start, end }) => `context.unit >= ${start} && context.unit <= ${end}`));
}

/** `over` says how many of the addresses asked must satisfy, `call` what is said of operations without addresses. */
function addressText(
  scope: ModbusScope,
  over: (condition: (i: number) => string) => string,
  call: boolean,
): string {
  const { reads, writes } = scope;
  if (reads === null && writes === null) return "true";
  const read = over((i) =>
    any(
      Object.entries(reads ?? {}).flatMap(([table, intervals]) =>
        intervals.map((interval) => within(table, interval, i)),
      ),
    ),
  );
  const write = over((i) =>
    any(
      Object.entries(writes ?? {}).flatMap(([table, intervals]) =>
        intervals.map(({ min, max, maxChange, ...interval }) =>
          all([
            within(table, interval, i),
            `context.v${i} >= ${min} && context.v${i} <= ${max}`,
            maxChange === null
              ? "true"
              : `context.v${i} - context.c${i} <= ${maxChange} && context.c${i} - context.v${i} <= ${maxChange}`,
          ]),
        ),
      ),
    ),
  );
  return any([
    `${isAction("read")} && (${read})`,
    `${isAction("write")} && (${write})`,
    `${isAction("call")} && ${call}`,
  ]);
}

function every(condition: (i: number) => string): string {
  return all(Array.from({ length: WIDEST }, (_, i) => `context.quantity <= ${i} || (${condition(i)})`));
}

function some(condition: (i: number) => string): string {
  return any(Array.from({ length: WIDEST }, (_, i) => `context.quantity > ${i} && (${condition(i)})`));
}

function within(table: string, { start, end }: { start: number; end: number }, i: number): string {
  const address = `context.start + ${i}`;
  return `context.table == "${table}" && ${address} >= ${start} && ${address} <= ${end}`;
}

function whenText({ days, hours, from, until }: When): string {
  return all([
    days === null ? "true" : `[${days.join(", ")}].contains(context.day)`,
    hours === null
      ? "true"
      : any(hours.map(({ start, end }) => `context.minute >= ${start} && context.minute < ${end}`)),
    from === null ? "true" : `context.now >= ${from}`,
    until === null ? "true" : `context.now < ${until}`,
  ]);
}

function keyText(effect: "permit" | "forbid", { keySwitch }: When): string {
  if (keySwitch === null) return "true";
  const stands = `context has keySwitch && context.keySwitch == ${keySwitch === "on"}`;
  return effect === "permit" ? stands : any(["!(context has keySwitch)", stands]);
}

function attribute(name: string, values: readonly string[] | null): string {
  if (values === null) return "true";
  return `principal has ${name} && [${values.map((value) => JSON.stringify(value)).join(", ")}].contains(principal.${name})`;
}

function uids(type: string, names: readonly string[]): string {
  return names.map((name) => `${type}::${JSON.stringify(name)}`).join(", ");
}

function isAction(action: Action): string {
  return `(action == Action::"${action}")`;
}

function all(conditions: readonly string[]): string {
  return conditions.length === 0 ? "true" : conditions.map((one) => `(${one})`).join(" && ");
}

function any(conditions: readonly string[]): string {
  return conditions.length === 0 ? "false" : conditions.map((one) => `(${one})`).join(" || ");
}
