import test from "ava";
import * as fc from "fast-check";
import type { Identity } from "../../../src/identity/identity.ts";
import {
  isPermit,
  judgeSession,
  lockOn,
  Locks,
  nextChange,
  openSession,
  unknownStanding,
  type Lock,
  type Standing,
} from "../../../src/policy/index.ts";
import { identityOf, open, policyOf, requestOf } from "./documents.ts";

const FINGERPRINT = "ab".repeat(32);
const ALICE: Identity = {
  ...identityOf({ user: "alice", device: "laptop-1", tier: "byod", tenant: "acme" }),
  serialNumber: "00c0ffee",
  fingerprint: FINGERPRINT,
};

function lock(kind: Lock["kind"], value: string): Lock {
  return { id: "7", kind, value, reason: "stolen" };
}

function locked(kind: Lock["kind"], value: string): () => Locks {
  return () => new Locks([lock(kind, value)]);
}

function metUntil(until: number): () => Standing {
  return () => ({ until, lack: "" });
}

interface Asked {
  readonly identity?: Identity;
  readonly groups?: readonly string[];
  readonly machine?: string;
  readonly posture?: (name: string) => Standing;
}

function covered(kind: Lock["kind"], value: string, asked: Asked = {}): boolean {
  const { identity = ALICE, groups = ["engineers"], machine = "press-4", posture = unknownStanding } = asked;
  return lockOn(new Locks([lock(kind, value)]), { identity, groups, machine, posture }, 0) !== null;
}

test("a lock covers what it names and nothing else, in every kind", (t) => {
  const named = [
    ["certificate", FINGERPRINT],
    ["certificate", "c0ffee"],
    ["certificate", "00c0ffee"],
    ["certificate", "0000c0ffee"],
    ["user", "alice"],
    ["device", "laptop-1"],
    ["group", "engineers"],
    ["machine", "press-4"],
    ["tenant", "acme"],
    ["tier", "byod"],
  ] as const;
  for (const [kind, value] of named) t.true(covered(kind, value), `${kind} ${value}`);
  for (const [kind, value] of named) {
    for (const other of [`${value}x`, `x${value}`, value.toUpperCase(), ""])
      if (other !== value) t.false(covered(kind, other), `${kind} ${other}`);
  }
});

test("a lock of one kind is none of another, whatever its value", (t) => {
  const kinds = ["certificate", "user", "device", "group", "machine", "tenant", "tier", "source"] as const;
  const values = {
    user: "alice",
    device: "laptop-1",
    tenant: "acme",
    tier: "byod",
    group: "engineers",
  } as const;
  for (const [own, value] of Object.entries(values))
    for (const kind of kinds) t.is(covered(kind, value), kind === own, `${kind} ${value}`);
});

test("clients without a certificate are named by kinds of their own, and never meet a posture or a user", (t) => {
  const source = identityOf({ kind: "source", user: "hmi-1", device: null });
  const machine = identityOf({ kind: "machine", user: "hmi-1", device: null });
  t.true(covered("source", "hmi-1", { identity: source, groups: [] }));
  t.false(covered("source", "hmi-1", { identity: machine, groups: [] }));
  t.true(covered("machine", "hmi-1", { identity: machine, machine: "historian", groups: [] }));
  t.false(covered("machine", "hmi-1", { identity: source, groups: [] }));
  t.true(covered("machine", "press-4", { identity: source, groups: [] }));
  for (const identity of [source, machine])
    for (const kind of ["user", "posture", "certificate", "device", "tier"] as const)
      t.false(covered(kind, "hmi-1", { identity, groups: [] }), `${identity.kind} ${kind}`);
});

test("a certificate that says nothing of device, tier or tenant is covered by no lock on an empty one", (t) => {
  const bare: Identity = { ...identityOf({ device: null }), serialNumber: "", fingerprint: "" };
  for (const kind of ["device", "tier", "tenant", "certificate"] as const)
    t.false(covered(kind, "", { identity: bare }));
});

test("a posture locked covers whoever does not meet it, from the millisecond on", (t) => {
  const posture = metUntil(1_000);
  const locks = new Locks([lock("posture", "healthy")]);
  const subject = { identity: ALICE, groups: [], machine: "press-4", posture };
  t.is(lockOn(locks, subject, 999), null);
  t.like(lockOn(locks, subject, 1_000), { kind: "posture" });
  t.true(covered("posture", "healthy"), "nor does who has no report");
});

const grants = [{ name: "everything", modbus: { functions: [3, 6] } }];

test("a lock beats every grant and every other reason, and says who, why and how it ends", (t) => {
  const locks = locked("group", "engineers");
  const policy = policyOf({ grants, forbids: [{ name: "nobody" }] });
  for (const request of [requestOf({}, { locks }), requestOf({}, { locks, service: "none" })]) {
    t.deepEqual(openSession(policy, request, 0), {
      stage: "lock",
      rule: null,
      reason: "alice may not use press-4: group engineers is locked (lock 7): stolen",
      advice: "Ask the plant admin; `niac unlock 7` at the appliance ends the lock.",
      exception: 1,
    });
  }
});

test("a group only the certificate claims is no group for a lock, one that the site takes is", (t) => {
  const locks = locked("group", "claimed");
  const request = requestOf({ groups: ["claimed"] }, { locks });
  t.true(isPermit(openSession(policyOf({ grants }), request, 0)));
  t.like(openSession(policyOf({ grants, certificateGroups: ["claimed"] }), request, 0), { stage: "lock" });
});

test("live sessions are judged by the locks of now, and come back when they are gone", (t) => {
  let locks = new Locks([]);
  const policy = policyOf({ grants });
  const session = open(policy, requestOf({}, { locks: () => locks }));
  locks = new Locks([lock("machine", "press-4")]);
  t.like(judgeSession(policy, session, 0), { stage: "lock" });
  locks = new Locks([lock("machine", "oven-1")]);
  t.true(isPermit(judgeSession(policy, session, 0)));
});

test("a report that will be stale under a posture lock is a change, though no grant asks for it", (t) => {
  const locks = new Locks([lock("posture", "healthy")]);
  const posture = metUntil(5_000);
  const policy = policyOf({ grants });
  const session = open(policy, requestOf({}, { locks: () => locks, posture }));
  t.is(nextChange(session, 0), 5_000);
  t.like(judgeSession(policy, session, 5_000), { stage: "lock" });
});

test("among many locks exactly the ones that name somebody are found", (t) => {
  const users = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 30 });
  fc.assert(
    fc.property(users, fc.string({ minLength: 1, maxLength: 8 }), (names, user) => {
      const locks = new Locks(names.map((value, id) => ({ ...lock("user", value), id: `${id}` })));
      const identity = { ...ALICE, user };
      const found = lockOn(locks, { identity, groups: [], machine: "press-4", posture: unknownStanding }, 0);
      t.is(found?.value ?? null, names.includes(user) ? user : null);
    }),
  );
});
