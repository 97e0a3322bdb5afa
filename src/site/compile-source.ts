/** Clients without a certificate, from the document to the snapshot: who they are, and the grants that say what they may do. */
import { compileMoment } from "./calendar.ts";
import { ANYONE } from "./compile-destination.ts";
import { compileModbus } from "./compile-modbus.ts";
import type { Cable } from "./compile-network.ts";
import type { Path, Reporter } from "./findings.ts";
import { contains, subnetOf } from "./ipv4.ts";
import type { ModbusDocument } from "./schema-modbus.ts";
import type { SourceDocument } from "./schema-source.ts";
import type { Grant, Machine, UnauthenticatedSource } from "./snapshot.ts";
import { isModbus, targetsOf, type Target, type TargetContext } from "./targets.ts";

export interface SourceContext extends TargetContext {
  /** By IPv4 address and by MAC address. */
  readonly owners: ReadonlyMap<string, Machine>;
  readonly cable: Cable;
  readonly timeZone: string;
}

export interface CompiledSource {
  readonly path: Path;
  readonly source: UnauthenticatedSource;
  /** One for its Modbus services and one for the others, both of its name. */
  readonly grants: readonly Grant[];
}

const READ_ONLY: ModbusDocument = { functions: { set: "readOnly" } };

/** Whether the appliance can pass a connection to the machine's own address on to this service alone. */
function problemOf({
  label,
  service,
  machine,
}: Target): { readonly message: string; readonly expected: string } | null {
  if (service.tcp === null) {
    return {
      message: `${label} is behind a serial line: without a certificate nobody reaches it`,
      expected: "Modbus TCP or tcp services",
    };
  }
  const { host, port } = service.tcp;
  if (host !== machine?.address) {
    return {
      message: `${label} does not listen at its machine's own address, where the client asks for it`,
      expected: "services at the machine's own address",
    };
  }
  const other = machine.services.find(
    (one) => one !== service && one.tcp?.host === host && one.tcp.port === port,
  );
  if (other === undefined) return null;
  return {
    message: `${label} listens at ${host} port ${port} as ${machine.name}/${other.name} does: without a certificate the client cannot say which it means`,
    expected: "one service for this port",
  };
}

function checkTargets(targets: readonly Target[], { path, reporter }: SourceContext): void {
  for (const target of targets) {
    const problem = problemOf(target);
    if (problem !== null)
      reporter.error([...path, "what"], problem.message, { spot: "key", expected: problem.expected });
    else if (!isModbus(target)) {
      reporter.warn(
        [...path, "what", "services"],
        `${target.label} is passed on uninspected, both ways, to whoever takes this client's address`,
      );
    }
  }
}

/** A client stands on the plant's side, and is not one of the machines. */
function checkStation(
  { address, mac }: SourceDocument["source"],
  { owners, cable, path, reporter }: SourceContext,
): void {
  const expected = "a client on the plant's side; what machines ask is written under destinations";
  const owner = owners.get(address);
  const same = owners.get(mac);
  if (same !== undefined)
    reporter.error([...path, "source", "mac"], `${mac} is ${same.name}'s own`, { expected });
  const place = [...path, "source", "address"];
  const device = cable.network?.device ?? null;
  if (owner !== undefined) reporter.error(place, `${address} is ${owner.name}'s own`, { expected });
  else if (device !== null && contains(subnetOf(device.address, device.prefix), address)) {
    reporter.error(place, `${address} lies in the device port's subnet`, { expected });
  }
}

function grantsOf(
  document: SourceDocument,
  targets: readonly Target[],
  context: SourceContext,
  until: number,
): readonly Grant[] {
  const { path, reporter } = context;
  const { name, reason, source, what } = document;
  const scope = compileModbus(what.modbus ?? READ_ONLY, {
    kind: "grant",
    path: [...path, "what", "modbus"],
    reporter,
  });
  return [true, false].flatMap((modbus) => {
    const services = targets.filter((target) => isModbus(target) === modbus).map(({ label }) => label);
    if (services.length === 0) return [];
    return {
      name,
      reason,
      line: reporter.line(path),
      who: { ...ANYONE, sources: [name] },
      services,
      modbus: modbus ? scope : null,
      when: { days: null, hours: null, from: null, until, keySwitch: null },
      from: [`${source.address}/32`],
      posture: null,
      rate: null,
    };
  });
}

/** `path` of the context is the client's. */
export function compileSource(document: SourceDocument, context: SourceContext): CompiledSource {
  const { path, reporter, timeZone } = context;
  const { name, owner, reason, source, what } = document;
  const targets = targetsOf(what, context, (service, machine) => {
    return service.protocol === "modbus-tcp" && service.tcp?.host === machine.address;
  });
  checkTargets(targets, context);
  checkStation(source, context);
  if (what.modbus !== undefined && targets.length > 0 && !targets.some(isModbus)) {
    reporter.error([...path, "what", "modbus"], "none of these services speaks Modbus", {
      spot: "key",
      expected: "services that speak Modbus",
    });
  }
  const until = compileMoment(document.until, timeZone, true);
  const services = targets.map(({ label }) => label);
  return {
    path,
    source: { name, owner, reason, line: reporter.line(path), ...source, services, until },
    grants: grantsOf(document, targets, context, until),
  };
}

/** One address is one client: it has one MAC address, and one entry says what it may do to a service. */
export function checkSources(sources: readonly CompiledSource[], reporter: Reporter): void {
  const stations = new Map<string, UnauthenticatedSource>();
  const taken = new Map<string, UnauthenticatedSource>();
  for (const { path, source } of sources) {
    const { address, mac } = source;
    const known = stations.get(address);
    if (known === undefined) stations.set(address, source);
    else if (known.mac !== mac) {
      reporter.error(
        [...path, "source", "mac"],
        `${address} has another MAC address, ${known.mac}, on line ${known.line}`,
        {
          expected: "the one MAC address that packets from this client have here",
        },
      );
    }
    for (const service of source.services) {
      const first = taken.get(`${address} ${service}`);
      if (first === undefined) taken.set(`${address} ${service}`, source);
      else {
        reporter.error(
          [...path, "source", "address"],
          `${first.name} (line ${first.line}) says what ${address} may do to ${service}`,
          {
            expected: "one entry for a client and a service",
          },
        );
      }
    }
  }
}
