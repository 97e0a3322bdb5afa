/** The site document of the box in the cable: a press that one client without a certificate reads, an HMI with ways through the kernel. */
import { SERVER_NAME } from "./load.ts";
import { HOSTS } from "./cable-plant.ts";

/** The historian's ports, which the HMI may reach: of iperf3 (TCP and UDP), and of what takes connections. */
export const IPERF_PORT = 5201;
export const CONNECT_PORT = 5202;
export const MODBUS_PORT = 502;
const DAY = 86_400_000;

export interface Macs {
  readonly press: string;
  readonly hmi: string;
  readonly scada: string;
}

/** `destinations`: at least 2, of which the first two are those in use and the others lie among the same sets. */
export function cableSite(macs: Macs, destinations: number): string {
  const others = Array.from({ length: destinations - 2 }, (_, i) => {
    const host = `10.21.${i >> 8}.${i & 0xff}`;
    return `  - { name: other-${i}, reason: A way of its own, machines: [hmi], how: forward, host: ${host}, ports: [${4_000 + (i % 100)}] }`;
  });
  const until = new Date(Date.now() + 30 * DAY).toISOString().slice(0, 10);
  return `niac: 1
site:
  name: Bench
  appliance: ${SERVER_NAME.split(".").slice(2).join(".")}
  timeZone: UTC
  limits: { connections: 4096, connectionsPerSource: 4096 }
network: { mode: inline }
machines:
  press:
    address: ${HOSTS.press}
    mac: "${macs.press}"
    services: { modbus: { protocol: modbus-tcp, port: ${MODBUS_PORT}, units: [1] } }
  hmi: { address: ${HOSTS.hmi}, mac: "${macs.hmi}" }
destinations:
  - { name: historian, reason: Process values, machines: [hmi], how: forward, host: ${HOSTS.historian}, ports: [${IPERF_PORT}, ${CONNECT_PORT}] }
  - { name: messages, reason: Messages, machines: [hmi], how: forward, host: ${HOSTS.historian}, ports: [${IPERF_PORT}], transport: udp }
${others.join("\n")}
unsafeUnauthenticated:
  - name: scada
    owner: Control room
    reason: It has no certificate yet
    until: ${until}
    source: { address: ${HOSTS.scada}, mac: "${macs.scada}" }
    what: { machines: [press] }
`;
}
