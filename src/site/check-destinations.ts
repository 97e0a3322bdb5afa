/** Destinations against each other: a machine's packet must belong to one, and a name must lead to one. */
import type { CompiledDestination } from "./compile-destination.ts";
import type { Reporter } from "./findings.ts";
import type { Destination, Interval } from "./snapshot.ts";

interface Asked extends Interval {
  readonly machine: string;
  readonly compiled: CompiledDestination;
}

function labelOf({ name, line }: Destination): string {
  return `${name} (line ${line})`;
}

function reportOverlap(later: Asked, earlier: Asked, reporter: Reporter): void {
  const { path, destination } = later.compiled;
  const other = earlier.compiled.destination;
  const port = Math.max(later.start, earlier.start);
  const message = `${destination.name} and ${labelOf(other)} both take ${later.machine} to ${destination.host} ${destination.transport} port ${port}`;
  if (destination.how === "forward" && other.how === "forward") {
    reporter.warn([...path, "ports"], `${message}: records name one of them`);
  } else {
    reporter.error([...path, "ports"], message, { expected: "each port of a host in one destination" });
  }
}

/** Two destinations that a machine could mean by the same packet. */
function checkOverlaps(compiled: readonly CompiledDestination[], reporter: Reporter): void {
  const groups = new Map<string, Asked[]>();
  for (const one of compiled) {
    const { address, transport, machines, ports } = one.destination;
    for (const machine of machines) {
      const key = `${machine} ${transport} ${address}`;
      const group = groups.get(key) ?? [];
      group.push(...ports.map((interval) => ({ ...interval, machine, compiled: one })));
      groups.set(key, group);
    }
  }
  const told = new Set<string>();
  for (const group of groups.values()) {
    let widest: Asked | null = null;
    for (const asked of group.toSorted((a, b) => a.start - b.start)) {
      if (widest !== null && asked.start <= widest.end && asked.compiled !== widest.compiled) {
        const [earlier, later] =
          widest.compiled.destination.line <= asked.compiled.destination.line
            ? [widest, asked]
            : [asked, widest];
        const pair = `${earlier.compiled.destination.name} ${later.compiled.destination.name}`;
        if (!told.has(pair)) reportOverlap(later, earlier, reporter);
        told.add(pair);
      }
      if (widest === null || asked.end > widest.end) widest = asked;
    }
  }
}

/** A machine that looks the name up is given every address that stands for it, and takes any. */
function checkNames(compiled: readonly CompiledDestination[], reporter: Reporter): void {
  const first = new Map<string, Destination>();
  for (const { path, destination } of compiled) {
    for (const name of destination.names) {
      for (const machine of destination.machines) {
        const key = `${machine} ${name}`;
        const other = first.get(key);
        if (other === undefined) first.set(key, destination);
        else if (other.address !== destination.address) {
          const message = `${machine} is given two addresses for ${name}: ${destination.host}, and ${other.host} of ${labelOf(other)}`;
          reporter.warn([...path, "name"], message, {
            expected: "the same ports at both, or a name for each",
          });
          break;
        }
      }
    }
  }
}

export function checkDestinations(compiled: readonly CompiledDestination[], reporter: Reporter): void {
  checkOverlaps(compiled, reporter);
  checkNames(compiled, reporter);
}
