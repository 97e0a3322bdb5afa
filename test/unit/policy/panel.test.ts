import test from "ava";
import * as fc from "fast-check";
import {
  decide,
  isDenial,
  isPermit,
  judgeSession,
  nextChange,
  openSession,
  type Panel,
} from "../../../src/policy/index.ts";
import { keyHolds } from "../../../src/policy/panel.ts";
import { type ForbidForm, type GrantForm, open, policyOf, read, requestOf, write } from "./documents.ts";

const ON: Panel = { keySwitch: true };
const OFF: Panel = { keySwitch: false };
const UNKNOWN: Panel = { keySwitch: null };
const HOUR = 3_600_000;

const reading: GrantForm = { name: "reads", modbus: { functions: [3] } };
const keyed: GrantForm = { name: "writes", modbus: { functions: [6] }, when: { keySwitch: "on" } };

/** A panel that a test turns while the session lives. */
function turning(from: Panel) {
  let panel = from;
  const request = requestOf({}, { panel: () => panel });
  return { request, turn: (to: Panel) => (panel = to) };
}

function outcome(verdict: ReturnType<typeof decide> | ReturnType<typeof openSession>): string {
  if (isPermit(verdict)) return "permit";
  return isDenial(verdict) ? verdict.stage : "read first";
}

test("on and off hold where the key stands so; where it is not known no grant holds, and every forbid", (t) => {
  const when = { days: null, hours: null, from: null, until: null } as const;
  const holding = (["on", "off", null] as const).map((keySwitch) =>
    (["grant", "forbid"] as const).map((effect) =>
      [ON, OFF, UNKNOWN].map((panel) => keyHolds({ ...when, keySwitch }, effect, panel)),
    ),
  );
  t.deepEqual(holding, [
    [
      [true, false, false],
      [true, false, true],
    ],
    [
      [false, true, false],
      [false, true, true],
    ],
    [
      [true, true, true],
      [true, true, true],
    ],
  ]);
  t.true(keyHolds(null, "grant", UNKNOWN));
});

test("a turned key counts for the very next operation, without the session being judged again", (t) => {
  const { request, turn } = turning(OFF);
  const session = open(policyOf({ grants: [reading, keyed] }), request);
  const asked = [OFF, ON, ON, OFF, UNKNOWN, ON, UNKNOWN].map((panel) => {
    turn(panel);
    return [outcome(decide(session, write(0, 1), 5)), outcome(decide(session, read(0), 5))];
  });
  t.deepEqual(asked, [
    ["when", "permit"],
    ["permit", "permit"],
    ["permit", "permit"],
    ["when", "permit"],
    ["when", "permit"],
    ["permit", "permit"],
    ["when", "permit"],
  ]);
});

test("a session that the key alone opened ends when it is judged again, and comes back with the key", (t) => {
  const { request, turn } = turning(ON);
  const policy = policyOf({ grants: [keyed] });
  const session = open(policy, request);
  t.deepEqual(session.grants, ["writes"]);
  t.is(nextChange(session, 0), Infinity, "no time changes it");
  for (const panel of [OFF, UNKNOWN]) {
    turn(panel);
    t.like(judgeSession(policy, session, 0), { stage: "when", rule: "writes", exception: 1 });
    t.like(openSession(policy, request, 0), { stage: "when" });
  }
  turn(ON);
  t.true(isPermit(judgeSession(policy, session, 0)));
});

test("a grant with sessions at once gives its place back while the key is off", (t) => {
  const counted: GrantForm = { ...keyed, rate: { connections: 1 } };
  const policy = policyOf({ grants: [reading, counted] });
  let others = 0;
  let panel = ON;
  const request = requestOf({}, { panel: () => panel, connections: () => others });
  const session = open(policy, request);
  t.deepEqual(session.grants, ["reads", "writes"]);
  panel = OFF;
  const without = judgeSession(policy, session, 0);
  if (!isPermit(without)) throw new Error(without.reason);
  t.deepEqual(without.grants, ["reads"]);
  others = 1;
  panel = ON;
  const late = judgeSession(policy, without, 0);
  if (!isPermit(late)) throw new Error(late.reason);
  t.is(outcome(decide(late, write(0, 1), 0)), "connections", "somebody else has it by now");
});

test("key and hours must both hold", (t) => {
  const { request, turn } = turning(ON);
  const day: GrantForm = { ...keyed, when: { keySwitch: "on", hours: [[480, 1020]] } };
  const session = open(policyOf({ grants: [reading, day] }), request);
  const asked = [ON, OFF, UNKNOWN].map((panel) => {
    turn(panel);
    return [7, 12, 18].map((hour) => outcome(decide(session, write(0, 1), hour * HOUR)));
  });
  t.deepEqual(asked, [
    ["when", "permit", "when"],
    ["when", "when", "when"],
    ["when", "when", "when"],
  ]);
});

test("a forbid for a key that is off, and one for a key that is on, bar all while nobody knows", (t) => {
  const grants: GrantForm[] = [{ name: "all", modbus: { functions: [3, 6] } }];
  const barred = (forbid: ForbidForm) =>
    [ON, OFF, UNKNOWN].map((panel) => {
      const { request, turn } = turning(ON);
      const session = openSession(policyOf({ grants, forbids: [forbid] }), request, 0);
      turn(panel);
      return isPermit(session) ? outcome(decide(session, write(0, 1), 0)) : "no session";
    });
  const unless: ForbidForm = { name: "f", modbus: { functions: [6] }, when: { keySwitch: "off" } };
  t.deepEqual(barred(unless), ["permit", "forbid", "forbid"]);
  t.deepEqual(barred({ ...unless, when: { keySwitch: "on" } }), ["forbid", "permit", "forbid"]);
  // Times stand beside the key: at another time nothing is barred, whatever is known.
  t.deepEqual(barred({ ...unless, when: { keySwitch: "off", from: 1 } }), ["permit", "permit", "permit"]);
});

test("a forbid of the service by the key refuses the session and ends it", (t) => {
  const { request, turn } = turning(ON);
  const policy = policyOf({
    grants: [reading],
    forbids: [{ name: "closed", when: { keySwitch: "off" } }],
  });
  const session = open(policy, request);
  turn(UNKNOWN);
  t.like(judgeSession(policy, session, 0), { stage: "forbid", rule: "closed" });
  t.is(outcome(decide(session, read(0), 0)), "forbid");
  turn(OFF);
  t.like(openSession(policy, request, 0), { stage: "forbid", rule: "closed" });
});

const positions = fc.constantFrom("on", "off", null);
const panels = fc.constantFrom(ON, OFF, UNKNOWN);

test("what is permitted while nobody knows of the key is permitted wherever it stands", (t) => {
  let permitted = 0;
  fc.assert(
    fc.property(
      fc.array(positions, { maxLength: 3 }),
      fc.array(positions, { maxLength: 2 }),
      (ours, theirs) => {
        const policy = policyOf({
          grants: [
            reading,
            ...ours.map((keySwitch, i) => ({ ...keyed, name: `g${i}`, when: { keySwitch } })),
          ],
          forbids: theirs.map((keySwitch, i) => ({
            name: `f${i}`,
            modbus: { functions: [6] },
            when: { keySwitch },
          })),
        });
        const { request, turn } = turning(UNKNOWN);
        const session = open(policy, request);
        const asked = [UNKNOWN, ON, OFF].map((panel) => {
          turn(panel);
          return outcome(decide(session, write(0, 1), 0)) === "permit";
        });
        if (asked[0] === true) permitted++;
        return asked[0] !== true || (asked[1] === true && asked[2] === true);
      },
    ),
    { numRuns: 300, seed: 1 },
  );
  t.true(permitted > 10);
});

test("whatever the key did before, a session decides as one that was opened just now", (t) => {
  const grants: GrantForm[] = [
    reading,
    keyed,
    {
      ...keyed,
      name: "off",
      modbus: { functions: [6], writes: { holdingRegisters: [[5, 5]] } },
      when: { keySwitch: "off" },
    },
  ];
  const forbids: ForbidForm[] = [
    {
      name: "f",
      modbus: { functions: [6], writes: { holdingRegisters: [[7, 7]] } },
      when: { keySwitch: "on" },
    },
  ];
  const policy = policyOf({ grants, forbids });
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(panels, fc.constantFrom(0, 5, 7), fc.nat(3)), { minLength: 1 }),
      (steps) => {
        const { request, turn } = turning(UNKNOWN);
        const session = open(policy, request);
        return steps.every(([panel, address, now]) => {
          turn(panel);
          const kept = outcome(decide(session, write(address, 1), now));
          seen.add(kept);
          return (
            kept ===
            outcome(decide(open(policy, requestOf({}, { panel: () => panel })), write(address, 1), now))
          );
        });
      },
    ),
    { numRuns: 200, seed: 1 },
  );
  t.deepEqual([...seen].toSorted(), ["forbid", "permit", "when"]);
});
