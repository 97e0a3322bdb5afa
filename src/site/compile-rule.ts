/** Grants and forbids, from the document to the snapshot: every name resolved, every time an interval. */
import { compileMoment, MINUTES_OF_DAY } from "./calendar.ts";
import { compileModbus } from "./compile-modbus.ts";
import { intersects, intervalsOf, intervalsText, mergeSpans } from "./interval.ts";
import type { RuleKind } from "./overlap.ts";
import type {
  ForbidDocument,
  GrantDocument,
  RuleDocument,
  WhatDocument,
  WhenDocument,
} from "./schema-rule.ts";
import type { Forbid, Grant, Interval, ModbusScope, When, Who } from "./snapshot.ts";
import { listed } from "./suggest.ts";
import { isModbus, targetsOf, type Implied, type Target, type TargetContext } from "./targets.ts";

export interface RuleContext extends TargetContext {
  readonly timeZone: string;
}

function sorted(values: readonly string[] | undefined): readonly string[] | null {
  return values === undefined ? null : [...new Set(values)].toSorted();
}

function compileWho(who: RuleDocument["who"]): Who {
  const given: Exclude<RuleDocument["who"], string> = who === "anyone" ? {} : who;
  return {
    users: sorted(given.users),
    groups: sorted(given.groups),
    devices: sorted(given.devices),
    roles: sorted(given.roles),
    tiers: sorted(given.tiers),
    tenants: sorted(given.tenants),
    sources: sorted(given.sources),
    machines: sorted(given.machines),
  };
}

/** `modbus:` without `services:` speaks of Modbus alone: a panel beside it is opened only by its name. */
function impliedBy({ modbus }: WhatDocument): Implied {
  return ({ protocol }) => modbus === undefined || protocol !== "tcp";
}

/** Silence must not open everything: a grant says what of Modbus; and what is said of Modbus is said to Modbus services. */
function checkTargets(
  rule: RuleDocument,
  kind: RuleKind,
  targets: readonly Target[],
  context: RuleContext,
): void {
  const { path, reporter } = context;
  const what = [...path, "what"];
  const modbusTargets = targets.filter(isModbus).map(({ label }) => label);
  const others = targets.filter((target) => !isModbus(target)).map(({ label }) => label);
  if (rule.what.modbus === undefined && kind === "grant" && modbusTargets.length > 0) {
    reporter.error(what, `${listed(modbusTargets)}: a grant says what of Modbus it opens`, {
      spot: "key",
      expected: "modbus: with functions and addresses; { functions: programming } for everything",
      suggestion: "modbus: { functions: readOnly }",
    });
  }
  if (rule.what.modbus !== undefined && others.length > 0) {
    reporter.error(
      [...what, "modbus"],
      `${listed(others)} is no Modbus service: ${kind} it by a rule of its own`,
      {
        spot: "key",
        expected: "services that speak Modbus",
      },
    );
  }
}

function checkUnits(modbus: ModbusScope, targets: readonly Target[], { path, reporter }: RuleContext): void {
  const { units } = modbus;
  if (units === null || targets.length === 0) return;
  const reached = targets.some(({ service }) => {
    if (service.protocol === "tcp") return false;
    return service.units.length === 0 || intersects(intervalsOf(service.units), units);
  });
  if (reached) return;
  const labels = listed(targets.map(({ label }) => label));
  reporter.warn(
    [...path, "what", "modbus", "units"],
    `${labels} has no unit ${intervalsText(units)}: this rule can never apply`,
  );
}

/**
 * Hours over midnight become two spans. Where days are named, the part after midnight belongs to the day the span began on,
 * which one `When` cannot say: the rule then stands in the snapshot twice, once for each part.
 */
export function compileWhen(when: WhenDocument, timeZone: string): readonly When[] {
  const days = when.days === undefined ? null : [...new Set(when.days.flat())].toSorted((a, b) => a - b);
  const everyDay = days === null || days.length === 7;
  const from = when.from === undefined ? null : compileMoment(when.from, timeZone, false);
  const until = when.until === undefined ? null : compileMoment(when.until, timeZone, true);
  const base = { days: everyDay ? null : days, from, until, keySwitch: when.keySwitch ?? null };
  if (when.hours === undefined) return [{ ...base, hours: null }];
  const evening: Interval[] = [];
  const morning: Interval[] = [];
  for (const { start, end } of when.hours) {
    evening.push({ start, end: end < start ? MINUTES_OF_DAY : end });
    if (end < start && end > 0) morning.push({ start: 0, end });
  }
  if (everyDay || morning.length === 0)
    return [{ ...base, hours: wholeDay(mergeSpans([...evening, ...morning])) }];
  const next = days.map((day) => (day + 1) % 7).toSorted((a, b) => a - b);
  return [
    { ...base, hours: wholeDay(mergeSpans(evening)) },
    { ...base, days: next, hours: wholeDay(mergeSpans(morning)) },
  ];
}

function wholeDay(hours: readonly Interval[]): readonly Interval[] | null {
  return hours.some(({ start, end }) => start === 0 && end === MINUTES_OF_DAY) ? null : hours;
}

/** A switch that nobody turned and one whose cable is broken look the same to the box, so off must be the position that permits less. */
function checkKeySwitch({ keySwitch }: When, kind: RuleKind, { path, reporter }: RuleContext): void {
  const safe = kind === "grant" ? "on" : "off";
  if (keySwitch === null || keySwitch === safe) return;
  const loose = kind === "grant" ? "this grant holds then" : "this forbid does not hold then";
  const message = `a key switch whose cable is broken reads as off: ${loose}`;
  const expected = `keySwitch: ${safe} in a ${kind}, so that a fault permits less and not more`;
  reporter.warn([...path, "when", "keySwitch"], message, { expected });
}

function checkWhen(when: When, { path, reporter }: RuleContext): void {
  if (when.from === null || when.until === null || when.from < when.until) return;
  reporter.warn([...path, "when", "until"], "until is before from: this rule can never apply", {
    spot: "key",
  });
}

/** Machines ask destinations and nothing else, and nobody else asks these. */
function checkPopulation(
  { who }: RuleDocument,
  targets: readonly Target[],
  { path, reporter }: RuleContext,
): void {
  if (who === "anyone" || targets.length === 0) return;
  const asked = who.machines !== undefined;
  if (targets.some(({ machine }) => (machine === null) === asked)) return;
  const field = asked ? "machines" : (Object.keys(who)[0] ?? "");
  const message = asked
    ? "machines ask destinations alone: this rule can never apply"
    : "destinations are asked by machines alone: this rule can never apply";
  reporter.warn([...path, "who", field], message, {
    spot: "key",
    expected: asked ? "destinations under what" : "machines under who, or `who: anyone`",
  });
}

/** One rule of the document: one of the snapshot, or two where hours of named days run over midnight. */
function compileRule(rule: RuleDocument, kind: RuleKind, context: RuleContext): readonly Forbid[] {
  const { path, reporter, timeZone } = context;
  const targets = targetsOf(rule.what, context, impliedBy(rule.what));
  checkTargets(rule, kind, targets, context);
  const modbusPath = [...path, "what", "modbus"];
  const given = rule.what.modbus;
  const modbus = given === undefined ? null : compileModbus(given, { kind, path: modbusPath, reporter });
  if (modbus !== null) checkUnits(modbus, targets, context);
  if (kind === "forbid") checkPopulation(rule, targets, context);
  const whens = rule.when === undefined ? [null] : compileWhen(rule.when, timeZone);
  const [when] = whens;
  if (when !== undefined && when !== null) {
    checkWhen(when, context);
    checkKeySwitch(when, kind, context);
  }
  return whens.map((one) => ({
    name: rule.name,
    reason: rule.reason,
    line: reporter.line(path),
    who: compileWho(rule.who),
    services: targets.map(({ label }) => label),
    modbus,
    when: one,
    from: sorted(rule.from),
  }));
}

export function compileForbid(rule: ForbidDocument, context: RuleContext): readonly Forbid[] {
  return compileRule(rule, "forbid", context);
}

export function compileGrant(rule: GrantDocument, context: RuleContext): readonly Grant[] {
  const { howFast } = rule;
  const posture = sorted(typeof rule.posture === "string" ? [rule.posture] : rule.posture);
  const rate =
    howFast === undefined
      ? null
      : {
          operationsPerSecond: howFast.operationsPerSecond ?? null,
          connections: howFast.connections ?? null,
        };
  return compileRule(rule, "grant", context).map((compiled) => ({ ...compiled, posture, rate }));
}
