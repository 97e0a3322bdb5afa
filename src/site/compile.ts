/** From the document's plain values to the snapshot: section by section, each only as far as it is right by itself. */
import type * as z from "zod";
import { Budget } from "./budget.ts";
import { checkDestinations } from "./check-destinations.ts";
import { checkMachines } from "./check-machines.ts";
import { compileDestinations } from "./compile-destination.ts";
import { byName, compileMachine } from "./compile-machine.ts";
import { checkAddresses, compileNetwork, withStandIns, type Cable } from "./compile-network.ts";
import { compileForbid, compileGrant, type RuleContext } from "./compile-rule.ts";
import { checkSources, compileSource, type CompiledSource } from "./compile-source.ts";
import { compilePostures, compileTrust } from "./compile-trust.ts";
import type { Path, Reporter } from "./findings.ts";
import type { RuleParts } from "./overlap.ts";
import { entriesAt, valueAt } from "./references.ts";
import { lists, mappings, type GroupDocument, type PersonDocument, type SiteDocument } from "./schema.ts";
import { authoritySchema, signerSchema, signInSchema } from "./schema-trust.ts";
import { checkShadows, type PlacedRule } from "./shadow.ts";
import type { Forbid, Grant, Machine, Snapshot } from "./snapshot.ts";

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

function takenGroups(entries: readonly (readonly [Path, GroupDocument])[]): readonly string[] {
  return entries.flatMap(([path, group]) => (group.fromCertificate ? [keyOf(path)] : [])).toSorted();
}

function compileMachines(
  root: unknown,
  appliance: string,
  cable: Cable,
  reporter: Reporter,
): readonly Machine[] {
  const machines = rightEntries(root, ["machines"], mappings.machines)
    .flatMap(([path, machine]) => compileMachine(keyOf(path), machine, { cable, path, reporter }) ?? [])
    .toSorted(byName);
  checkMachines(machines, appliance, cable, reporter);
  checkAddresses(machines, cable, reporter);
  return withStandIns(machines, reporter);
}

/** Looks only at what is right by itself, so that a mistake in one rule does not hide those of another. */
export function compile(
  root: unknown,
  site: SiteDocument | null,
  reporter: Reporter,
): Omit<Snapshot, "hash" | "site"> {
  const cable = compileNetwork(root);
  const machineList = compileMachines(root, site?.appliance ?? "", cable, reporter);
  const machines = new Map(machineList.map((machine) => [machine.name, machine]));
  const budget = new Budget(reporter);
  const destinations = compileDestinations(rightEntries(root, ["destinations"], lists.destinations), {
    machines,
    cable,
    budget,
    reporter,
  });
  checkDestinations(destinations, reporter);
  const context: Omit<RuleContext, "path"> = {
    machines,
    destinations: new Map(destinations.map(({ destination }) => [destination.name, destination])),
    timeZone: site?.timeZone ?? "UTC",
    reporter,
  };
  const compileRules = <D, R extends Forbid>(
    noun: "grant" | "forbid",
    schema: z.ZodType<D>,
    compileOne: (rule: D, context: RuleContext) => RuleParts<R>,
  ): readonly PlacedRule<R>[] =>
    rightEntries(root, [`${noun}s`], schema).flatMap(([path, rule]) => {
      if (budget.exceeded) return [];
      const parts = compileOne(rule, { ...context, path });
      budget.spend(
        parts.reduce((sum, { services }) => sum + services.length, 0),
        path,
      );
      return [{ noun, path, parts }];
    });
  const sources = compileSources(root, { ...context, cable }, budget);
  const generated: readonly PlacedRule<Grant>[] = [
    ...destinations.flatMap(({ path, grant }) =>
      grant === null ? [] : [{ noun: "destination" as const, path, parts: [grant] }],
    ),
    ...sources.map(({ path, grants: parts }) => ({ noun: "source" as const, path, parts })),
  ];
  const grants = [...compileRules("grant", lists.grants, compileGrant), ...generated];
  const forbids = compileRules("forbid", lists.forbids, compileForbid);
  if (reporter.errors === 0) checkShadows(grants, forbids, reporter);
  return {
    format: 1,
    version: 0,
    network: cable.network,
    machines: machineList,
    people: compilePeople(rightEntries(root, ["people"], mappings.people)),
    certificateGroups: takenGroups(rightEntries(root, ["groups"], mappings.groups)),
    grants: grants.flatMap(({ parts }) => parts),
    forbids: forbids.flatMap(({ parts }) => parts),
    destinations: destinations.map(({ destination }) => destination),
    unauthenticated: sources.map(({ source }) => source),
    postures: compilePostures(rightEntries(root, ["posture"], mappings.posture)),
    trust: compileTrust(
      {
        authorities: rightEntries(root, ["trust", "authorities"], authoritySchema),
        signIn: signInSchema.safeParse(valueAt(root, ["trust", "signIn"])).data ?? null,
        signers: rightEntries(root, ["trust", "postureSigners"], signerSchema),
      },
      reporter,
    ),
  };
}

function compileSources(
  root: unknown,
  context: Omit<RuleContext, "path"> & { readonly cable: Cable },
  budget: Budget,
): readonly CompiledSource[] {
  const section = ["unsafeUnauthenticated"];
  const { cable, machines, reporter } = context;
  const owners = new Map(
    [...machines.values()].flatMap((one) =>
      [one.address, one.mac].flatMap((key) => (key === null ? [] : [[key, one] as const])),
    ),
  );
  if (!cable.present && entriesAt(root, section).length > 0) {
    reporter.error(section, "only a site with a `network` can tell clients by their addresses", {
      spot: "key",
      expected: "network, with its mode",
    });
  }
  const sources = rightEntries(root, section, lists.unsafeUnauthenticated).flatMap(([path, document]) => {
    if (budget.exceeded) return [];
    const compiled = compileSource(document, { ...context, owners, path });
    budget.spend(compiled.source.services.length, path);
    return [compiled];
  });
  checkSources(sources, reporter);
  return sources;
}
