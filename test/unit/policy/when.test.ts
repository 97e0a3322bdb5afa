import test from "ava";
import { UsageError } from "../../../src/base/index.ts";
import { compilePolicy } from "../../../src/policy/index.ts";
import { TimeCondition, Zone, type Times } from "../../../src/policy/when.ts";
import { Dice, drawTime } from "./generator.ts";
import { snapshotOf } from "./documents.ts";

const ALWAYS: Times = { days: null, hours: null, from: null, until: null };
const HOUR = 3_600_000;

function condition(when: Partial<Times>, zone = "Europe/Berlin"): TimeCondition {
  return new TimeCondition({ ...ALWAYS, ...when }, new Zone(zone));
}

test("from is inclusive, until exclusive", (t) => {
  const rule = condition({ from: 1000, until: 2000 });
  t.deepEqual(
    [999, 1000, 1999, 2000].map((now) => rule.holds(now)),
    [false, true, true, false],
  );
  t.deepEqual(
    [0, 1000, 2000].map((now) => rule.changes(now)),
    [1000, 2000, Infinity],
  );
});

test("hours hold from their first millisecond to the one before their last", (t) => {
  const rule = condition({ hours: [{ start: 480, end: 1020 }] }, "UTC");
  const edges = [8 * HOUR - 1, 8 * HOUR, 17 * HOUR - 1, 17 * HOUR];
  t.deepEqual(
    edges.map((now) => rule.holds(now)),
    [false, true, true, false],
  );
  t.deepEqual(
    edges.map((now) => rule.changes(now)),
    [8 * HOUR, 17 * HOUR, 17 * HOUR, 24 * HOUR],
  );
});

test("days are days of the site, and Monday is 0", (t) => {
  const sunday = condition({ days: [6] }, "Pacific/Auckland");
  const monday = Date.UTC(2026, 5, 14, 12);
  t.true(sunday.holds(monday - 1));
  t.false(sunday.holds(monday));
  t.is(sunday.changes(monday - 1), monday);
  const early = condition({ days: [3] }, "UTC");
  t.deepEqual(
    [-1, 0, 24 * HOUR - 1, 24 * HOUR].map((now) => early.holds(now)),
    [false, true, true, false],
  );
});

test("an hour that the clock skips in spring holds for none, and what begins in it begins late", (t) => {
  // 29 March 2026, Berlin: 02:00 becomes 03:00 at 01:00 UTC.
  const skip = Date.UTC(2026, 2, 29, 1);
  const skipped = condition({ hours: [{ start: 120, end: 180 }] });
  t.deepEqual(
    [skip - 1, skip, skip + HOUR].map((now) => skipped.holds(now)),
    [false, false, false],
  );
  const late = condition({ hours: [{ start: 150, end: 240 }] });
  t.is(late.changes(skip - HOUR), skip);
  t.deepEqual(
    [skip - 1, skip, skip + HOUR - 1, skip + HOUR].map((now) => late.holds(now)),
    [false, true, true, false],
  );
});

test("an hour that the clock repeats in autumn holds twice", (t) => {
  // 25 October 2026, Berlin: 03:00 becomes 02:00 at 01:00 UTC.
  const back = Date.UTC(2026, 9, 25, 1);
  const half = condition({ hours: [{ start: 120, end: 150 }] });
  const steps = [-61, -60, -31, -30, -1, 0, 29, 30].map((minute) => half.holds(back + minute * 60_000));
  t.deepEqual(steps, [false, true, true, false, false, true, true, false]);
  t.is(half.changes(back - 30 * 60_000), back);
});

test("a clock that steps back is believed", (t) => {
  const rule = condition({ hours: [{ start: 480, end: 1020 }] }, "UTC");
  t.deepEqual(
    [9, 18, 9, 7, 12, 3].map((hour) => rule.holds(hour * HOUR)),
    [true, false, true, false, true, false],
  );
});

test("what was kept is what is worked out afresh, around changes of the clock in many zones", (t) => {
  const zones = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Asia/Kolkata",
  ];
  let changes = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const dice = new Dice(seed);
    const zone = new Zone(dice.of(zones));
    const start = dice.below(1380);
    const when = {
      ...ALWAYS,
      days: dice.once(2) ? dice.some([0, 1, 2, 3, 4, 5, 6]) : null,
      hours: [{ start, end: start + 1 + dice.below(1439 - start) }],
    };
    const kept = new TimeCondition(when, zone);
    let now = drawTime(dice);
    for (let i = 0; i < 12; i++) {
      const holds = kept.holds(now);
      const next = kept.changes(now);
      t.true(next > now);
      // Nothing changes before it is said to, and the answers at both ends are those of a condition that knows nothing.
      for (const at of [now, Math.floor((now + next) / 2), next - 1])
        t.is(new TimeCondition(when, zone).holds(at), holds);
      if (new TimeCondition(when, zone).holds(next) !== holds) changes++;
      now = dice.once(4) ? now - dice.below(48) * HOUR : next;
    }
  }
  t.true(changes > 500);
});

test("a time zone nobody knows is refused with the snapshot", (t) => {
  t.throws(() => compilePolicy(snapshotOf({ timeZone: "Mars/Olympus" })), {
    instanceOf: UsageError,
    code: "time-zone",
    message: '"Mars/Olympus" is no time zone',
  });
});
