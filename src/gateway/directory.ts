import type { Identity } from "../identity/index.ts";
import type { Machine, Service, Snapshot } from "../site/index.ts";

/** What a certificate may open, and nothing else; one JSON line, after which the gateway closes the connection. */
export interface Directory {
  readonly appliance: string;
  readonly user: string;
  readonly services: readonly {
    readonly machine: string;
    readonly description: string;
    readonly service: string;
    readonly protocol: Service["protocol"];
    /** The port the machine itself uses, as a proposal for the local one. */
    readonly port: number;
  }[];
}

const MODBUS_PORT = 502;

export function directoryFor(
  snapshot: Snapshot,
  identity: Identity,
  mayOpen: (machine: Machine, service: Service) => boolean,
): Directory {
  const services = snapshot.machines.flatMap((machine) =>
    machine.services
      .filter((service) => mayOpen(machine, service))
      .map((service) => ({
        machine: machine.name,
        description: machine.description,
        service: service.name,
        protocol: service.protocol,
        port: service.tcp?.port ?? MODBUS_PORT,
      })),
  );
  return { appliance: snapshot.site.appliance, user: identity.user, services };
}
