import test from "ava";
import { planOf, type Plan } from "../../../src/isolation/plan.ts";
import type { Destination, Machine, Service } from "../../../src/site/index.ts";
import { planOfText, PORTS } from "../../vectors/isolation/cases.ts";
import { historian, hmi, HMI_MAC, press, PRESS_MAC, snapshot } from "./snapshots.ts";

const [modbus] = press.services;

function service(name: string, host: string, port: number): Service {
  return { name, protocol: "tcp", unsafeTls12: false, tlsPort: null, tcp: { host, port } };
}

function planWith(machines: readonly Machine[], destinations: readonly Destination[] = []): Plan {
  return planOf({ ...snapshot, machines, destinations }, PORTS);
}

function udp(...ports: readonly (readonly [start: number, end: number])[]): Destination {
  return { ...historian, transport: "udp", ports: ports.map(([start, end]) => ({ start, end })) };
}

function open(destination: Destination): string[] {
  return planWith([press], [destination]).forwards.map(({ start, end }) => `${start}-${end}`);
}

test("no document: nothing at all, and the mode is closed", (t) => {
  const { version, mode, ports, refusal, ...lists } = planOf(null, PORTS);
  t.deepEqual(
    { version, mode, ports, refusal },
    { version: null, mode: "closed", ports: PORTS, refusal: "reset" },
  );
  for (const [name, list] of Object.entries(lists)) t.deepEqual(list, name === "device" ? null : [], name);
});

test("a document without a network: no machine, no way, only the services the gateway itself connects to", (t) => {
  const plan = planOf({ ...snapshot, network: null }, PORTS);
  const empty = {
    version: 7,
    mode: "closed",
    stations: [],
    answered: [],
    secured: [],
    forwards: [],
    taken: [],
  };
  t.like(plan, empty);
  t.deepEqual(plan.outward, [{ address: "10.20.0.50", port: 502 }]);
});

test("a machine without address, MAC address or stand-in gets nothing", (t) => {
  for (const lacking of [{ address: null }, { mac: null }, { standIn: null }]) {
    const plan = planWith([{ ...press, ...lacking }], [historian]);
    t.like(plan, { stations: [], secured: [], answered: [], forwards: [] });
  }
});

test("services at machines' addresses are answered from the device port, all others are on the plant's side", (t) => {
  const machine: Machine = {
    ...press,
    services: [
      ...press.services,
      service("again", "10.20.0.50", 502),
      service("beside", "10.20.0.51", 80),
      service("plant", "10.20.0.9", 80),
      service("named", "plc.example", 102),
      service("six", "2001:db8::7", 80),
    ],
  };
  const plan = planWith([machine, hmi]);
  t.deepEqual(plan.answered, [
    { address: "10.20.0.50", port: 502 },
    { address: "10.20.0.51", port: 80 },
  ]);
  t.deepEqual(plan.outward, [
    { address: "10.20.0.9", port: 80 },
    { address: null, port: 102 },
  ]);
});

test("each port with mutual TLS once; a service without one is not captured", (t) => {
  t.deepEqual(planWith([{ ...press, services: [modbus!, service("panel", "10.20.0.50", 5900)] }]).secured, [
    { address: "10.20.0.50", port: 802 },
  ]);
});

test("a forwarded destination is a way for each of its machines that has an address, and for each range", (t) => {
  const machines = ["press-4", "hmi-4", "none"];
  const ports = [
    { start: 135, end: 135 },
    { start: 49_152, end: 65_535 },
  ];
  const plan = planWith([press, hmi], [{ ...historian, machines, ports, source: "appliance" }]);
  const way = { destination: "historian", to: "10.30.0.7", transport: "tcp", masked: true };
  t.deepEqual(
    plan.forwards,
    [press, hmi].flatMap(({ name, address }) =>
      ports.map((range) => ({ ...way, ...range, machine: name, from: address ?? "" })),
    ),
  );
  t.deepEqual(plan.outward, [], "the gateway itself does not go there");
});

test("DNS and NTP over UDP are no way, whatever a destination says: they end at the appliance", (t) => {
  t.deepEqual(open(udp([53, 53])), []);
  t.deepEqual(open(udp([123, 123], [514, 514])), ["514-514"]);
  t.deepEqual(open(udp([50, 200])), ["50-52", "54-122", "124-200"]);
  t.deepEqual(open(udp([53, 123])), ["54-122"]);
  t.deepEqual(open(udp([1, 53], [123, 65_535])), ["1-52", "124-65535"]);
  t.deepEqual(open({ ...udp([53, 53]), transport: "tcp" }), ["53-53"], "TCP is not answered by it");
});

test("inspect and wrap: taken at the address machines ask for, and let out to the one they lead to", (t) => {
  const wrapped: Destination = {
    ...historian,
    how: "wrap",
    host: "plc.example",
    address: "198.19.0.1",
    ports: [{ start: 502, end: 502 }],
    service: service("service", "plc.example", 802),
    serverName: "plc.example",
  };
  const inspected: Destination = {
    ...wrapped,
    how: "inspect",
    host: "10.20.0.60",
    address: "10.20.0.60",
    service: service("service", "10.20.0.60", 502),
    serverName: null,
  };
  const plan = planWith([press], [wrapped, inspected]);
  t.deepEqual(plan.forwards, []);
  t.deepEqual(plan.taken, [
    { from: "10.20.0.50", to: "198.19.0.1", port: 502 },
    { from: "10.20.0.50", to: "10.20.0.60", port: 502 },
  ]);
  t.deepEqual(plan.outward, [
    { address: null, port: 802 },
    { address: "10.20.0.60", port: 502 },
  ]);
});

test("a client without a certificate: told by MAC address and address, at services of the machine's own address, once", (t) => {
  const source = { owner: "", reason: "", line: 1, address: "10.20.0.5", mac: "00:1b:1b:aa:00:20", until: 0 };
  const machines = [{ ...press, services: [modbus!, service("plant", "10.20.0.9", 80)] }];
  const unauthenticated = [
    {
      ...source,
      name: "scada",
      services: ["press-4/modbus", "press-4/plant", "press-4/none", "gone/modbus"],
    },
    { ...source, name: "scada-sets", services: ["press-4/modbus"] },
  ];
  const known = { mac: "00:1b:1b:aa:00:20", source: "10.20.0.5", address: "10.20.0.50", port: 502 };
  t.deepEqual(planOf({ ...snapshot, machines, unauthenticated }, PORTS).unauthenticated, [known]);
  t.deepEqual(planOf({ ...snapshot, network: null, machines, unauthenticated }, PORTS).unauthenticated, []);
});

test("stations bear what the machines have", (t) => {
  t.deepEqual(planWith([{ ...press, ping: true }, hmi]).stations, [
    { name: "press-4", address: "10.20.0.50", mac: PRESS_MAC, standIn: "198.18.1.1", ping: true },
    { name: "hmi-4", address: "10.20.0.51", mac: HMI_MAC, standIn: "198.18.1.2", ping: false },
  ]);
});

test("from a document: mode, refusal, servers and the device port are the network's", (t) => {
  const plan = planOfText(`
niac: 1
site: { name: Cell 7, appliance: box.example, timeZone: UTC }
network: { mode: routed, refusal: silent, device: { address: "192.168.77.1/24", dhcp: true }, nameServers: [10.1.0.2], timeServers: [10.1.0.4] }
`);
  t.like(plan, {
    version: 0,
    mode: "routed",
    refusal: "silent",
    nameServers: ["10.1.0.2"],
    timeServers: ["10.1.0.4"],
  });
  t.deepEqual(plan.device, { address: "192.168.77.1", prefix: 24, dhcp: true });
});
