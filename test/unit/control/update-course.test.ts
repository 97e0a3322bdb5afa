import test from "ava";
import { courseOf } from "../../../src/control/update-course.ts";
import type { StoredUpdate } from "../../../src/control/update-store.ts";

/** 0.2.0 goes into slot B; armed during the start "one". */
function course(
  state: StoredUpdate["state"] | null,
  slot: "A" | "B",
  tryboot: boolean,
  { bootId = "two", left = null as string | null } = {},
): ReturnType<typeof courseOf> {
  const update = state === null ? null : { state, slot: "B" as const, boot: "one" };
  return courseOf(update, { slot, tryboot, bootId }, left);
}

test("no update, no trial: nothing to do", (t) => {
  t.is(course(null, "A", false).do, "nothing");
  for (const state of ["good", "failed", "rolled-back", "dismissed", "replaced"] as const)
    t.is(course(state, "A", false).do, "nothing", state);
});

test("whatever is known of updates, a slot on trial has to be called good by somebody", (t) => {
  t.is(course(null, "B", true).do, "try");
  for (const state of ["installed", "trial", "confirmed", "good", "failed", "rolled-back"] as const)
    t.is(course(state, "B", true).do, "try", state);
});

test("an installation that control left is followed, wherever it is", (t) => {
  t.is(course("installing", "A", false).do, "follow");
});

test("what was installed waits", (t) => {
  t.is(course("installed", "A", false).do, "nothing");
});

test("control started again, and the box did not: the trial was not made yet", (t) => {
  t.is(course("trial", "A", false, { bootId: "one" }).do, "wait again");
});

test("the old slot runs after a trial: rolled back, with what the new one left, or with what that means", (t) => {
  const left = "not healthy after 120 s: the gateway is away";
  t.deepEqual(course("trial", "A", false, { left }), { do: "rolled back", reason: left });
  t.deepEqual(course("trial", "A", false), {
    do: "rolled back",
    reason: "the new slot did not come up: power cut, panic or watchdog",
  });
});

test("the power was cut between the record and the commit: rolled back, and said so", (t) => {
  const cut = course("confirmed", "A", false);
  t.is(cut.do, "rolled back");
  t.regex(cut.do === "rolled back" ? cut.reason : "", /called good, and the box was cut off/);
  // The file that it leaves is removed before each trial: what stands there is of this one.
  const left = "not healthy after 300 s: RAUC, which installs updates, does not answer";
  t.deepEqual(course("confirmed", "A", false, { left }), { do: "rolled back", reason: left });
});

test("the power was cut between the commit and its end: good, on record already", (t) => {
  t.deepEqual(course("confirmed", "B", false), { do: "good", recorded: true });
});

test("somebody else made it the default: good, and to be recorded", (t) => {
  t.deepEqual(course("trial", "B", false), { do: "good", recorded: false });
  t.deepEqual(course("installed", "B", false), { do: "good", recorded: false });
});

test("recorded as left, and the default all the same: good, and to be recorded", (t) => {
  t.deepEqual(course("rolled-back", "B", false), { do: "good", recorded: false });
  t.is(course("dismissed", "B", false).do, "nothing");
});
