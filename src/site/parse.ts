/** From the document's text to its snapshot, with every mistake found on the way. */
import { createHash } from "node:crypto";
import type { z } from "zod";
import { checkMachines, compileMachine } from "./compile-machine.ts";
import { compileForbid, compileGrant } from "./compile-rule.ts";
import type { RuleContext } from "./compile-rule.ts";
import type { Finding, Path, Reporter } from "./findings.ts";
import { mergeIntervals } from "./interval.ts";
import { parseOptions, reportIssues } from "./issues.ts";
import { deepFreeze } from "./lookup.ts";
import { checkReferences, entriesAt, valueAt } from "./references.ts";
import { documentSchema, lists, mappings, siteSchema } from "./schema.ts";
import type { DestinationDocument, GroupDocument, PersonDocument, SiteDocument } from "./schema.ts";
import type { RuleParts } from "./overlap.ts";
import { checkShadows } from "./shadow.ts";
import type { PlacedRule } from "./shadow.ts";
import type { Destination, Forbid, Machine, Snapshot } from "./snapshot.ts";
import { readYaml } from "./yaml.ts";

export interface SiteResult {
  /** Deeply frozen; null where a finding is an error. */
  readonly snapshot: Snapshot | null;
  readonly findings: readonly Finding[];
}

/** Services over all rules: what a snapshot holds, travels with and is asked for. */
export const MAX_RULE_SERVICES = 500_000;

/** The entries of a section that are right by themselves; the others have been reported. */
function rightEntries<T>(
  root: unknown,
  path: Path,
  schema: z.ZodType<T>,
): readonly (readonly [path: Path, value: T])[] {
  return entriesAt(root, path).flatMap(([place, value]) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? [[place, parsed.data] as const] : [];
  });
}

function keyOf(path: Path): string {
  return String(path.at(-1));
}

function compilePeople(entries: readonly (readonly [Path, PersonDocument])[]): Snapshot["people"] {
  return Object.fromEntries(
    entries
      .map(([path, { groups }]) => [keyOf(path), [...new Set(groups)].toSorted()] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function compileDestination(
  destination: DestinationDocument,
  line: number,
  machines: ReadonlyMap<string, Machine>,
): Destination {
  const { name, reason, how, host, ports, transport } = destination;
  const named = destination.machines === "all" ? [...machines.keys()] : [...new Set(destination.machines)];
  return {
    name,
    reason,
    line,
    machines: named.toSorted(),
    how,
    host,
    ports: mergeIntervals(ports),
    transport,
    address: host,
    names: [],
    source: "appliance",
    service: null,
    serverName: null,
  };
}

function takenGroups(entries: readonly (readonly [Path, GroupDocument])[]): readonly string[] {
  return entries.flatMap(([path, group]) => (group.fromCertificate ? [keyOf(path)] : [])).toSorted();
}

/** Looks only at what is right by itself, so that a mistake in one rule does not hide those of another. */
function compile(
  root: unknown,
  site: SiteDocument | null,
  reporter: Reporter,
): Omit<Snapshot, "hash" | "site"> {
  const machineList = rightEntries(root, ["machines"], mappings.machines)
    .map(([path, machine]) => compileMachine(keyOf(path), machine))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const machines = new Map(machineList.map((machine) => [machine.name, machine]));
  checkMachines(machineList, site?.appliance ?? "", reporter);
  const context: Omit<RuleContext, "path"> = { machines, timeZone: site?.timeZone ?? "UTC", reporter };
  let services = 0;
  const compileRules = <D, R extends Forbid>(
    section: string,
    schema: z.ZodType<D>,
    compileOne: (rule: D, context: RuleContext) => RuleParts<R>,
  ): readonly PlacedRule<R>[] =>
    rightEntries(root, [section], schema).flatMap(([path, rule]) => {
      if (services > MAX_RULE_SERVICES) return [];
      const parts = compileOne(rule, { ...context, path });
      for (const part of parts) services += part.services.length;
      if (services > MAX_RULE_SERVICES) {
        reporter.error(
          path,
          `up to this rule, rules speak of ${services} services, at most ${MAX_RULE_SERVICES}`,
          {
            expected: "fewer rules for all machines",
          },
        );
      }
      return [{ path, parts }];
    });
  const grants = compileRules("grants", lists.grants, compileGrant);
  const forbids = compileRules("forbids", lists.forbids, compileForbid);
  if (reporter.errors === 0) checkShadows(grants, forbids, reporter);
  return {
    format: 1,
    version: 0,
    network: null,
    machines: machineList,
    people: compilePeople(rightEntries(root, ["people"], mappings.people)),
    certificateGroups: takenGroups(rightEntries(root, ["groups"], mappings.groups)),
    grants: grants.flatMap(({ parts }) => parts),
    forbids: forbids.flatMap(({ parts }) => parts),
    destinations: rightEntries(root, ["destinations"], lists.destinations).map(([path, destination]) =>
      compileDestination(destination, reporter.line(path), machines),
    ),
    unauthenticated: [],
  };
}

/** A section that holds nothing (`grants:` before only comments) is an empty one; everywhere else nothing is a mistake. */
function withoutEmptySections(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const sections = new Set<string>([...Object.keys(mappings), ...Object.keys(lists)]);
  return Object.fromEntries(
    Object.entries(value).filter(([key, section]) => section !== null || !sections.has(key)),
  );
}

/**
 * Reads a site document. Never throws on bad text: all its mistakes are in `findings`, in the order of the document. A document
 * without grants is right, and denies everything. `fileName` is for messages only.
 */
export function parseSite(text: string, fileName: string): SiteResult {
  const { value, structured, reporter } = readYaml(text, fileName);
  if (!structured) return { snapshot: null, findings: reporter.list() };
  const root = withoutEmptySections(value);
  const parsed = documentSchema.safeParse(root, parseOptions);
  if (!parsed.success) reportIssues(parsed.error.issues, [], reporter);
  checkReferences(root, reporter);
  const site = siteSchema.safeParse(valueAt(root, ["site"])).data ?? null;
  const compiled = compile(root, site, reporter);
  if (site === null || reporter.errors > 0) return { snapshot: null, findings: reporter.list() };
  const hash = createHash("sha256").update(text).digest("hex");
  return { snapshot: deepFreeze({ ...compiled, hash, site }), findings: reporter.list() };
}
