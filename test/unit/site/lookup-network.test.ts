import { readFileSync } from "node:fs";
import test from "ava";
import {
  capturedService,
  destinationAt,
  machineAt,
  parseSite,
  parseSnapshot,
  plainService,
  type Snapshot,
} from "../../../src/site/index.ts";

const inline = parseSnapshot(
  JSON.parse(readFileSync(new URL("../../vectors/site/good/inline.snapshot.json", import.meta.url), "utf8")),
);

function label(found: ReturnType<typeof plainService>): string | null {
  return found === null ? null : `${found.machine.name}/${found.service.name}`;
}

test("a machine by its own address", (t) => {
  t.is(machineAt(inline, "10.1.7.10")?.name, "press-4");
  t.is(machineAt(inline, "10.1.7.12"), null);
  t.is(machineAt(inline, "constructor"), null);
});

test("a service by the port at which the appliance answers for it, or at which it listens itself", (t) => {
  t.is(label(capturedService(inline, "10.1.7.10", 802)), "press-4/modbus");
  t.is(label(capturedService(inline, "10.1.7.10", 5802)), "press-4/second");
  t.is(label(capturedService(inline, "10.1.7.10", 5900)), "press-4/panel");
  t.is(label(capturedService(inline, "10.1.7.11", 8443)), "hmi-4/web");
  t.is(label(plainService(inline, "10.1.7.10", 502)), "press-4/modbus");
  t.is(label(plainService(inline, "10.1.7.10", 5020)), "press-4/second");
  t.is(label(plainService(inline, "10.1.7.11", 443)), "hmi-4/web");
  for (const [address, port] of [
    ["10.1.7.10", 502],
    ["10.1.7.10", 5020],
    ["10.1.7.11", 802],
    ["10.1.7.12", 802],
  ] as const) {
    t.is(capturedService(inline, address, port), null);
  }
  for (const [address, port] of [
    ["10.1.7.10", 802],
    ["10.1.7.11", 502],
    ["10.1.7.12", 502],
  ] as const) {
    t.is(plainService(inline, address, port), null);
  }
});

test("a service elsewhere than at its machine's own address is none of the machine's", (t) => {
  const snapshot = compiled(`machines:
  press-4:
    address: 10.1.7.10
    mac: 00:1b:1b:03:21:7a
    services: { far: { protocol: modbus-tcp, address: 10.1.7.99 } }
`);
  t.is(plainService(snapshot, "10.1.7.10", 502), null);
  t.is(plainService(snapshot, "10.1.7.99", 502), null);
  t.is(capturedService(snapshot, "10.1.7.10", 802), null);
});

function compiled(text: string): Snapshot {
  const head =
    "niac: 1\nsite: { name: P, appliance: box.example, timeZone: UTC }\nnetwork: { mode: inline }\n";
  const { snapshot, findings } = parseSite(head + text, "site.yaml");
  if (snapshot === null) throw new Error(JSON.stringify(findings));
  return snapshot;
}

function at(machine: string, address: string, port: number, transport: "tcp" | "udp" = "tcp"): string | null {
  return destinationAt(inline, machine, address, port, transport)?.name ?? null;
}

test("a destination by machine, address, port and transport", (t) => {
  t.is(at("press-4", "10.1.0.9", 1883), "historian");
  t.is(at("hmi-4", "10.1.0.9", 8883), "historian");
  t.is(at("press-4", "10.1.0.9", 514, "udp"), "syslog");
  t.is(at("hmi-4", "10.1.7.12", 502), "press-12");
  t.is(at("hmi-4", "198.19.0.1", 502), "press-13");
  t.is(at("hmi-4", "198.19.0.1", 80), "press-13-panel");
  t.is(at("press-4", "198.19.0.2", 1883), "broker");
  t.is(at("press-4", "10.1.0.9", 1884), null);
  t.is(at("press-4", "10.1.0.9", 514), null);
  t.is(at("press-4", "10.1.0.9", 1883, "udp"), null);
  t.is(at("hmi-4", "10.1.0.9", 514, "udp"), null);
  t.is(at("press-4", "10.1.7.12", 502), null);
  t.is(at("press-4", "198.19.0.1", 502), null);
  t.is(at("press-5", "10.1.0.9", 1883), null);
});

test("of ranges, those that overlap among them, each port finds a destination that holds it", (t) => {
  const ports = ["[100-200, 300]", "[150-250, 1]", "[160-170]", "[201-299, 65535]"];
  const each = ports.map(
    (text, index) =>
      `  - { name: d${index}, reason: r, machines: all, how: forward, host: 10.0.0.9, ports: ${text} }\n`,
  );
  const snapshot = compiled(
    `machines: { m: { address: 10.0.0.10, mac: 00:1b:1b:03:21:7a } }\ndestinations:\n${each.join("")}`,
  );
  for (let port = 0; port <= 400; port += 1) {
    const holding = snapshot.destinations.filter((one) =>
      one.ports.some(({ start, end }) => start <= port && port <= end),
    );
    const found = destinationAt(snapshot, "m", "10.0.0.9", port, "tcp");
    t.true(found === null ? holding.length === 0 : holding.includes(found), `port ${port}`);
  }
  t.is(destinationAt(snapshot, "m", "10.0.0.9", 65_535, "tcp")?.name, "d3");
});

test("two names of one host are one address, another host is another", (t) => {
  t.deepEqual(
    inline.destinations.map(({ name, address }) => `${name} ${address}`),
    [
      "historian 10.1.0.9",
      "syslog 10.1.0.9",
      "press-12 10.1.7.12",
      "press-13 198.19.0.1",
      "press-13-panel 198.19.0.1",
      "broker 198.19.0.2",
    ],
  );
});
