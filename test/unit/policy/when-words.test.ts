import test from "ava";
import { decide, isDenial, openSession, type Denial } from "../../../src/policy/index.ts";
import { type ForbidForm, type GrantForm, open, policyOf, requestOf, write } from "./documents.ts";

const DAY = 86_400_000;
const MONDAY = 4 * DAY;
const reads: GrantForm = { name: "reads", modbus: { functions: [3] } };

function denied(when: NonNullable<GrantForm["when"]>, keySwitch: boolean | null, now = MONDAY): Denial {
  const policy = policyOf({ grants: [reads, { name: "writes", modbus: { functions: [6] }, when }] });
  const verdict = decide(open(policy, requestOf({}, { panel: () => ({ keySwitch }) })), write(10, 1), now);
  if (!isDenial(verdict)) throw new Error("it was not denied");
  return verdict;
}

function barred(forbid: ForbidForm, keySwitch: boolean | null): Denial {
  const policy = policyOf({ grants: [{ name: "all", modbus: { functions: [6] } }], forbids: [forbid] });
  const session = openSession(policy, requestOf({}, { panel: () => ({ keySwitch }) }), 0);
  const verdict = isDenial(session) ? session : decide(session, write(10, 1), 0);
  if (!isDenial(verdict)) throw new Error("it was not denied");
  return verdict;
}

test("a key that is off: what would allow it is to turn it", (t) => {
  t.deepEqual(denied({ keySwitch: "on" }, false), {
    stage: "when",
    rule: "writes",
    reason:
      "alice may write holding register 10 of press-4 only while the key switch at press-4's box is on; the switch is off",
    advice: `Have the key switch at press-4's box turned on, or widen "when" of grant "writes".`,
    exception: 1,
  });
});

test("the other way round, and where nobody knows", (t) => {
  t.like(denied({ keySwitch: "off" }, true), {
    reason:
      "alice may write holding register 10 of press-4 only while the key switch at press-4's box is off; the switch is on",
    advice: `Have the key switch at press-4's box turned off, or widen "when" of grant "writes".`,
  });
  t.like(denied({ keySwitch: "on" }, null), {
    reason:
      "alice may write holding register 10 of press-4 only while the key switch at press-4's box is on; it is not known where the switch stands",
    advice: `Have the key switch at press-4's box looked at, or widen "when" of grant "writes".`,
  });
});

test("of hours and key, what is said to be wrong is what is wrong", (t) => {
  const when = { keySwitch: "on", days: [0], hours: [[480, 1020]] } as const;
  const given = { ...when, days: [...when.days], hours: [[480, 1020] as [number, number]] };
  const only =
    "alice may write holding register 10 of press-4 only Mon 08:00..17:00 (UTC) and while the key switch at press-4's box is on";
  const noon = MONDAY + DAY / 2;
  t.like(denied(given, false, noon), {
    reason: `${only}; the switch is off`,
    advice: `Have the key switch at press-4's box turned on, or widen "when" of grant "writes".`,
  });
  t.like(denied(given, true), {
    reason: `${only}; it is 1970-01-05T00:00:00.000Z`,
    advice: 'Come back in that time, or widen "when" of grant "writes".',
  });
  t.like(denied(given, false), {
    reason: `${only}; it is 1970-01-05T00:00:00.000Z and the switch is off`,
    advice: `Come back in that time and have the key switch at press-4's box turned on, or widen "when" of grant "writes".`,
  });
});

test("a session that does not open is told the same", (t) => {
  const policy = policyOf({ grants: [{ ...reads, when: { keySwitch: "on" } }] });
  t.like(openSession(policy, requestOf({}, { panel: () => ({ keySwitch: false }) }), 0), {
    stage: "when",
    rule: "reads",
    reason: "alice may open press-4/plc only while the key switch at press-4's box is on; the switch is off",
    advice: `Have the key switch at press-4's box turned on, or widen "when" of grant "reads".`,
  });
});

test("a forbid by the key says that turning it allows it too", (t) => {
  const forbid: ForbidForm = { name: "local", reason: "works", modbus: {}, when: { keySwitch: "off" } };
  t.like(barred(forbid, false), {
    stage: "forbid",
    reason:
      'alice may not write holding register 10 of press-4: forbid "local" (works) holds unless the key switch at the box is on, and the switch is off',
    advice:
      'A forbid beats every grant: only turning the key switch at the box on, or changing forbid "local" in the site document allows it.',
  });
  t.like(barred({ ...forbid, when: { keySwitch: "on" } }, null), {
    reason:
      'alice may not write holding register 10 of press-4: forbid "local" (works) holds unless the key switch at the box is off, and it is not known where the switch stands',
  });
  t.like(barred({ ...forbid, modbus: null }, false), {
    reason:
      'alice may not open press-4/plc: forbid "local" (works) holds unless the key switch at the box is on, and the switch is off',
  });
  t.like(barred({ ...forbid, when: null }, false), {
    advice: 'A forbid beats every grant: only changing forbid "local" in the site document allows it.',
  });
});
