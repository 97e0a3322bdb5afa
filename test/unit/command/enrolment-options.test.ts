import test from "ava";
import { readDay, readSubject, readTime } from "../../../src/command/enrolment-options.ts";

test("a subject as it is typed", (t) => {
  const typed = {
    user: "alice",
    device: "laptop-7",
    tier: "contractor",
    group: ["b", "a", "b"],
    until: "2027-03-31",
  };
  t.deepEqual(readSubject(typed), {
    tier: "contractor",
    tenant: null,
    user: "alice",
    device: "laptop-7",
    groups: ["a", "b"],
    role: null,
    until: Date.UTC(2027, 2, 31, 23, 59, 59),
  });
  t.throws(() => readSubject({ ...typed, tier: "gold" }), { code: "tier" });
});

test("days that are none are refused", (t) => {
  t.is(readDay("2028-02-29"), Date.UTC(2028, 1, 29, 23, 59, 59));
  for (const text of ["2027-02-29", "2027-04-31", "2027-13-01", "27-1-1", "tomorrow", "2027-03-31T10:00"]) {
    t.throws(() => readDay(text), { code: "until" }, text);
  }
});

test("times", (t) => {
  t.is(readTime("30m"), 1_800_000);
  t.is(readTime("8h"), 28_800_000);
  t.is(readTime("2d"), 172_800_000);
  for (const text of ["0h", "h", "1", "1w", "-1h", "99999d"])
    t.throws(() => readTime(text), { code: "valid" }, text);
});
