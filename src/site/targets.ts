/** The services a rule of the document speaks of. */
import type { Path, Reporter } from "./findings.ts";
import type { WhatDocument } from "./schema-rule.ts";
import type { Destination, Machine, Service } from "./snapshot.ts";
import { listed } from "./suggest.ts";

export interface Target {
  /** `machine/service` or `destination/service`. */
  readonly label: string;
  readonly service: Service;
  /** Null: a destination's. */
  readonly machine: Machine | null;
}

export interface TargetContext {
  readonly machines: ReadonlyMap<string, Machine>;
  readonly destinations: ReadonlyMap<string, Destination>;
  /** The rule's. */
  readonly path: Path;
  readonly reporter: Reporter;
}

/** Whether a service is meant where none is named. */
export type Implied = (service: Service, machine: Machine) => boolean;

export function isModbus({ service }: Target): boolean {
  return service.protocol !== "tcp";
}

interface Found {
  readonly targets: readonly Target[];
  /** Something named does not exist, which has been reported: nothing more is to be said of what is missing. */
  readonly undeclared: boolean;
}

function ofMachines(
  what: WhatDocument,
  { machines, path, reporter }: TargetContext,
  implied: Implied,
): Found {
  const given = what.machines ?? [];
  const named = given === "all" ? [...machines.keys()] : [...new Set(given)];
  const wanted = what.services === undefined ? null : new Set(what.services);
  const offered = new Set(named.flatMap((name) => machines.get(name)?.services.map((one) => one.name) ?? []));
  const undeclared =
    named.some((name) => !machines.has(name)) || [...(wanted ?? [])].some((name) => !offered.has(name));
  const targets: Target[] = [];
  for (const name of named) {
    const machine = machines.get(name);
    if (machine === undefined) continue;
    const meant = machine.services.filter((service) =>
      wanted === null ? implied(service, machine) : wanted.has(service.name),
    );
    if (meant.length === 0 && !undeclared && given !== "all") {
      const place = [...path, "what", "machines", given.indexOf(name)];
      const { services } = machine;
      const names = services.length === 0 ? "no services" : listed(services.map((service) => service.name));
      reporter.warn(place, `nothing of ${name} is meant here: it has ${names}`);
    }
    targets.push(...meant.map((service) => ({ label: `${name}/${service.name}`, service, machine })));
  }
  return { targets, undeclared };
}

function ofDestinations(what: WhatDocument, { destinations, path, reporter }: TargetContext): Found {
  const given = what.destinations ?? [];
  const named = given === "all" ? [...destinations.keys()] : [...new Set(given)];
  const targets: Target[] = [];
  for (const name of named) {
    const service = destinations.get(name)?.service ?? null;
    if (service === null && given !== "all" && destinations.has(name)) {
      reporter.error(
        [...path, "what", "destinations", given.indexOf(name)],
        `${name} is forwarded by the kernel, which knows no rules`,
        { expected: "a destination with how: inspect or wrap; or take this one out of the document" },
      );
    }
    if (service === null) continue;
    // `modbus:` for all of them speaks of those that are inspected; one named that is not is a mistake, and reported.
    if (given === "all" && what.modbus !== undefined && service.protocol === "tcp") continue;
    targets.push({ label: `${name}/${service.name}`, service, machine: null });
  }
  return { targets, undeclared: given !== "all" && targets.length < named.length };
}

/** Sorted by label. Machines and destinations that did not compile have been reported, and are left out. */
export function targetsOf(what: WhatDocument, context: TargetContext, implied: Implied): readonly Target[] {
  const machines = ofMachines(what, context, implied);
  const destinations = ofDestinations(what, context);
  const targets = [...machines.targets, ...destinations.targets];
  if (targets.length === 0 && !machines.undeclared && !destinations.undeclared) {
    context.reporter.warn([...context.path, "what"], "there is no such service: this rule can never apply", {
      spot: "key",
    });
  }
  return targets.toSorted((a, b) => (a.label < b.label ? -1 : 1));
}
