import test from "ava";
import { z } from "zod";
import { BugError } from "../../../src/base/index.ts";
import {
  compilePolicy,
  decide,
  isDenial,
  isPermit,
  needsCurrent,
  RateBook,
  type OperationPermit,
  type Verdict,
} from "../../../src/policy/index.ts";
import {
  documentForm,
  open,
  operationForm,
  operationOf,
  policyOf,
  read,
  vectors,
  write,
} from "./documents.ts";

const HOUR = 3_600_000;

const cases = vectors(
  "decisions.json",
  z.strictObject({
    name: z.string(),
    site: documentForm,
    asks: z.array(
      z.strictObject({
        ask: operationForm,
        current: z.array(z.number()).optional(),
        verdict: z.string(),
        rule: z.string().nullable().optional(),
        reason: z.string().optional(),
      }),
    ),
  }),
);

for (const { name, site, asks } of cases) {
  test(name, (t) => {
    // A `when` of a rule is over in 1970; the session is opened before.
    const session = open(compilePolicy(site), undefined, -1);
    for (const { ask, current, verdict, rule, reason } of asks) {
      const got = decide(session, ask, 0, current === undefined ? {} : { current });
      const label = JSON.stringify([ask, current, got]);
      t.is(wordFor(got), verdict, label);
      if (rule !== undefined) t.is("rule" in got ? got.rule : undefined, rule, label);
      if (reason !== undefined) t.is(isDenial(got) ? got.reason : undefined, reason, label);
      if (isPermit(got)) t.is(got.operation, ask);
      if (needsCurrent(got)) t.like(ask.writes, got);
      if (isDenial(got)) t.is(got.exception, 1);
    }
  });
}

function wordFor(verdict: Exclude<Verdict, { grants: unknown }>): string {
  if (isPermit(verdict)) return "permit";
  return isDenial(verdict) ? verdict.stage : "read first";
}

test("when a rule ceases to hold, its session's operations follow, back and forth", (t) => {
  const policy = policyOf({
    grants: [{ name: "day", modbus: { functions: [3, 6] }, when: { hours: [[480, 1020]] } }],
    forbids: [{ name: "lunch", modbus: { functions: [6] }, when: { hours: [[720, 780]] } }],
  });
  const session = open(policy, undefined, 9 * HOUR);
  const stage = (hour: number): string => wordFor(decide(session, write(0, 1), hour * HOUR));
  t.deepEqual([8, 11.99, 12, 12.5, 13, 16.99, 17, 9, 12, 3].map(stage), [
    "permit",
    "permit",
    "forbid",
    "forbid",
    "permit",
    "permit",
    "when",
    "permit",
    "forbid",
    "when",
  ]);
});

test("a forbid of the whole service that begins to hold stops every operation of a live session", (t) => {
  const policy = policyOf({
    grants: [{ name: "all", modbus: { functions: [3] } }],
    forbids: [{ name: "closed", when: { from: 100 } }],
  });
  const session = open(policy, undefined, 0);
  t.true(isPermit(decide(session, read(0), 99)));
  t.like(decide(session, read(0), 100), { stage: "forbid", rule: "closed", exception: 1 });
});

const paced = {
  name: "paced",
  modbus: { functions: [6, 23] },
  rate: { operationsPerSecond: 2 },
};

test("operations a second: a burst, then a denial with exception 06, then one more for each part of a second", (t) => {
  const session = open(policyOf({ grants: [paced] }));
  let monotonic = 0;
  const rates = new RateBook(() => monotonic);
  const stage = (at: number): string => {
    monotonic = at;
    return wordFor(decide(session, write(0, 1), 0, { rates }));
  };
  t.deepEqual([0, 0, 0, 499, 500, 500, 5000, 5000, 5000].map(stage), [
    "permit",
    "permit",
    "rate",
    "rate",
    "permit",
    "rate",
    "permit",
    "permit",
    "rate",
  ]);
  t.like(decide(session, write(0, 1), 0, { rates }), {
    exception: 6,
    rule: "paced",
    reason: 'alice may do 2 operations a second of press-4 under grant "paced", and asked for more',
  });
});

test("operations a second count for all sessions of a user, and for each user alone", (t) => {
  const policy = policyOf({ grants: [paced] });
  const rates = new RateBook(() => 0);
  const [one, two] = [open(policy), open(policy)];
  t.true(isPermit(decide(one, write(0, 1), 0, { rates })));
  t.true(isPermit(decide(two, write(0, 1), 0, { rates })));
  t.like(decide(one, write(0, 1), 0, { rates }), { stage: "rate" });
});

test("a grant without a pace is used before one with", (t) => {
  const policy = policyOf({ grants: [paced, { name: "free", modbus: { functions: [6] } }] });
  const rates = new RateBook(() => 0);
  const session = open(policy);
  const rules = [1, 2, 3].map((value) => permitOf(decide(session, write(0, value), 0, { rates })).rule);
  t.deepEqual(rules, ["free", "free", "free"]);
});

test("when one paced grant is spent, the next is charged", (t) => {
  const policy = policyOf({
    grants: [
      { ...paced, name: "first" },
      { ...paced, name: "second" },
    ],
  });
  const rates = new RateBook(() => 0);
  const session = open(policy);
  const rules = [1, 2, 3, 4].map((value) => permitOf(decide(session, write(0, value), 0, { rates })).rule);
  t.deepEqual(rules, ["first", "first", "second", "second"]);
  t.like(decide(session, write(0, 5), 0, { rates }), { stage: "rate" });
});

test("function 23 under one paced grant is charged once, and a denied operation is not charged", (t) => {
  const policy = policyOf({
    grants: [
      {
        ...paced,
        modbus: {
          functions: [6, 23],
          reads: { holdingRegisters: [[0, 9]] },
          writes: { holdingRegisters: [[0, 9, 0, 99]] },
        },
      },
    ],
  });
  const rates = new RateBook(() => 0);
  const session = open(policy);
  const both = operationOf({
    code: 23,
    reads: ["holdingRegisters", 0, 1],
    writes: ["holdingRegisters", 0, [1]],
  });
  for (let i = 0; i < 5; i++) t.like(decide(session, write(0, 100), 0, { rates }), { stage: "value" });
  t.true(isPermit(decide(session, both, 0, { rates })));
  t.true(isPermit(decide(session, both, 0, { rates })));
  t.like(decide(session, both, 0, { rates }), { stage: "rate" });
});

test("a machine is not read for an operation whose pace is spent", (t) => {
  const policy = policyOf({
    grants: [{ ...paced, modbus: { functions: [6], writes: { holdingRegisters: [[0, 9, 0, 99, 5]] } } }],
  });
  const rates = new RateBook(() => 0);
  const session = open(policy);
  t.true(needsCurrent(decide(session, write(0, 1), 0, { rates })));
  t.true(isPermit(decide(session, write(0, 1), 0, { rates, current: [1] })));
  t.true(isPermit(decide(session, write(0, 1), 0, { rates, current: [1] })));
  t.like(decide(session, write(0, 1), 0, { rates }), { stage: "rate" });
});

test("a paced grant gives nothing where no rate book is kept", (t) => {
  t.like(decide(open(policyOf({ grants: [paced] })), write(0, 1), 0), { stage: "rate" });
});

test("current values that are not one for each address are niac's own error", (t) => {
  const session = open(
    policyOf({
      grants: [
        { name: "step", modbus: { functions: [6], writes: { holdingRegisters: [[0, 9, 0, 99, 5]] } } },
      ],
    }),
  );
  t.throws(() => decide(session, write(0, 1), 0, { current: [] }), { instanceOf: BugError, code: "current" });
  t.throws(() => decide(session, write(0, 1), Number.NaN), { instanceOf: BugError, code: "time" });
});

test("trying every function on every unit neither gives access nor spoils what is permitted", (t) => {
  const session = open(
    policyOf({ grants: [{ name: "one", modbus: { units: [[7, 7]], functions: [[8, 1], 3] } }] }),
  );
  let permits = 0;
  for (let unit = 0; unit < 256; unit++) {
    for (let sub = 0; sub < 20; sub++) {
      if (isPermit(decide(session, operationOf({ code: 8, unit, sub }), 0))) permits++;
    }
  }
  t.is(permits, 1);
  t.true(isPermit(decide(session, read(0, 1, 7), 0)));
});

function permitOf(verdict: Exclude<Verdict, { grants: unknown }>): OperationPermit {
  if (!isPermit(verdict)) throw new Error(JSON.stringify(verdict));
  return verdict;
}
