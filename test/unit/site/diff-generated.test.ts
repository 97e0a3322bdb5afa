import test from "ava";
import { diffSites, formatChange, parseSite, type Snapshot } from "../../../src/site/index.ts";

const BASE = `niac: 1
site: { name: P, appliance: box.example, timeZone: UTC }
network: { mode: inline, nameServers: [10.0.0.2] }
machines:
  hmi-4:
    address: 10.1.7.11
    mac: 00:1b:1b:03:21:7c
    services: { modbus: { protocol: modbus-tcp }, panel: { protocol: tcp, port: 5900 } }
destinations:
  - { name: press-12, reason: Shows it, machines: [hmi-4], how: inspect, host: 10.1.7.12, ports: [502], modbus: { write: { holdingRegisters: [10-11] } } }
  - { name: broker, reason: Telemetry, machines: [hmi-4], how: wrap, host: broker.example, ports: [1883] }
unsafeUnauthenticated:
  - { name: scada-1, owner: Control room, reason: Not yet, until: 2027-06-30, source: { address: 10.1.0.20, mac: 00:1b:1b:aa:00:20 }, what: { machines: [hmi-4] } }
`;

function compiled(text: string): Snapshot {
  const { snapshot, findings } = parseSite(text, "site.yaml");
  if (snapshot === null) throw new Error(JSON.stringify(findings));
  return snapshot;
}

function replaced(from: string, to: string): string {
  const text = BASE.replace(from, to);
  if (text === BASE) throw new Error(`nothing to replace: ${from}`);
  return text;
}

function changes(before: string, after: string): readonly string[] {
  return diffSites(compiled(before), compiled(after)).map(formatChange);
}

test("the first document: what stands behind a grant is told once, as what it is", (t) => {
  t.deepEqual(diffSites(null, compiled(BASE)).map(formatChange), [
    "site added",
    "network added",
    "machine hmi-4 added",
    "service hmi-4/modbus added",
    "service hmi-4/panel added",
    "destination press-12 added, access becomes wider",
    "destination broker added, access becomes wider",
    "source scada-1 may connect without a certificate until 2027-06-30, access becomes wider",
  ]);
});

const CASES: readonly (readonly [title: string, from: string, to: string, there: string, back: string])[] = [
  [
    "a machine's MAC address",
    "00:1b:1b:03:21:7c",
    "00:1b:1b:03:21:7d",
    "machine hmi-4 changed: mac 00:1b:1b:03:21:7c -> 00:1b:1b:03:21:7d",
    "machine hmi-4 changed: mac 00:1b:1b:03:21:7d -> 00:1b:1b:03:21:7c",
  ],
  [
    "echo requests",
    "    mac:",
    "    ping: true\n    mac:",
    "machine hmi-4 changed, access becomes wider: ping false -> true",
    "machine hmi-4 changed, access becomes narrower: ping true -> false",
  ],
  [
    "echo requests and what runs unrecorded, one each way",
    "    mac:",
    "    ping: true\n    whenUnrecorded: deny\n    mac:",
    "machine hmi-4 changed: whenUnrecorded readOnly -> deny, ping false -> true",
    "machine hmi-4 changed: whenUnrecorded deny -> readOnly, ping true -> false",
  ],
  [
    "a service's TLS port",
    "protocol: modbus-tcp }",
    "protocol: modbus-tcp, tlsPort: 803 }",
    "service hmi-4/modbus changed: tlsPort 802 -> 803",
    "service hmi-4/modbus changed: tlsPort 803 -> 802",
  ],
  [
    "registers of a destination",
    "[10-11]",
    "[10-20]",
    "destination press-12 changed, access becomes wider: write holdingRegisters 10-11 -> holdingRegisters 10-20",
    "destination press-12 changed, access becomes narrower: write holdingRegisters 10-20 -> holdingRegisters 10-11",
  ],
  [
    "inspected no longer",
    "how: inspect, host: 10.1.7.12, ports: [502], modbus: { write: { holdingRegisters: [10-11] } } }",
    "how: forward, host: 10.1.7.12, ports: [502] }",
    "destination press-12 changed: how inspect -> forward, units any -> -, functions readWrite without 21 -> -, read nothing -> -, write holdingRegisters 10-11 -> -, maxConnections 2 -> -, requestTimeout 2s -> -",
    "destination press-12 changed: how forward -> inspect, units - -> any, functions - -> readWrite without 21, read - -> nothing, write - -> holdingRegisters 10-11, maxConnections - -> 2, requestTimeout - -> 2s",
  ],
  [
    "another server behind a name",
    "ports: [1883] }",
    "ports: [1883], tlsPort: 8883, serverName: mq.example, names: [mq.plant], source: appliance }",
    "destination broker changed: names broker.example -> broker.example, mq.plant, source machine -> appliance, tlsPort 1883 -> 8883, serverName broker.example -> mq.example",
    "destination broker changed: names broker.example, mq.plant -> broker.example, source appliance -> machine, tlsPort 8883 -> 1883, serverName mq.example -> broker.example",
  ],
  [
    "names alone",
    "ports: [1883] }",
    "ports: [1883], names: [mq.plant] }",
    "destination broker changed, access stays the same: names broker.example -> broker.example, mq.plant",
    "destination broker changed, access stays the same: names broker.example, mq.plant -> broker.example",
  ],
  [
    "longer without a certificate",
    "2027-06-30",
    "2027-12-31T12:00:00Z",
    "source scada-1 changed, access becomes wider: until 2027-06-30 -> 2027-12-31T12:00:00Z",
    "source scada-1 changed, access becomes narrower: until 2027-12-31T12:00:00Z -> 2027-06-30",
  ],
  [
    "a source that may write",
    "{ machines: [hmi-4] } }",
    "{ machines: [hmi-4], modbus: { functions: readWrite } } }",
    "source scada-1 changed, access becomes wider: functions readOnly -> readWrite",
    "source scada-1 changed, access becomes narrower: functions readWrite -> readOnly",
  ],
  [
    "a source that may do more services",
    "{ machines: [hmi-4] } }",
    "{ machines: [hmi-4], services: [modbus, panel] } }",
    "source scada-1 changed, access becomes wider: services hmi-4/modbus -> hmi-4/modbus, hmi-4/panel",
    "source scada-1 changed, access becomes narrower: services hmi-4/modbus, hmi-4/panel -> hmi-4/modbus",
  ],
  [
    "another station by the name of a source",
    "00:1b:1b:aa:00:20",
    "00:1b:1b:aa:00:21",
    "source scada-1 changed: mac 00:1b:1b:aa:00:20 -> 00:1b:1b:aa:00:21",
    "source scada-1 changed: mac 00:1b:1b:aa:00:21 -> 00:1b:1b:aa:00:20",
  ],
  [
    "a source's owner",
    "Control room",
    "IT",
    "source scada-1 changed, access stays the same: owner Control room -> IT",
    "source scada-1 changed, access stays the same: owner IT -> Control room",
  ],
];

for (const [title, from, to, there, back] of CASES) {
  test(`a change is told there and back: ${title}`, (t) => {
    const other = replaced(from, to);
    t.deepEqual(changes(BASE, other), [there]);
    t.deepEqual(changes(other, BASE), [back]);
  });
}

test("what goes and what comes", (t) => {
  const without = BASE.slice(0, BASE.indexOf("destinations:"));
  t.deepEqual(changes(BASE, without), [
    "destination press-12 removed, access becomes narrower",
    "destination broker removed, access becomes narrower",
    "source scada-1 removed, access becomes narrower",
  ]);
  t.deepEqual(changes(without, without.replace(/network:.*\n/, "")), [
    "network removed",
    "service hmi-4/modbus changed: tlsPort 802 -> -",
    "service hmi-4/panel changed: tlsPort 5900 -> -",
  ]);
});

test("a source that becomes a grant for a certificate is both", (t) => {
  const grant =
    "grants:\n  - { name: scada-1, reason: Has one now, who: { users: [scada-1] }, what: { machines: [hmi-4], modbus: {} } }\n";
  const after = BASE.slice(0, BASE.indexOf("unsafeUnauthenticated:")) + grant;
  t.deepEqual(changes(BASE, after), [
    "grant scada-1 added, access becomes wider",
    "source scada-1 removed, access becomes narrower",
  ]);
});

test("another mode: the network, and whose address destinations see", (t) => {
  const routed = replaced(
    "mode: inline",
    'mode: routed, refusal: silent, device: { address: "10.1.7.1/24", dhcp: true }, timeServers: [10.0.0.3]',
  );
  t.deepEqual(changes(BASE, routed), [
    "network changed: mode inline -> routed, refusal reset -> silent, device - -> 10.1.7.1/24, dhcp false -> true, timeServers  -> 10.0.0.3",
    "destination press-12 changed, access stays the same: source machine -> appliance",
    "destination broker changed, access stays the same: source machine -> appliance",
  ]);
});
