/** Differences between the rules of two snapshots. */
import { fieldChanges, type Access, type Change } from "./fields.ts";
import { containsRule, type RuleKind, type RuleParts } from "./overlap.ts";
import type { Forbid, Grant, Rate, Snapshot } from "./snapshot.ts";
import { ruleFields } from "./words.ts";

export interface Named {
  readonly kind: RuleKind;
  readonly parts: RuleParts;
  readonly rate: Rate | null;
}

function partsByName<R extends Forbid>(rules: readonly R[]): ReadonlyMap<string, R[]> {
  const byName = new Map<string, R[]>();
  for (const rule of rules) {
    const known = byName.get(rule.name);
    if (known === undefined) byName.set(rule.name, [rule]);
    else known.push(rule);
  }
  return byName;
}

/** Grants that stand for a destination or a client without a certificate are told as what they stand for. */
function isGenerated({ who }: Grant): boolean {
  return who.sources !== null || who.machines !== null;
}

function rulesOf(kind: RuleKind, snapshot: Snapshot | null): readonly (Grant | Forbid)[] {
  if (kind === "forbid") return snapshot?.forbids ?? [];
  return (snapshot?.grants ?? []).filter((grant) => !isGenerated(grant));
}

/** The grants that stand for destinations and clients without a certificate, by their names. */
export function generatedGrants(snapshot: Snapshot | null): ReadonlyMap<string, Named> {
  return named("grant", (snapshot?.grants ?? []).filter(isGenerated));
}

function named(kind: RuleKind, rules: readonly (Grant | Forbid)[]): ReadonlyMap<string, Named> {
  const entries = [...partsByName(rules)].map(([name, parts]) => {
    const [first] = parts;
    const rate = first !== undefined && "rate" in first ? first.rate : null;
    return [name, { kind, parts, rate }] as const;
  });
  return new Map(entries);
}

function reaches({ parts }: Named): boolean {
  return parts.some(({ services }) => services.length > 0);
}

function asFast(wide: Rate | null, narrow: Rate | null): boolean {
  return (["operationsPerSecond", "connections"] as const).every((field) => {
    const [outer, inner] = [wide?.[field] ?? null, narrow?.[field] ?? null];
    return outer === null || (inner !== null && inner <= outer);
  });
}

/** Whether a rule matches at least what the other does, and lets it pass at least as fast. */
function includes(wide: Named, narrow: Named): boolean {
  if (!reaches(narrow)) return true;
  return containsRule(wide.kind, wide.parts, narrow.parts) && asFast(wide.rate, narrow.rate);
}

/** Whether a rule matches more than it did; undefined: there is or was none. */
export function reachOf(before: Named | undefined, after: Named | undefined): Access {
  const grown = before === undefined || (after !== undefined && includes(after, before));
  const shrunk = after === undefined || (before !== undefined && includes(before, after));
  const nothing = (before === undefined || !reaches(before)) && (after === undefined || !reaches(after));
  if (nothing || (grown && shrunk)) return "same";
  return grown ? "wider" : shrunk ? "narrower" : null;
}

/** A forbid that reaches further leaves less. */
const OPPOSITE = { wider: "narrower", narrower: "wider", same: "same" } as const;

function changesOf(kind: RuleKind, before: Snapshot | null, after: Snapshot): readonly Change[] {
  const old = named(kind, rulesOf(kind, before));
  const now = named(kind, rulesOf(kind, after));
  const changes: Change[] = [];
  for (const name of new Set([...now.keys(), ...old.keys()])) {
    const [was, is] = [old.get(name), now.get(name)];
    const change = was === undefined ? "added" : is === undefined ? "removed" : "changed";
    const fields =
      was === undefined || is === undefined
        ? []
        : fieldChanges(ruleFields(was.parts, was.rate), ruleFields(is.parts, is.rate));
    if (change === "changed" && fields.length === 0) continue;
    const reach = reachOf(was, is);
    changes.push({
      kind,
      name,
      change,
      fields,
      access: kind === "grant" || reach === null ? reach : OPPOSITE[reach],
    });
  }
  return changes;
}

export function ruleChanges(before: Snapshot | null, after: Snapshot): readonly Change[] {
  return [...changesOf("grant", before, after), ...changesOf("forbid", before, after)];
}
