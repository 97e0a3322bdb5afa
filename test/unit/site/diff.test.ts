import test from "ava";
import { diffSites, formatChange, parseSite, type Snapshot } from "../../../src/site/index.ts";

const BASE = `niac: 1
site: { name: P, appliance: box.example, timeZone: UTC }
machines:
  press-4:
    services:
      modbus: { protocol: modbus-tcp, address: 192.0.2.10 }
      panel: { protocol: tcp, address: "192.0.2.10:5900" }
people:
  alice: { groups: [maintenance] }
groups:
  maintenance: {}
  banned: {}
grants:
  - name: sets
    reason: Moves the set-point
    who: { groups: [maintenance] }
    what: { machines: [press-4], modbus: { write: { holdingRegisters: [{ addresses: 10-11, values: 0-200 }] } } }
    when: { days: [mon], hours: ["22:00-06:00"] }
    howFast: { operationsPerSecond: 10 }
forbids:
  - name: no-safety
    reason: Not the safety controller
    who: { groups: [banned] }
    what: { machines: [press-4], modbus: { units: [5] } }
destinations:
  - { name: broker, reason: Telemetry, machines: all, how: forward, host: 10.0.0.9, ports: [1883] }
`;

function compiled(text: string): Snapshot {
  const { snapshot, findings } = parseSite(text, "site.yaml");
  if (snapshot === null) throw new Error(JSON.stringify(findings));
  return snapshot;
}

function changes(from: string, to: string): readonly string[] {
  const text = BASE.replace(from, to);
  if (text === BASE) throw new Error(`nothing to replace: ${from}`);
  return diffSites(compiled(BASE), compiled(text)).map(formatChange);
}

test("the same document, and one with other lines and comments, differ in nothing", (t) => {
  t.deepEqual(diffSites(compiled(BASE), compiled(BASE)), []);
  t.deepEqual(diffSites(compiled(BASE), compiled(`# a comment\n\n${BASE}`)), []);
});

test("a grant that loses the key switch is a widening, and one that turns it round neither", (t) => {
  const hours = '{ days: [mon], hours: ["22:00-06:00"] }';
  const told = (from: string, to: string) =>
    diffSites(compiled(BASE.replace(hours, from)), compiled(BASE.replace(hours, to))).map(formatChange);
  t.deepEqual(told("{ keySwitch: on }", "{}"), [
    "grant sets changed, access becomes wider: when with the key switch on -> always",
  ]);
  t.deepEqual(told("{ keySwitch: on }", "{ keySwitch: off }"), [
    "grant sets changed: when with the key switch on -> with the key switch off",
  ]);
  t.deepEqual(told("{ keySwitch: on, days: [mon] }", "{ keySwitch: on }"), [
    "grant sets changed, access becomes wider: when mon with the key switch on -> with the key switch on",
  ]);
});

test("the first document adds everything by name", (t) => {
  t.deepEqual(diffSites(null, compiled(BASE)).map(formatChange), [
    "site added",
    "machine press-4 added",
    "service press-4/modbus added",
    "service press-4/panel added",
    "person alice added, access becomes wider",
    "grant sets added, access becomes wider",
    "forbid no-safety added, access becomes narrower",
    "destination broker added, access becomes wider",
  ]);
});

const CASES: readonly (readonly [title: string, from: string, to: string, expected: readonly string[]])[] = [
  [
    "more addresses",
    "10-11, values",
    "10-20, values",
    [
      "grant sets changed, access becomes wider: write holdingRegisters 10-11 (values 0-200) -> holdingRegisters 10-20 (values 0-200)",
    ],
  ],
  [
    "a narrower range of values",
    "0-200",
    "0-100",
    [
      "grant sets changed, access becomes narrower: write holdingRegisters 10-11 (values 0-200) -> holdingRegisters 10-11 (values 0-100)",
    ],
  ],
  [
    "a limit on the step",
    "values: 0-200 }",
    "values: 0-200, maxChange: 5 }",
    [
      "grant sets changed, access becomes narrower: write holdingRegisters 10-11 (values 0-200) -> holdingRegisters 10-11 (values 0-200, maxChange 5)",
    ],
  ],
  [
    "other addresses",
    "10-11, values",
    "11-12, values",
    [
      "grant sets changed: write holdingRegisters 10-11 (values 0-200) -> holdingRegisters 11-12 (values 0-200)",
    ],
  ],
  [
    "a faster rate",
    "operationsPerSecond: 10",
    "operationsPerSecond: 20",
    ["grant sets changed, access becomes wider: howFast 10 operations a second -> 20 operations a second"],
  ],
  [
    "hours of a night shift",
    "06:00",
    "05:00",
    [
      "grant sets changed, access becomes narrower: when mon 22:00-24:00 and tue 00:00-06:00 -> mon 22:00-24:00 and tue 00:00-05:00",
    ],
  ],
  [
    "a key switch beside the hours",
    '06:00"] }',
    '06:00"], keySwitch: on }',
    [
      "grant sets changed, access becomes narrower: when mon 22:00-24:00 and tue 00:00-06:00 -> mon 22:00-24:00 with the key switch on and tue 00:00-06:00 with the key switch on",
    ],
  ],
  [
    "a key switch in place of the hours",
    '{ days: [mon], hours: ["22:00-06:00"] }',
    "{ keySwitch: on }",
    ["grant sets changed: when mon 22:00-24:00 and tue 00:00-06:00 -> with the key switch on"],
  ],
  [
    "a forbid that waits for the key switch",
    "{ units: [5] } }",
    "{ units: [5] } }\n    when: { keySwitch: off }",
    ["forbid no-safety changed, access becomes wider: when always -> with the key switch off"],
  ],
  [
    "only the reason",
    "Moves the set-point",
    "Moves it",
    ["grant sets changed, access stays the same: reason Moves the set-point -> Moves it"],
  ],
  [
    "a forbid that reaches further",
    ", modbus: { units: [5] }",
    "",
    [
      "forbid no-safety changed, access becomes narrower: services press-4/modbus -> press-4/modbus, press-4/panel, units 5 -> -, functions every function -> -, read any address -> -, write any address -> -",
    ],
  ],
  [
    "a rule's other name",
    "name: sets",
    "name: moves",
    ["grant moves added, access becomes wider", "grant sets removed, access becomes narrower"],
  ],
  [
    "leaving a group",
    "[maintenance] }\ngroups",
    "[] }\ngroups",
    ["person alice changed, access becomes narrower: groups maintenance -> "],
  ],
  [
    "joining a group that is forbidden something",
    "[maintenance] }\ngroups",
    "[maintenance, banned] }\ngroups",
    ["person alice changed: groups maintenance -> banned, maintenance"],
  ],
  [
    "taking a claim",
    "maintenance: {}",
    "maintenance: { fromCertificate: true }",
    ["certificate's claim of group maintenance added, access becomes wider"],
  ],
  [
    "what runs unrecorded",
    "  press-4:\n",
    "  press-4:\n    whenUnrecorded: allow\n",
    ["machine press-4 changed, access becomes wider: whenUnrecorded readOnly -> allow"],
  ],
  [
    "a service's address",
    "192.0.2.10 }",
    "192.0.2.11 }",
    ["service press-4/modbus changed: address 192.0.2.10:502 -> 192.0.2.11:502"],
  ],
  [
    "more ports of a destination",
    "[1883]",
    "[1883-1884]",
    ["destination broker changed, access becomes wider: ports 1883 -> 1883-1884"],
  ],
  ["another host", "10.0.0.9", "10.0.0.8", ["destination broker changed: host 10.0.0.9 -> 10.0.0.8"]],
  [
    "a limit of the site",
    "timeZone: UTC }",
    "timeZone: UTC, limits: { idleTimeout: 1h } }",
    ["site changed: limits.idleTimeout 15m -> 1h"],
  ],
];

for (const [title, from, to, expected] of CASES) {
  test(`a change is told: ${title}`, (t) => {
    t.deepEqual(changes(from, to), expected);
  });
}

function users(names: readonly string[]): string {
  return BASE.replace("{ groups: [maintenance] }\n    what", `{ users: ${JSON.stringify(names)} }\n    what`);
}

test("the last of many users is a difference too, and commas inside names hide none", (t) => {
  const many = Array.from({ length: 40 }, (_, index) => `user-${index}`);
  const [change] = diffSites(compiled(users(many)), compiled(users([...many.slice(0, -1), "user-x"])));
  t.is(change?.fields[0]?.field, "who");
  t.is(diffSites(compiled(users(["a, b"])), compiled(users(["a", "b"]))).length, 1);
});
