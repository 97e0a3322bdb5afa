import test from "ava";
import { effectLines, momentOf, spanOf, stateText } from "../../../src/command/locks.ts";
import { trustLines } from "../../../src/command/status.ts";

test("spans and moments are read strictly", (t) => {
  t.deepEqual(["30m", "8h", "7d"].map(spanOf), [1_800_000, 28_800_000, 604_800_000]);
  for (const wrong of ["", "8", "h", "0h", "-1h", "1.5h", "8 h", "1w", "999999d"])
    t.throws(() => spanOf(wrong));
  t.is(momentOf("2026-10-01T18:00Z"), Date.UTC(2026, 9, 1, 18));
  t.is(momentOf("2026-10-01T18:00:30+02:00"), Date.UTC(2026, 9, 1, 16, 0, 30));
  t.is(momentOf("2026-10-01"), Date.UTC(2026, 9, 1));
  for (const wrong of ["", "tomorrow", "2026-13-01", "2026-10-01T18:00", "1.10.2026", "2026"])
    t.throws(() => momentOf(wrong));
});

test("what came of a lock is said in numbers, and what did not come off after it", (t) => {
  t.deepEqual(effectLines({ ended: 1, milliseconds: 0.2, problems: [] }), [
    "in force; ended 1 session in 1 ms",
  ]);
  t.deepEqual(effectLines({ ended: 0, milliseconds: 12.4, problems: ["a", "b"] }), [
    "in force; ended 0 sessions in 12 ms",
    "problem: a",
    "problem: b",
  ]);
  t.regex(effectLines({ ended: null, milliseconds: 1, problems: [] }).join(), /the gateway is away/);
});

test("a lock's state in words; a name in it cannot steer a terminal", (t) => {
  const lock = { id: "1", kind: "user" as const, value: "alice", reason: "r", by: "bob", since: 0 };
  t.is(stateText({ ...lock, until: null, ended: null, endedBy: null }), "in force");
  t.is(
    stateText({ ...lock, until: 0, ended: null, endedBy: null }),
    "in force until 1970-01-01T00:00:00.000Z",
  );
  t.is(stateText({ ...lock, until: 0, ended: 1, endedBy: null }), "over");
  t.false(stateText({ ...lock, until: 0, ended: 1, endedBy: "\u001B[2Jbob" }).includes("\u001B"));
});

test("status tells of locks and of a clock that cannot be right, and else of neither", (t) => {
  t.deepEqual(trustLines({ locks: 0, clockBehind: 0 }), []);
  const lines = trustLines({ locks: 2, clockBehind: 365 * 86_400_000 }).join("\n");
  t.regex(lines, /2 in force.*\n.*before the latest time known/);
});
