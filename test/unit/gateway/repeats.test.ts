import test from "ava";
import { MAX_KINDS, Repeats, type RepeatedDraft } from "../../../src/gateway/repeats.ts";
import { StillClock } from "../machine/requests.ts";

const HOUR = 3_600_000;

function bed() {
  const clock = new StillClock();
  const drafts: RepeatedDraft[] = [];
  const refusals = new Repeats((draft) => drafts.push(draft), clock, "refused queries", "queries");
  const add = (alike: string, machine = "press-4"): void => {
    const reason = `asked for ${alike}`;
    refusals.add(machine, alike, { kind: "flow.refused", machine, stage: "dns", reason });
  };
  return { clock, drafts, refusals, add };
}

test("the first of a kind is recorded at once, repetitions as sums at intervals that double up to an hour", (t) => {
  const { clock, drafts, refusals, add } = bed();
  add("a");
  t.like(drafts[0], {
    kind: "flow.refused",
    machine: "press-4",
    stage: "dns",
    reason: "asked for a",
  });
  const sumsAt: number[] = [];
  for (clock.time = 1_000; clock.time <= 6 * HOUR; clock.time += 1_000) {
    if (clock.time % 60_000 === 0) add("a");
    const before = drafts.length;
    refusals.report(false);
    if (drafts.length > before) sumsAt.push(clock.time / 1000);
  }
  t.deepEqual(sumsAt, [60, 120, 180, 260, 420, 740, 1380, 2660, 5220, 8820, 12_420, 16_020, 19_620]);
  refusals.report(true);
  const all = drafts.slice(1).reduce((sum, { counts }) => sum + (counts?.["queries"] ?? 0), 0);
  t.is(all, 6 * 60, "and every repetition is counted");
});

test("a kind that was quiet for an hour is the first of its kind again; one quiet for less is not", (t) => {
  const { clock, drafts, refusals, add } = bed();
  add("a");
  clock.time = HOUR - 1;
  refusals.report(false);
  add("a");
  t.is(drafts.length, 1);
  refusals.report(false);
  t.is(drafts.length, 2, "a sum of one");
  clock.time += HOUR;
  refusals.report(false);
  add("a");
  t.is(drafts.length, 3);
  t.is(drafts[2]?.counts, undefined);
});

test("what is alike of two machines, and of no machine, are kinds of their own", (t) => {
  const { drafts, add } = bed();
  add("a");
  add("a", "saw-1");
  add("a", "");
  t.deepEqual(
    drafts.map(({ machine }) => machine),
    ["press-4", "saw-1", ""],
  );
});

test("past the limit of kinds a machine's are one: data sent out in names is one growing number", (t) => {
  const { clock, drafts, refusals, add } = bed();
  for (let i = 0; i < MAX_KINDS + 5_000; i++) add(`name ${i}`);
  t.is(drafts.length, MAX_KINDS + 1);
  t.regex(
    drafts.at(-1)?.reason ?? "",
    /^more than 256 different refused queries, .*the latest: asked for name 256$/,
  );
  add("a", "saw-1");
  t.is(drafts.length, MAX_KINDS + 2, "another machine's are told apart as before");
  clock.time = 10_000;
  refusals.report(false);
  t.is(drafts.length, MAX_KINDS + 3);
  t.like(drafts.at(-1), { counts: { queries: 4_999 }, duration: 10_000 });
  t.regex(drafts.at(-1)?.reason ?? "", /name 5255$/);
  add("name 3");
  t.is(drafts.length, MAX_KINDS + 3, "a name known from before stays its own kind");
});

test("nothing repeated, nothing summed", (t) => {
  const { drafts, refusals, add } = bed();
  add("a");
  refusals.report(true);
  refusals.report(true);
  t.is(drafts.length, 1);
});
