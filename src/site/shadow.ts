/** Rules that change nothing: a grant wholly forbidden, a rule that another of its kind contains. */
import type { Path, Reporter } from "./findings.ts";
import { containsRule, forbidsAll, WHO_FIELDS, type RuleParts } from "./overlap.ts";
import type { Forbid, Grant, Who } from "./snapshot.ts";

export interface PlacedRule<R extends Forbid = Forbid> {
  /** `destination` and `source`: a grant that stands for one. */
  readonly noun: "grant" | "forbid" | "destination" | "source";
  readonly path: Path;
  readonly parts: RuleParts<R>;
}

/** Comparisons and index entries: enough for 700 rules for one group on one machine, and done within a second. */
export const MAX_STEPS = 500_000;

interface Budget {
  left: number;
}

const ANYONE = "anyone";

/** A rule that contains another has, in its first limited field of `who`, every value the other has: index it under each. */
function tokensOfWide(who: Who): readonly string[] {
  const field = WHO_FIELDS.find((candidate) => who[candidate] !== null);
  return field === undefined ? [ANYONE] : (who[field] ?? []).map((value) => `${field} ${value}`);
}

function tokensOfNarrow(who: Who): readonly string[] {
  const values = WHO_FIELDS.flatMap((field) =>
    (who[field] ?? []).slice(0, 1).map((value) => `${field} ${value}`),
  );
  return [ANYONE, ...values];
}

type Index = ReadonlyMap<string, readonly number[]>;

function indexRules(rules: readonly PlacedRule[], budget: Budget): Index {
  const index = new Map<string, number[]>();
  for (const [number, { parts }] of rules.entries()) {
    const [first] = parts;
    if (first === undefined) continue;
    for (const service of first.services) {
      for (const token of tokensOfWide(first.who)) {
        budget.left -= 1;
        if (budget.left <= 0) return index;
        const key = `${service} ${token}`;
        const known = index.get(key);
        if (known === undefined) index.set(key, [number]);
        else known.push(number);
      }
    }
  }
  return index;
}

/** The number of the first rule that could contain this one and does, by `test`. */
function findWide(
  narrow: PlacedRule,
  index: Index,
  budget: Budget,
  test: (wide: number) => boolean,
): number | undefined {
  const [first] = narrow.parts;
  const service = first?.services[0];
  if (first === undefined || service === undefined) return undefined;
  for (const token of tokensOfNarrow(first.who)) {
    for (const number of index.get(`${service} ${token}`) ?? []) {
      budget.left -= 1;
      if (budget.left <= 0) return undefined;
      if (test(number)) return number;
    }
  }
  return undefined;
}

function labelOf(rule: PlacedRule): string {
  const [first] = rule.parts;
  return `${rule.noun} ${first?.name} (line ${first?.line})`;
}

function sameRate(a: RuleParts<Grant>, b: RuleParts<Grant>): boolean {
  const [first, second] = [a[0]?.rate ?? null, b[0]?.rate ?? null];
  return (
    first?.operationsPerSecond === second?.operationsPerSecond && first?.connections === second?.connections
  );
}

/** A wider grant makes a narrower one needless, unless it is the slower of the two. */
function outdoes(wide: RuleParts<Grant>, narrow: RuleParts<Grant>): boolean {
  const rateless = wide.every(({ rate }) => rate === null);
  return (rateless || sameRate(wide, narrow)) && containsRule("grant", wide, narrow);
}

/** Rules that another of their kind contains; of two that say the same, the later one is pointed out. */
function checkContained<R extends Forbid>(
  rules: readonly PlacedRule<R>[],
  budget: Budget,
  reporter: Reporter,
  covers: (wide: RuleParts<R>, narrow: RuleParts<R>) => boolean,
): void {
  const index = indexRules(rules, budget);
  for (const [number, rule] of rules.entries()) {
    const found = findWide(rule, index, budget, (candidate) => {
      const { parts } = rules[candidate]!;
      if (candidate === number || !covers(parts, rule.parts)) return false;
      return candidate < number || !covers(rule.parts, parts);
    });
    if (found === undefined) continue;
    const wide = rules[found]!;
    const words = covers(rule.parts, wide.parts) ? "says the same as" : "changes nothing: all of it is in";
    reporter.warn([...rule.path, "name"], `${labelOf(rule)} ${words} ${labelOf(wide)}`);
  }
}

export function checkShadows(
  grants: readonly PlacedRule<Grant>[],
  forbids: readonly PlacedRule[],
  reporter: Reporter,
): void {
  const budget: Budget = { left: MAX_STEPS };
  const index = indexRules(forbids, budget);
  for (const grant of grants) {
    const found = findWide(grant, index, budget, (number) => forbidsAll(forbids[number]!.parts, grant.parts));
    if (found === undefined) continue;
    const forbid = labelOf(forbids[found]!);
    reporter.warn([...grant.path, "name"], `${labelOf(grant)} can never apply: ${forbid} forbids all of it`);
  }
  checkContained(forbids, budget, reporter, (wide, narrow) => containsRule("forbid", wide, narrow));
  checkContained(grants, budget, reporter, outdoes);
  if (budget.left > 0) return;
  reporter.warn(
    [],
    `there are too many rules to compare each with each: after ${MAX_STEPS} steps, rules that change nothing were no longer looked for`,
  );
}
