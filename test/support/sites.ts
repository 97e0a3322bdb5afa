/** Site documents of the end-to-end tests: one press with a Modbus service, and what a test adds. */
import { APPLIANCE } from "./appliance.ts";

/** YAML, each put in at its place; flow mappings' insides unless said otherwise. */
export interface SiteParts {
  /** Limits of the appliance, e.g. `connections: 3`. */
  readonly limits?: string;
  /** More of the machine, e.g. `whenUnrecorded: deny`. */
  readonly machine?: string;
  /** More of its Modbus service, e.g. `maxPending: 4`. */
  readonly service?: string;
  /** The machine's other services, e.g. `web: { protocol: tcp, address: "127.0.0.1:80" }`. */
  readonly services?: string;
  /** What the grant allows of Modbus. */
  readonly modbus?: string;
  /** More of the grant, e.g. `howFast: { connections: 1 }`. */
  readonly grant?: string;
  /** Lines, indented as a document's are. */
  readonly machines?: string;
  readonly grants?: string;
  readonly more?: string;
}

export const ALL_REGISTERS =
  "{ functions: readWrite, read: { holdingRegisters: all, coils: all }, write: { holdingRegisters: all, coils: all } }";

/** press-4's Modbus TCP service at a loopback port, and a grant `maintenance-runs-press` for the group maintenance. */
export function pressSite(port: number, parts: SiteParts = {}): string {
  const service = join(`protocol: modbus-tcp, address: "127.0.0.1:${port}"`, parts.service);
  const services = join(`modbus: { ${service} }`, parts.services);
  return `
niac: 1
site: { name: Test plant, appliance: ${APPLIANCE}, timeZone: UTC, limits: { ${parts.limits ?? ""} } }
machines:
  press-4: { ${join(`services: { ${services} }`, parts.machine)} }
${parts.machines ?? ""}
groups:
  maintenance: { fromCertificate: true }
grants:
  - name: maintenance-runs-press
    reason: Maintenance reads and moves the set-points
    who: { groups: [maintenance] }
    what: { machines: [press-4], modbus: ${parts.modbus ?? ALL_REGISTERS} }
    ${parts.grant ?? ""}
${parts.grants ?? ""}
${parts.more ?? ""}`;
}

function join(first: string, more = ""): string {
  return more === "" ? first : `${first}, ${more}`;
}
