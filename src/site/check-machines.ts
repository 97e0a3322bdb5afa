/** Services of machines against each other: what two of them must not share, and names too long for SNI. */
import type { Cable } from "./compile-network.ts";
import type { Path, Reporter } from "./findings.ts";
import { intersects, intervalsOf } from "./interval.ts";
import type { Machine, Service } from "./snapshot.ts";

/** The longest DNS name (RFC 1035, section 2.3.4). */
const LONGEST_NAME = 253;

interface Placed {
  readonly path: Path;
  readonly label: string;
  readonly service: Service;
}

/** Where a service's bytes go: the same text for two services means the same machine behind both. */
function placeOf(service: Service): string {
  if (service.tcp !== null) return `${service.tcp.host} port ${service.tcp.port}`;
  return service.protocol === "tcp" ? "" : (service.serial?.path ?? "");
}

function sharesUnits(a: Service, b: Service): boolean {
  if (a.protocol === "tcp" || b.protocol === "tcp") return true;
  if (a.units.length === 0 || b.units.length === 0) return true;
  return intersects(intervalsOf(a.units), intervalsOf(b.units));
}

function checkShared(placed: Placed, other: Placed, reporter: Reporter): void {
  const place = placeOf(placed.service);
  const both = `${placed.label} and ${other.label} (line ${reporter.line(other.path)})`;
  if (placed.service.tcp === null) {
    reporter.error(placed.path, `${both} share the serial line ${place}, which takes one master`, {
      expected: "one service for the line, with all its units; rules tell the units apart",
      spot: "key",
    });
    return;
  }
  reporter.warn(placed.path, `${both} are the same machine at ${place}: a rule for one opens the other`, {
    expected: "an address of its own, or units of its own behind the same address",
    spot: "key",
  });
}

function clashes(a: Service, b: Service): boolean {
  return a.tcp === null || sharesUnits(a, b);
}

/** The appliance answers at each port of a machine's address for one service. */
function checkTlsPorts({ name, services }: Machine, reporter: Reporter): void {
  const ports = new Map<number, string>();
  for (const service of services) {
    if (service.tlsPort === null) continue;
    const first = ports.get(service.tlsPort);
    if (first === undefined) {
      ports.set(service.tlsPort, service.name);
      continue;
    }
    const both = `${name}/${service.name} and ${name}/${first} (line ${reporter.line(["machines", name, "services", first])})`;
    reporter.error(
      ["machines", name, "services", service.name],
      `${both} have one tlsPort: ${service.tlsPort}`,
      {
        spot: "key",
        expected: "tlsPort: a port of its own, for one of them",
      },
    );
  }
}

/** What the appliance does not stand before, whoever reads the document should know. */
function checkReach(machines: readonly Machine[], reporter: Reporter): void {
  const known = new Set(machines.map(({ address }) => address));
  for (const { name, services } of machines) {
    for (const { name: service, tcp } of services) {
      if (tcp === null || known.has(tcp.host)) continue;
      reporter.warn(
        ["machines", name, "services", service],
        `${name}/${service} listens at ${tcp.host}, which is no machine's own address: the appliance does not stand before it`,
        { spot: "key", expected: "address and mac of the machine" },
      );
    }
  }
}

/** Names too long for SNI, services that lead to the same place, and what the appliance can answer for. */
export function checkMachines(
  machines: readonly Machine[],
  appliance: string,
  cable: Cable,
  reporter: Reporter,
): void {
  for (const machine of machines) checkTlsPorts(machine, reporter);
  if (cable.present) checkReach(machines, reporter);
  const places = new Map<string, Placed[]>();
  for (const machine of machines) {
    for (const service of machine.services) {
      const path = ["machines", machine.name, "services", service.name];
      const placed = { path, label: `${machine.name}/${service.name}`, service };
      const sni = `${service.name}.${machine.name}.${appliance}`;
      if (sni.length > LONGEST_NAME) {
        reporter.error(path, `its DNS name would have ${sni.length} characters, at most ${LONGEST_NAME}`, {
          spot: "key",
        });
      }
      const others = places.get(placeOf(service)) ?? [];
      const clash = others.find((other) => clashes(service, other.service));
      if (clash !== undefined) checkShared(placed, clash, reporter);
      else places.set(placeOf(service), [...others, placed]);
    }
  }
}
