/** Site documents of the plant's tests. */
import { APPLIANCE } from "./appliance.ts";
import { HOSTS, type Plant } from "./plant.ts";
import { ALL_REGISTERS } from "./sites.ts";

export interface PlantParts {
  /** More of the network, e.g. `refusal: silent`. */
  readonly network?: string;
  /** More of the press, e.g. `ping: true`. */
  readonly press?: string;
  /** The press' services beside `modbus`. */
  readonly services?: string;
  /** What the grant allows of Modbus; default: everything. */
  readonly grant?: string;
  /** Lines of whole sections: destinations, unsafeUnauthenticated and others. */
  readonly more?: string;
  readonly limits?: string;
}

/** press (Modbus on 502) and hmi behind an inline box; the group maintenance may do everything on the press. */
export function plantSite(plant: Plant, parts: PlantParts = {}): string {
  const services = parts.services === undefined ? "" : `, ${parts.services}`;
  return `
niac: 1
site: { name: Test plant, appliance: ${APPLIANCE}, timeZone: UTC, limits: { readSummaryInterval: 1s, ${parts.limits ?? ""} } }
network: { mode: inline, ${parts.network ?? ""} }
machines:
  press: { address: ${HOSTS.press}, mac: "${plant.mac("press")}", services: { modbus: { protocol: modbus-tcp }${services} }, ${parts.press ?? ""} }
  hmi: { address: ${HOSTS.hmi}, mac: "${plant.mac("hmi")}" }
groups:
  maintenance: { fromCertificate: true }
grants:
  - name: maintenance-runs-press
    reason: Maintenance reads and moves the set-points
    who: { groups: [maintenance] }
    what: { machines: [press], modbus: ${parts.grant ?? ALL_REGISTERS} }
${parts.more ?? ""}`;
}
