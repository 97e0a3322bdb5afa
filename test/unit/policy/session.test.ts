import test from "ava";
import {
  decide,
  isDenial,
  isPermit,
  judgeSession,
  nextChange,
  openSession,
  type Denial,
  type SessionPermit,
} from "../../../src/policy/index.ts";
import { type GrantForm, open, policyOf, read, requestOf, write } from "./documents.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const reading = { modbus: { functions: [3] } };
const anyone: GrantForm = { name: "anyone", ...reading };
const one: GrantForm = { name: "one", ...reading, rate: { connections: 1 } };
const two: GrantForm = { ...one, name: "two" };

function denied(verdict: SessionPermit | Denial): Denial {
  if (!isDenial(verdict)) throw new Error(`opened under ${verdict.grants.join()}`);
  return verdict;
}

test("an empty policy denies", (t) => {
  t.deepEqual(openSession(policyOf({}), requestOf(), 0), {
    stage: "grant",
    rule: null,
    reason: "no grant lets alice open press-4/plc (group engineers, no role)",
    advice: "Add a grant for alice, or put alice into a group that has one.",
    exception: 1,
  });
});

test("a machine or service the site does not list is denied at stage service", (t) => {
  const policy = policyOf({ grants: [{ ...anyone, services: ["press-4/plc", "ghost/plc"] }] });
  const ask = (machine: string, service: string) =>
    denied(openSession(policy, requestOf({}, { machine, service }), 0));
  t.like(ask("ghost", "plc"), { stage: "service", rule: null });
  t.like(ask("__proto__", "plc"), { stage: "service" });
  t.is(ask("press-4", "web").reason, 'press-4 has no service "web"; it has panel, plc');
  t.like(ask("press-4", ""), { stage: "service" });
  t.like(ask("", "press-4/plc"), { stage: "service" });
});

test("every field of who must match, and a certificate that is silent matches none", (t) => {
  const who = {
    users: ["alice", "bob"],
    groups: ["engineers"],
    devices: ["laptop-1"],
    roles: ["Engineer"],
    tiers: ["gold"],
    tenants: ["plant"],
  };
  const policy = policyOf({ people: { alice: ["engineers"], bob: [] }, grants: [{ ...anyone, who }] });
  const full = { role: "Engineer", tier: "gold", tenant: "plant" };
  t.true(isPermit(openSession(policy, requestOf(full), 0)));
  for (const other of [
    { user: "bob" },
    { user: "carol" },
    { device: "laptop-2" },
    { device: null },
    { role: "engineer" },
    { role: null },
    { tier: null },
    { tenant: "vendor" },
    { tenant: null },
  ]) {
    t.like(
      openSession(policy, requestOf({ ...full, ...other }), 0),
      { stage: "grant" },
      JSON.stringify(other),
    );
  }
});

test("a grant for nobody is for nobody", (t) => {
  const policy = policyOf({ grants: [{ ...anyone, who: { users: [] } }] });
  t.like(openSession(policy, requestOf(), 0), { stage: "grant" });
});

test("users called after what every object has are in no group", (t) => {
  const policy = policyOf({ people: {}, grants: [{ ...anyone, who: { groups: ["engineers"] } }] });
  for (const user of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    t.like(openSession(policy, requestOf({ user }), 0), { stage: "grant" });
  }
});

test("a group claimed by a certificate counts only where the site takes it from certificates", (t) => {
  const grants = [{ ...anyone, who: { groups: ["vendors"] } }];
  const claim = requestOf({ user: "bob", groups: ["vendors"] });
  t.true(isPermit(openSession(policyOf({ certificateGroups: ["vendors"], grants }), claim, 0)));
  t.deepEqual(openSession(policyOf({ certificateGroups: ["engineers"], grants }), claim, 0), {
    stage: "grant",
    rule: "anyone",
    reason:
      'no grant lets bob open press-4/plc: grant "anyone" is for group vendors, and the site does not put bob there',
    advice:
      "The certificate claims group vendors, but this site does not take it from certificates: add vendors to certificateGroups, or put bob into it under people.",
    exception: 1,
  });
});

test("a TCP service is opened by a grant without a Modbus scope, a Modbus service by one with", (t) => {
  const services = ["press-4/panel", "press-4/plc"];
  const panel = requestOf({}, { service: "panel" });
  const scoped = policyOf({ grants: [{ ...anyone, services }] });
  const whole = policyOf({ grants: [{ name: "whole", services }] });
  t.true(isPermit(openSession(scoped, requestOf(), 0)));
  t.like(openSession(scoped, panel, 0), { stage: "grant" });
  t.like(openSession(whole, requestOf(), 0), { stage: "grant" });
  const session = open(whole, panel);
  t.deepEqual(
    [session.user, session.machine, session.service, session.grants],
    ["alice", "press-4", "panel", ["whole"]],
  );
  t.like(decide(session, read(0), 0), { stage: "service" });
});

test("a forbid of the service refuses the session, a narrower one does not", (t) => {
  const whole = policyOf({ grants: [anyone], forbids: [{ name: "closed", reason: "works" }] });
  t.like(openSession(whole, requestOf(), 0), {
    stage: "forbid",
    rule: "closed",
    reason: 'alice may not open press-4/plc: forbid "closed" (works)',
  });
  const scoped = policyOf({ grants: [anyone], forbids: [{ name: "narrow", modbus: {} }] });
  t.like(decide(open(scoped), read(0), 0), { stage: "forbid", rule: "narrow" });
  const others = policyOf({ grants: [anyone], forbids: [{ name: "closed", services: ["oven-1/plc"] }] });
  t.true(isPermit(openSession(others, requestOf(), 0)));
});

test("a source that cannot be read is in no network of a grant and in every network of a forbid", (t) => {
  const granted = policyOf({ grants: [{ ...anyone, from: ["10.0.0.0/8"] }] });
  t.true(isPermit(openSession(granted, requestOf(), 0)));
  for (const source of ["11.1.2.3", "", "somewhere", "10.1.2"]) {
    t.like(openSession(granted, requestOf({}, { source }), 0), { stage: "from", rule: "anyone" });
  }
  const forbidden = policyOf({ grants: [anyone], forbids: [{ name: "guests", from: ["192.168.0.0/16"] }] });
  t.true(isPermit(openSession(forbidden, requestOf(), 0)));
  t.like(openSession(forbidden, requestOf({}, { source: "192.168.1.1" }), 0), { stage: "forbid" });
  t.like(openSession(forbidden, requestOf({}, { source: "" }), 0), { stage: "forbid" });
});

test("outside its hours a grant opens nothing, and the denial says when it will", (t) => {
  const policy = policyOf({
    timeZone: "Europe/Berlin",
    grants: [{ ...anyone, when: { days: [0, 1], hours: [[480, 1020]] } }],
  });
  const monday = Date.UTC(2026, 5, 15);
  t.true(isPermit(openSession(policy, requestOf(), monday + 6 * HOUR)));
  t.like(openSession(policy, requestOf(), monday + 5 * HOUR), {
    stage: "when",
    reason:
      "alice may open press-4/plc only Mon, Tue 08:00..17:00 (Europe/Berlin); it is 2026-06-15T05:00:00.000Z",
  });
});

test("a grant whose sessions are used up does not open, others still do", (t) => {
  const limited: GrantForm = { name: "one", modbus: { functions: [3, 6] }, rate: { connections: 1 } };
  const asked: [string, string][] = [];
  const busy = requestOf({}, { connections: (...ask) => asked.push(ask) });
  t.like(openSession(policyOf({ grants: [limited] }), busy, 0), {
    stage: "connections",
    rule: "one",
    reason: 'alice has all sessions open to press-4/plc that grant "one" gives at once: 1',
  });
  t.deepEqual(asked, [["one", "alice"]]);
  const session = open(policyOf({ grants: [limited, anyone] }), busy);
  t.deepEqual(session.grants, ["anyone"]);
  t.true(isPermit(decide(session, read(0), 0)));
  t.like(decide(session, write(0, 1), 0), { stage: "connections", rule: "one" });
  t.deepEqual(open(policyOf({ grants: [limited, anyone] })).grants, ["one", "anyone"]);
});

test("a changed snapshot judges a live session again", (t) => {
  const before = open(policyOf({ grants: [anyone] }));
  t.like(judgeSession(policyOf({}), before, 0), { stage: "grant" });
  t.like(judgeSession(policyOf({ grants: [anyone], forbids: [{ name: "closed" }] }), before, 0), {
    stage: "forbid",
  });
  const after = judgeSession(
    policyOf({ grants: [{ name: "other", modbus: { functions: [6] } }] }),
    before,
    0,
  );
  if (!isPermit(after)) throw new Error(after.reason);
  t.deepEqual(after.grants, ["other"]);
  t.true(isPermit(decide(after, write(0, 1), 0)));
  t.like(decide(after, read(0), 0), { stage: "function" });
});

test("a live session keeps a grant it was counted under, and takes a counted one only where there is room", (t) => {
  let others = 0;
  const request = requestOf({}, { connections: () => others });
  const session = open(policyOf({ grants: [one] }), request);
  others = 1;
  const again = judgeSession(policyOf({ grants: [one, two] }), session, 0);
  t.true(isPermit(again) && again.grants.join() === "one");
  others = 0;
  const later = judgeSession(policyOf({ grants: [one, two] }), session, 0);
  t.true(isPermit(later) && later.grants.join() === "one,two");
});

test("a counted grant that begins to hold waits until the session is judged again", (t) => {
  const day: GrantForm = {
    name: "day",
    modbus: { functions: [6] },
    when: { from: 100 },
    rate: { connections: 5 },
  };
  const policy = policyOf({ grants: [anyone, day] });
  const session = open(policy);
  t.is(nextChange(session, 0), 100);
  t.like(decide(session, write(0, 1), 100), { stage: "connections" });
  const judged = judgeSession(policy, session, 100);
  t.true(isPermit(judged) && isPermit(decide(judged, write(0, 1), 100)));
});

test("time ends a session when it is judged again, and nextChange says when that is", (t) => {
  const policy = policyOf({
    grants: [{ ...anyone, when: { hours: [[480, 1020]], until: 3 * DAY } }],
    forbids: [{ name: "lunch", modbus: {}, when: { hours: [[720, 780]], until: 2 * DAY } }],
  });
  const session = open(policy, undefined, 9 * HOUR);
  const changes: number[] = [];
  for (let now = 9 * HOUR; now !== Infinity && changes.length < 20;) {
    now = nextChange(session, now);
    changes.push(now === Infinity ? now : now / HOUR);
  }
  t.deepEqual(changes, [12, 13, 17, 24, 32, 36, 37, 41, 48, 56, 65, 72, Infinity]);
  t.is(nextChange(session, 16 * HOUR), 17 * HOUR);
  t.true(isPermit(judgeSession(policy, session, 17 * HOUR - 1)));
  t.like(judgeSession(policy, session, 17 * HOUR), { stage: "when" });
});

test("a session without conditions of time never changes by itself", (t) => {
  t.is(nextChange(open(policyOf({ grants: [anyone] })), 0), Infinity);
});
