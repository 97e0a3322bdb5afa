/** Machines and their services, from the document to the snapshot. */
import type { Cable } from "./compile-network.ts";
import type { Path, Reporter } from "./findings.ts";
import type { Endpoint } from "./network.ts";
import type { MachineDocument, ServiceDocument } from "./schema-machine.ts";
import type { Interval, Machine, ModbusService, SerialLine, Service, TcpService } from "./snapshot.ts";

interface MachineContext {
  readonly cable: Cable;
  readonly path: Path;
  readonly reporter: Reporter;
}

type TcpDocument = Exclude<ServiceDocument, { protocol: "modbus-rtu" }>;

/** MODBUS Messaging on TCP/IP V1.0b, section 4.2.1; MODBUS/TCP Security, section 5. */
export const MODBUS_PORT = 502;
export const MODBUS_TLS_PORT = 802;

function numbersOf(intervals: readonly Interval[] | undefined): readonly number[] {
  const numbers = new Set<number>();
  for (const { start, end } of intervals ?? []) for (let at = start; at <= end; at += 1) numbers.add(at);
  return [...numbers].toSorted((a, b) => a - b);
}

function serialOf(serial: (ServiceDocument & { protocol: "modbus-rtu" })["serial"]): SerialLine {
  const { path, baudRate, parity, stopBits } = serial;
  return { path, baudRate, parity, stopBits: stopBits ?? (parity === "none" ? 2 : 1) };
}

/** Where a service listens: where it says, or at its machine's own address. Null: it cannot be told, and is reported. */
function endpointOf(
  service: TcpDocument,
  machine: MachineDocument,
  { path, reporter }: MachineContext,
): Endpoint | null {
  const { protocol, address, port } = service;
  if (address !== undefined && port !== undefined) {
    reporter.error([...path, "port"], "address and port stand both here", {
      spot: "key",
      expected: "port, at the machine's own address; or address: host:port",
    });
    return null;
  }
  if (address !== undefined) return address;
  const own = port ?? (protocol === "modbus-tcp" ? MODBUS_PORT : null);
  if (own === null) {
    reporter.error(path, "neither address nor port says where it listens", {
      spot: "key",
      expected: "port, at the machine's own address; or address: host:port",
    });
    return null;
  }
  if (machine.address === undefined) {
    reporter.error(
      port === undefined ? path : [...path, "port"],
      "the machine has no address of its own to listen at",
      {
        spot: "key",
        expected: "address beside the machine's services; or address: host:port here",
      },
    );
    return null;
  }
  return { host: machine.address, port: own };
}

/** At which port of the machine's address the appliance answers for this service; null: at none. */
function tlsPortOf(
  service: TcpDocument,
  endpoint: Endpoint,
  machine: MachineDocument,
  { cable, path, reporter }: MachineContext,
): number | null {
  const own = endpoint.host === machine.address;
  if (service.tlsPort !== undefined && !own) {
    reporter.error(
      [...path, "tlsPort"],
      `${endpoint.host} is not the machine's own address: the appliance does not answer for it there`,
      {
        spot: "key",
        expected: "tlsPort where the service listens at the machine's own address",
      },
    );
    return null;
  }
  if (service.tlsPort !== undefined && !cable.present) {
    reporter.warn([...path, "tlsPort"], "tlsPort says nothing here: the site has no `network`", {
      spot: "key",
    });
  }
  if (!own || !cable.present) return null;
  return service.tlsPort ?? (service.protocol === "modbus-tcp" ? MODBUS_TLS_PORT : endpoint.port);
}

function compileService(
  name: string,
  service: ServiceDocument,
  machine: MachineDocument,
  context: MachineContext,
): Service | null {
  const { unsafeTls12 } = service;
  if (service.protocol === "modbus-rtu") {
    const { protocol, maxQueued, requestTimeout, queueTimeout } = service;
    // A serial line has one master and carries one request at a time (Modbus over Serial Line V1.02, section 2.4.1).
    return {
      name,
      unsafeTls12,
      tlsPort: null,
      protocol,
      tcp: null,
      serial: serialOf(service.serial),
      units: numbersOf(service.units),
      maxConnections: 1,
      maxPending: 1,
      maxQueued,
      requestTimeout,
      queueTimeout,
    } satisfies ModbusService;
  }
  const tcp = endpointOf(service, machine, context);
  if (tcp === null) return null;
  const tlsPort = tlsPortOf(service, tcp, machine, context);
  if (service.protocol === "tcp") {
    return { name, unsafeTls12, tlsPort, protocol: service.protocol, tcp } satisfies TcpService;
  }
  const { protocol, maxConnections, maxPending, maxQueued, requestTimeout, queueTimeout } = service;
  return {
    name,
    unsafeTls12,
    tlsPort,
    protocol,
    tcp,
    serial: null,
    units: numbersOf(service.units),
    maxConnections,
    maxPending,
    maxQueued,
    requestTimeout,
    queueTimeout,
  } satisfies ModbusService;
}

export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

/** `path` is the machine's. Its `standIn` is null until all machines are known. Null: a service of it was reported. */
export function compileMachine(
  name: string,
  machine: MachineDocument,
  context: MachineContext,
): Machine | null {
  const services: Service[] = [];
  for (const [key, document] of Object.entries(machine.services)) {
    const path = [...context.path, "services", key];
    const service = compileService(key, document, machine, { ...context, path });
    if (service === null) return null;
    services.push(service);
  }
  const { description, whenUnrecorded, address = null, mac = null, ping } = machine;
  return {
    name,
    description,
    whenUnrecorded,
    address,
    mac,
    ping,
    standIn: null,
    services: services.toSorted(byName),
  };
}
