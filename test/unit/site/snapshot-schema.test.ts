import { readFileSync } from "node:fs";
import test from "ava";
import { PeerError } from "../../../src/base/index.ts";
import { groupsOf, parseSnapshot, serviceOf, withVersion } from "../../../src/site/index.ts";

function golden(name: string): unknown {
  return JSON.parse(
    readFileSync(new URL(`../../vectors/site/good/${name}.snapshot.json`, import.meta.url), "utf8"),
  );
}

/** The same value with another one at a path; undefined leaves it out. */
function put(value: unknown, [step, ...rest]: readonly string[], other: unknown): unknown {
  if (step === undefined) return other;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => (`${index}` === step ? put(item, rest, other) : item));
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const known = Object.hasOwn(value, step) ? entries : [...entries, [step, undefined] as const];
  const changes = known.map(([key, item]) => [key, key === step ? put(item, rest, other) : item] as const);
  return Object.fromEntries(changes.filter(([, item]) => item !== undefined));
}

function changed(path: string, value: unknown): unknown {
  return put(golden("plant"), path.split("."), value);
}

test("every golden snapshot comes through the channel as it is, deeply frozen", (t) => {
  for (const name of ["plant", "ranges", "never-apply", "no-grants", "inline", "routed", "trust"]) {
    const snapshot = parseSnapshot(golden(name));
    t.deepEqual(snapshot, parseSnapshot(JSON.parse(JSON.stringify(snapshot))));
    t.deepEqual(JSON.parse(JSON.stringify(snapshot)), golden(name));
    t.true(Object.isFrozen(snapshot.grants) && snapshot.grants.every((grant) => Object.isFrozen(grant.who)));
  }
});

const WRONG: readonly (readonly [path: string, value: unknown])[] = [
  ["version", -1],
  ["version", 1.5],
  ["hash", "x"],
  ["extra", 1],
  ["site.timeZone", "Mars/Base"],
  ["site.limits.idleTimeout", 0],
  ["grants.0.extra", 1],
  ["grants.0.rate", undefined],
  ["grants.0.services", ["press-4/none"]],
  ["grants.0.modbus.functions", null],
  [
    "grants.0.modbus.functions",
    [
      { code: 6, subFunctions: null },
      { code: 3, subFunctions: null },
    ],
  ],
  ["grants.0.modbus.functions", [{ code: 128, subFunctions: null }]],
  [
    "grants.0.modbus.units",
    [
      { start: 1, end: 5 },
      { start: 5, end: 6 },
    ],
  ],
  ["grants.0.modbus.units", [{ start: 0, end: 256 }]],
  ["grants.0.modbus.reads", null],
  ["grants.0.modbus.reads.holdingRegisters", [{ start: 9, end: 3 }]],
  ["grants.0.modbus.reads.holdingRegisters", [{ start: 0, end: 65_536 }]],
  ["grants.0.modbus.reads.registers", []],
  ["grants.0.modbus.writes.holdingRegisters", [{ start: 0, end: 1, min: 5, max: 4, maxChange: null }]],
  ["grants.0.modbus.writes.holdingRegisters", [{ start: 0, end: 1, min: 0, max: 4 }]],
  ["grants.0.when.days", [6, 5]],
  ["grants.0.when.days", [7]],
  ["grants.0.when.hours", [{ start: 0, end: 1441 }]],
  ["grants.0.from", ["10.0.0.0"]],
  ["grants.0.from", ["box.example/8"]],
  ["machines.0.services.0.tcp", { host: "a", port: 502 }],
  ["machines.0.services.0.protocol", "modbus-tcp"],
  ["machines.0.services.0.units", [2, 1]],
  ["machines.1.services.1.tcp.port", 0],
  ["machines.0.whenUnrecorded", "maybe"],
  ["destinations.0.ports", [{ start: 0, end: 1 }]],
  ["people.alice", "maintenance"],
];

for (const [path, value] of WRONG) {
  test(`refused: ${path} ${JSON.stringify(value) ?? "left out"}`, (t) => {
    t.throws(() => parseSnapshot(changed(path, value)), { instanceOf: PeerError, code: "snapshot-shape" });
  });
}

const WRONG_IN_CABLE: readonly (readonly [path: string, value: unknown])[] = [
  ["network.mode", "bridged"],
  ["network.device", { address: "10.1.7.1", prefix: 24, dhcp: false }],
  ["network.nameServers", ["ns.example"]],
  ["network.extra", 1],
  ["machines.1.mac", null],
  ["machines.1.mac", "00-1b-1b-03-21-7c"],
  ["machines.1.mac", "00:1b:1b:03:21:7a"],
  ["machines.1.address", "10.1.7.10"],
  ["machines.1.address", "fe80::1"],
  ["machines.1.standIn", null],
  ["machines.1.standIn", "198.18.77.43"],
  ["machines.1.services.0.tlsPort", 0],
  ["destinations.0.service", { name: "tcp" }],
  ["destinations.0.serverName", "historian.plant"],
  ["destinations.0.machines", ["hmi-5"]],
  ["destinations.2.service", null],
  ["destinations.3.serverName", null],
  ["grants.0.who.machines", ["hmi-5"]],
  ["grants.4.who.sources", ["scada-7"]],
  ["grants.0.services", ["press-12/tcp"]],
  ["forbids.0.who.sources", ["scada-7"]],
  ["unauthenticated.0.services", ["press-4/none"]],
  ["unauthenticated.0.mac", "00:1B:1B:AA:00:20"],
  ["unauthenticated.0.until", null],
];

for (const [path, value] of WRONG_IN_CABLE) {
  test(`refused in the cable: ${path} ${JSON.stringify(value)}`, (t) => {
    const snapshot = put(golden("inline"), path.split("."), value);
    t.throws(() => parseSnapshot(snapshot), { instanceOf: PeerError, code: "snapshot-shape" });
  });
}

const WRONG_IN_TRUST: readonly (readonly [path: string, value: unknown])[] = [
  ["grants.0.posture", []],
  ["grants.0.posture", ["unheard-of"]],
  ["grants.0.posture", undefined],
  ["grants.0.who.sources", []],
  ["postures.0.maxAge", 0],
  ["postures.0.diskEncryption", false],
  ["postures.0.osVersion.linux", "six"],
  ["postures.0.signedBy", "anybody"],
  ["trust.authorities.0.revocation", "none"],
  ["trust.authorities.0.extra", 1],
  ["trust.authorities.1.revocation", "unchecked"],
  ["trust.signIn.tier", "guest"],
  ["trust.postureSigners.0.key", ""],
  ["trust", undefined],
];

for (const [path, value] of WRONG_IN_TRUST) {
  test(`refused of trust: ${path} ${JSON.stringify(value) ?? "left out"}`, (t) => {
    const snapshot = put(golden("trust"), path.split("."), value);
    t.throws(() => parseSnapshot(snapshot), { instanceOf: PeerError, code: "snapshot-shape" });
  });
}

test("another format is refused with the advice to run one version everywhere", (t) => {
  t.throws(() => parseSnapshot(changed("format", 2)), {
    instanceOf: PeerError,
    code: "snapshot-format",
    message: /format 2/,
  });
});

test("what is no snapshot at all is refused", (t) => {
  for (const value of [null, undefined, 1, "x", [], {}])
    t.throws(() => parseSnapshot(value), { instanceOf: PeerError });
});

test("services and groups by name; names of JavaScript's own are none", (t) => {
  const snapshot = withVersion(parseSnapshot(golden("plant")), 7);
  t.is(snapshot.version, 7);
  t.is(serviceOf(snapshot, "press-4", "panel")?.protocol, "tcp");
  t.is(serviceOf(snapshot, "press-4", "none"), null);
  t.is(serviceOf(snapshot, "none", "panel"), null);
  t.deepEqual(groupsOf(snapshot, "bob"), ["maintenance", "operators"]);
  for (const user of ["carol", "constructor", "__proto__", "toString"])
    t.deepEqual(groupsOf(snapshot, user), []);
});
