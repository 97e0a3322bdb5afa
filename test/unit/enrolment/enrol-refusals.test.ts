import test from "ava";
import { type RecordDraft, parseDrafts } from "../../../src/audit/index.ts";
import { EnrolRefusals } from "../../../src/enrolment/enrol-refusals.ts";

function bed() {
  const drafts: RecordDraft[] = [];
  const time = { now: 0 };
  const clock = { now: () => time.now, monotonic: () => time.now };
  const refusals = new EnrolRefusals((more) => drafts.push(...parseDrafts(more)), clock);
  return { drafts, time, refusals };
}

const ONE = { source: "10.0.0.1:5000", stage: "code", reason: "no such code" };

test("the first refusal of a kind is on record at once, those after it as a number", (t) => {
  const { drafts, time, refusals } = bed();
  for (let count = 0; count < 500; count++) refusals.add("10.0.0.1", { ...ONE, source: `10.0.0.1:${count}` });
  t.is(drafts.length, 1);
  t.like(drafts[0], { kind: "trust", decision: "denial", stage: "code", source: "10.0.0.1:0" });
  refusals.report(false);
  t.is(drafts.length, 1);
  time.now = 60_000;
  refusals.report(false);
  t.like(drafts[1], { counts: { refused: 499 }, duration: 60_000 });
  refusals.add("10.0.0.1", ONE);
  t.is(drafts.length, 3, "and a new interval begins");
  refusals.report(true);
  t.is(drafts.length, 3);
});

test("other sources, stages, reasons and certificates are other kinds", (t) => {
  const { drafts, refusals } = bed();
  refusals.add("10.0.0.1", ONE);
  refusals.add("10.0.0.2", ONE);
  refusals.add("10.0.0.1", { ...ONE, stage: "rate" });
  refusals.add("10.0.0.1", { ...ONE, reason: "x".repeat(5_000) });
  const presented = { subject: "CN=alice", serialNumber: "1", fingerprint: "aa" };
  refusals.add("10.0.0.1", { ...ONE, presented });
  t.is(drafts.length, 5);
  t.deepEqual(drafts[4]?.presented, presented);
});

test("beyond a thousand kinds they are only counted", (t) => {
  const { drafts, refusals } = bed();
  for (let index = 0; index < 1_500; index++) refusals.add(`source-${index}`, ONE);
  t.is(drafts.length, 1_000);
  refusals.report(true);
  t.like(drafts.at(-1), { stage: "limit", counts: { refused: 500 } });
});
