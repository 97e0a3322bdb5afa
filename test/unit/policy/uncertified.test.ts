import test from "ava";
import {
  compilePolicy,
  decide,
  isPermit,
  judgeSession,
  nextChange,
  openSession,
} from "../../../src/policy/index.ts";
import { open, policyOf, read, requestOf, snapshotOf, write, type GrantForm } from "./documents.ts";

const HOUR = 3_600_000;
const readOnly = { functions: [1, 2, 3, 4] };
/** As the site document's `unsafeUnauthenticated` and `destinations` are compiled. */
const scada: GrantForm = {
  name: "scada-1",
  who: { sources: ["scada-1"] },
  modbus: readOnly,
  from: ["10.1.2.3/32"],
};
const toPlc12: GrantForm = {
  name: "plc-12",
  who: { machines: ["press-4"] },
  services: ["plc-12/modbus"],
  modbus: {
    functions: [3, 6],
    writes: { holdingRegisters: [[10, 19]] },
    reads: { holdingRegisters: [[0, 99]] },
  },
};
const toHistorian: GrantForm = {
  name: "historian",
  who: { machines: ["press-4"] },
  services: ["historian/tcp"],
};
const anyone: GrantForm = { name: "anyone", modbus: readOnly };

const asScada = requestOf({ kind: "source", user: "scada-1" });
const asPress = requestOf({ kind: "machine", user: "press-4" }, { machine: "plc-12", service: "modbus" });

function closedTo(who: NonNullable<GrantForm["who"]>) {
  return policyOf({ grants: [scada, anyone], forbids: [{ name: "closed", who }] });
}

test("a source may do what its own grant says, and nothing else", (t) => {
  const session = open(policyOf({ grants: [scada] }), asScada);
  t.true(isPermit(decide(session, read(0), 0)));
  t.like(decide(session, write(20, 1), 0), {
    stage: "function",
    rule: "scada-1",
    reason:
      'scada-1 may not use function 6 (Write Single Register) of press-4; unsafeUnauthenticated "scada-1" lists 1, 2, 3, 4',
    advice: 'Add function 6 (Write Single Register) to the functions of unsafeUnauthenticated "scada-1".',
    exception: 1,
  });
});

test("a certificate that is named like a source gets nothing of the source's grant, in any of its fields", (t) => {
  const policy = policyOf({
    grants: [scada],
    people: { "scada-1": ["scada-1"] },
    certificateGroups: ["scada-1"],
  });
  for (const claims of [
    {},
    { groups: ["scada-1"] },
    { device: "scada-1", role: "scada-1", tier: "scada-1", tenant: "scada-1" },
  ]) {
    t.like(openSession(policy, requestOf({ user: "scada-1", ...claims }), 0), { stage: "grant", rule: null });
  }
});

test("a source or machine that is named like a user or a group gets nothing of that user's grants", (t) => {
  const grants: GrantForm[] = [
    anyone,
    { ...anyone, name: "by-user", who: { users: ["alice"] } },
    { ...anyone, name: "by-group", who: { groups: ["engineers"] } },
    { ...anyone, name: "by-device", who: { devices: ["laptop-1"] } },
  ];
  const policy = policyOf({ grants, people: { alice: ["engineers"] }, certificateGroups: ["engineers"] });
  t.true(isPermit(openSession(policy, requestOf({ user: "alice" }), 0)));
  for (const kind of ["source", "machine"] as const) {
    t.like(openSession(policy, requestOf({ kind, user: "alice", groups: ["engineers"] }), 0), {
      stage: "grant",
    });
  }
});

test("a source is no machine, and a machine no source", (t) => {
  const policy = policyOf({
    grants: [scada, { ...scada, name: "machine", who: { machines: ["press-4"] }, from: null }],
  });
  t.like(openSession(policy, requestOf({ kind: "machine", user: "scada-1" }), 0), { stage: "grant" });
  t.like(openSession(policy, requestOf({ kind: "source", user: "press-4" }), 0), { stage: "grant" });
});

test("a rule that asks for a source and anything else besides matches nobody", (t) => {
  for (const more of [{ machines: ["scada-1"] }, { users: ["scada-1"] }, { groups: ["engineers"] }]) {
    const policy = policyOf({ grants: [{ ...scada, who: { sources: ["scada-1"], ...more } }] });
    for (const kind of ["certificate", "source", "machine"] as const) {
      t.like(openSession(policy, requestOf({ kind, user: "scada-1" }), 0), { stage: "grant" }, kind);
    }
  }
});

test("a forbid that names nobody is for sources and machines too", (t) => {
  const forbids = [{ name: "closed", services: ["plc-12/modbus", "press-4/plc"], reason: "works" }];
  const policy = policyOf({ grants: [scada, toPlc12], forbids });
  t.like(openSession(policy, asScada, 0), { stage: "forbid", rule: "closed" });
  t.like(openSession(policy, asPress, 0), {
    stage: "forbid",
    reason: 'press-4 may not open plc-12/modbus: forbid "closed" (works)',
  });
});

test("a forbid of users, groups or the like is for certificates only, one of sources or machines for these", (t) => {
  for (const who of [
    { users: ["scada-1"] },
    { groups: ["engineers"] },
    { devices: ["laptop-1"] },
    { machines: ["scada-1"] },
  ]) {
    t.true(isPermit(openSession(closedTo(who), asScada, 0)), JSON.stringify(who));
  }
  const sources = closedTo({ sources: ["scada-1"] });
  t.like(openSession(sources, asScada, 0), { stage: "forbid" });
  t.true(isPermit(openSession(sources, requestOf({ user: "scada-1" }), 0)));
});

test("a machine may do at a destination what the destination says, and is told so in its own words", (t) => {
  const policy = policyOf({ grants: [toPlc12, toHistorian] });
  const session = open(policy, asPress);
  t.true(isPermit(decide(session, write(10, 1), 0)));
  t.like(decide(session, write(20, 1), 0), {
    stage: "address",
    rule: "plc-12",
    reason: "press-4 may write holding registers of plc-12 only at 10..19; 20 was asked",
    advice: 'Add holding register 20 to the writes of destination "plc-12".',
  });
  t.true(isPermit(openSession(policy, { ...asPress, machine: "historian", service: "tcp" }, 0)));
  for (const [machine, service] of [
    ["plc-12", "plc"],
    ["broker", "tcp"],
    ["plc-13", "modbus"],
  ] as const) {
    t.like(openSession(policy, { ...asPress, machine, service }, 0), { stage: "service" }, machine);
  }
  t.like(openSession(policy, { ...asPress, identity: { ...asPress.identity, user: "oven-1" } }, 0), {
    stage: "grant",
    reason: "no destination lets oven-1 open plc-12/modbus",
    advice: 'Add oven-1 to the machines of destination "plc-12".',
  });
});

test("a certificate opens no destination, whatever it is called", (t) => {
  const policy = policyOf({ grants: [toPlc12, anyone] });
  t.like(openSession(policy, requestOf({ user: "press-4" }, { machine: "plc-12", service: "modbus" }), 0), {
    stage: "grant",
  });
});

test("a source's session ends at its date, and it is told what to do", (t) => {
  const policy = policyOf({ grants: [{ ...scada, when: { until: 5 * HOUR } }] });
  const session = open(policy, asScada);
  t.is(nextChange(session, 0), 5 * HOUR);
  t.true(isPermit(judgeSession(policy, session, 5 * HOUR - 1)));
  t.like(judgeSession(policy, session, 5 * HOUR), {
    stage: "when",
    rule: "scada-1",
    advice: 'Give scada-1 a certificate, or move "until" of unsafeUnauthenticated "scada-1".',
  });
});

test("a source that comes from another address opens nothing", (t) => {
  const policy = policyOf({ grants: [scada] });
  t.like(openSession(policy, { ...asScada, source: "10.1.2.4" }, 0), { stage: "from", rule: "scada-1" });
});

test("a source that nothing is granted, and one that is granted another service", (t) => {
  t.like(openSession(policyOf({}), asScada, 0), {
    stage: "grant",
    reason: "nothing lets scada-1 open press-4/plc without a certificate",
    advice: 'Give scada-1 a certificate, or list press-4/plc under unsafeUnauthenticated "scada-1".',
  });
});

test("a machine and a destination of one name are refused as a whole", (t) => {
  const snapshot = snapshotOf({});
  const [first] = snapshot.destinations;
  const clash = { ...snapshot, destinations: first === undefined ? [] : [{ ...first, name: "press-4" }] };
  t.throws(() => compilePolicy(clash), { message: '"press-4" is the name of two machines or destinations' });
});
