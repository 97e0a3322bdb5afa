/** Machines and their services, from the document to the snapshot; and what two services must not share. */
import type { Path, Reporter } from "./findings.ts";
import { intersects, intervalsOf } from "./interval.ts";
import type { MachineDocument, ServiceDocument } from "./schema-machine.ts";
import type { Interval, Machine, ModbusService, SerialLine, Service, TcpService } from "./snapshot.ts";

function numbersOf(intervals: readonly Interval[] | undefined): readonly number[] {
  const numbers = new Set<number>();
  for (const { start, end } of intervals ?? []) for (let at = start; at <= end; at += 1) numbers.add(at);
  return [...numbers].toSorted((a, b) => a - b);
}

function serialOf(serial: (ServiceDocument & { protocol: "modbus-rtu" })["serial"]): SerialLine {
  const { path, baudRate, parity, stopBits } = serial;
  return { path, baudRate, parity, stopBits: stopBits ?? (parity === "none" ? 2 : 1) };
}

/** The longest DNS name (RFC 1035, section 2.3.4). */
const LONGEST_NAME = 253;

function compileService(name: string, service: ServiceDocument): Service {
  const { protocol, unsafeTls12 } = service;
  if (protocol === "tcp")
    return { name, unsafeTls12, tlsPort: null, protocol, tcp: service.address } satisfies TcpService;
  const { maxQueued, requestTimeout } = service;
  const common = {
    name,
    unsafeTls12,
    tlsPort: null,
    units: numbersOf(service.units),
    maxQueued,
    requestTimeout,
  };
  // A serial line has one master and carries one request at a time (Modbus over Serial Line V1.02, section 2.4.1).
  const compiled: ModbusService =
    protocol === "modbus-rtu"
      ? { ...common, protocol, tcp: null, serial: serialOf(service.serial), maxConnections: 1, maxPending: 1 }
      : {
          ...common,
          protocol,
          tcp: service.address,
          serial: null,
          maxConnections: service.maxConnections,
          maxPending: service.maxPending,
        };
  return compiled;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

export function compileMachine(name: string, machine: MachineDocument): Machine {
  const services = Object.entries(machine.services).map(([key, service]) => compileService(key, service));
  const { description, whenUnrecorded } = machine;
  return {
    name,
    description,
    whenUnrecorded,
    address: null,
    mac: null,
    ping: false,
    standIn: null,
    services: services.toSorted(byName),
  };
}

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

/** Names too long for SNI, and services that lead to the same place. */
export function checkMachines(machines: readonly Machine[], appliance: string, reporter: Reporter): void {
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
