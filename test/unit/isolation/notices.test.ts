import test from "ava";
import { MAX_NOTICES, Notices } from "../../../src/isolation/notices.ts";

const HOUR = 3_600_000;

test("it is said once while it goes on, and again after an hour without it", (t) => {
  const notices = new Notices();
  t.is(notices.meet("a", "x", 0), "new");
  for (let now = 1; now < 3 * HOUR; now += HOUR - 1) t.is(notices.meet("a", "x", now), "known");
  t.is(notices.meet("a", "x", 3 * HOUR + HOUR), "new");
});

test("of one kind, only so many; another kind has its own", (t) => {
  const notices = new Notices();
  const met = Array.from({ length: MAX_NOTICES + 5 }, (_, i) => notices.meet("a", String(i), 0));
  t.deepEqual(met, [
    ...Array.from({ length: MAX_NOTICES - 1 }, () => "new" as const),
    "last",
    ...Array.from({ length: 5 }, () => "known" as const),
  ]);
  t.is(notices.meet("b", "0", 0), "new");
});

test("what was not heard for an hour makes room", (t) => {
  const notices = new Notices();
  for (let i = 0; i < MAX_NOTICES; i++) notices.meet("a", String(i), 0);
  notices.meet("a", "0", HOUR / 2);
  t.is(notices.meet("a", "other", HOUR), "last");
  t.is(notices.meet("a", "0", HOUR), "known", "it was heard half an hour ago");
  t.is(notices.meet("a", "other", HOUR + 1), "known");
});

test("cleared, everything is news", (t) => {
  const notices = new Notices();
  notices.meet("a", "x", 0);
  notices.clear();
  t.is(notices.meet("a", "x", 1), "new");
});
