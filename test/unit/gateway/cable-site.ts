/** A site in the cable: a press and an HMI, their destinations, and SCADA servers without a certificate. */
import { parseSite, type Snapshot } from "../../../src/site/index.ts";

const SITE = `
niac: 1
site: { name: test, appliance: box-3.plant.example, timeZone: UTC }
network: { mode: inline }
machines:
  press-4:
    address: 10.20.0.4
    mac: 02:00:00:00:00:04
    services:
      modbus: { protocol: modbus-tcp }
      panel: { protocol: tcp, port: 5900, tlsPort: 8443 }
  hmi-1: { address: 10.20.0.5, mac: 02:00:00:00:00:05, services: { web: { protocol: tcp, port: 80 } } }
  drive-1: { services: { modbus: { protocol: modbus-rtu, serial: { path: /dev/ttyS1 } } } }
destinations:
  - name: plc-12
    reason: The panel shows it
    machines: [hmi-1, press-4]
    how: inspect
    host: 10.9.0.12
    ports: [502]
    modbus: { functions: readOnly }
  - { name: plc-13, reason: As the appliance, machines: [hmi-1, press-4], how: inspect, source: appliance, host: 10.9.0.13, ports: [502], modbus: { functions: readOnly } }
  - { name: historian, reason: Process values, machines: [hmi-1], how: wrap, host: 10.9.0.30, ports: [1883], tlsPort: 8883, serverName: historian.plant.example }
  - { name: broker, reason: By the kernel, machines: [hmi-1], how: forward, host: 10.9.0.40, ports: [1883] }
unsafeUnauthenticated:
  - name: scada-1
    owner: Control room
    reason: Knows no TLS
    until: 2027-06-30T12:00:00Z
    source: { address: 10.20.0.66, mac: 02:00:00:00:00:66 }
    what: { machines: [press-4], services: [modbus] }
`;

/** The site, or one that another text made of it. */
export function inCable(change: (text: string) => string = (text) => text): Snapshot {
  const { snapshot, findings } = parseSite(change(SITE), "test");
  if (!snapshot) throw new Error(JSON.stringify(findings));
  return snapshot;
}
