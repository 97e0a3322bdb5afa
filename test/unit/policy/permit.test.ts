import test from "ava";
import { BugError } from "../../../src/base/index.ts";
import * as policy from "../../../src/policy/index.ts";
import type { OperationPermit, SessionPermit } from "../../../src/policy/index.ts";
import { open, policyOf, write } from "./documents.ts";

/** tsc fails here as soon as anything but policy's own class has the type, a copy of all its fields included. */
type Forged<T> = { [K in keyof T]: T[K] } extends T ? true : false;
const operationForged: Forged<OperationPermit> = false;
const sessionForged: Forged<SessionPermit> = false;

const grants = [{ name: "write", modbus: { functions: [6] } }];

test("permits are exported as types only", (t) => {
  t.false(operationForged || sessionForged);
  t.deepEqual(Object.keys(policy).toSorted(), [
    "Locks",
    "RateBook",
    "compilePolicy",
    "decide",
    "isDenial",
    "isPermit",
    "judgeSession",
    "lockOn",
    "needsCurrent",
    "nextChange",
    "openSession",
    "reportedDevice",
    "standingOf",
    "unknownStanding",
  ]);
});

test("a permit's constructor, taken from a permit, makes none", (t) => {
  const session = open(policyOf({ grants }));
  const permit = policy.decide(session, write(0, 1), 0);
  for (const real of [session, permit]) {
    t.true(policy.isPermit(real));
    for (const key of [undefined, Symbol("policy"), Symbol.for("policy"), real]) {
      t.throws(() => Reflect.construct(real.constructor, [key, write(0, 2), {}, "write"]), {
        instanceOf: BugError,
        code: "forged-permit",
      });
    }
  }
});

test("what only looks like a permit is none", (t) => {
  const session = open(policyOf({ grants }));
  const permit = policy.decide(session, write(0, 1), 0);
  for (const forged of [
    Object.create(Object.getPrototypeOf(permit)),
    Object.create(permit),
    { operation: write(0, 1), machine: "press-4", service: "plc", rule: "write" },
    structuredClone(permit),
    new Proxy(permit, {}),
    null,
    "permit",
  ]) {
    t.false(policy.isPermit(forged));
  }
  t.throws(() => policy.decide(Object.create(session), write(0, 1), 0), { instanceOf: TypeError });
});

test("a permit is for the operation it was made for, and cannot be given another", (t) => {
  const operation = write(0, 1);
  const permit = policy.decide(open(policyOf({ grants })), operation, 0);
  if (!policy.isPermit(permit)) throw new Error("no permit");
  t.is(permit.operation, operation);
  t.deepEqual([permit.rule, permit.machine, permit.service], ["write", "press-4", "plc"]);
  t.throws(() => Object.assign(permit, { operation: write(0, 2) }), { instanceOf: TypeError });
  t.is(permit.operation, operation);
});
