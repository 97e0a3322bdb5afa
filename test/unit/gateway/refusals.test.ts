import test from "ava";
import type { RecordDraft } from "../../../src/audit/index.ts";
import { Recorder } from "../../../src/gateway/recorder.ts";
import { Refusals } from "../../../src/gateway/refusals.ts";
import { StillClock } from "../machine/requests.ts";
import { until } from "../../support/processes.ts";

interface Bed {
  readonly clock: StillClock;
  readonly refusals: Refusals;
  /** What has been handed over so far. */
  readonly drafts: () => Promise<RecordDraft[]>;
}

function bed(): Bed {
  const clock = new StillClock();
  let made = 0;
  const recorder = new Recorder(clock, () => `id-${made++}`);
  const stored: RecordDraft[] = [];
  recorder.connect((drafts) => Promise.resolve(stored.push(...drafts)));
  const drafts = async (): Promise<RecordDraft[]> => {
    const id = `mark-${made++}`;
    recorder.note({ time: 0, kind: "admin", id });
    await until(() => stored.at(-1)?.id === id, "the drafts to be handed over");
    return stored.filter(({ kind }) => kind !== "admin");
  };
  return { clock, refusals: new Refusals(recorder, clock), drafts };
}

const REFUSED = { source: "10.0.0.1:50000", stage: "certificate", reason: "it expired" };

test("the first of a kind is recorded at once, repetitions as one more with their number", async (t) => {
  const { clock, refusals, drafts } = bed();
  for (let i = 0; i < 5; i++) refusals.add("10.0.0.1", { ...REFUSED, source: `10.0.0.1:${50_000 + i}` });
  t.is((await drafts()).length, 1);
  t.like((await drafts())[0], { kind: "session.refused", decision: "denial", ...REFUSED });
  clock.time = 9_999;
  refusals.report(false);
  t.is((await drafts()).length, 1, "the interval is not over");
  clock.time = 10_000;
  refusals.report(false);
  t.like((await drafts())[1], { ...REFUSED, time: 10_000, counts: { refused: 4 }, duration: 10_000 });
  refusals.report(true);
  t.is((await drafts()).length, 2);
});

test("one refusal alone makes one record alone", async (t) => {
  const { clock, refusals, drafts } = bed();
  refusals.add("10.0.0.1", REFUSED);
  clock.time = 20_000;
  refusals.report(false);
  refusals.report(true);
  t.is((await drafts()).length, 1);
  refusals.add("10.0.0.1", REFUSED);
  t.is((await drafts()).length, 2, "in the next interval it is the first of its kind again");
});

test("another source, stage, reason, machine or certificate is another kind", async (t) => {
  const { refusals, drafts } = bed();
  const presented = { subject: "CN=bob", serialNumber: "1", fingerprint: "aa" };
  refusals.add("10.0.0.1", REFUSED);
  refusals.add("10.0.0.2", REFUSED);
  refusals.add("10.0.0.1", { ...REFUSED, stage: "limit" });
  refusals.add("10.0.0.1", { ...REFUSED, reason: "another" });
  refusals.add("10.0.0.1", { ...REFUSED, machine: "press-4", service: "plc" });
  refusals.add("10.0.0.1", { ...REFUSED, presented });
  t.is((await drafts()).length, 6);
});

test("a stop reports what is summed up so far", async (t) => {
  const { refusals, drafts } = bed();
  for (let i = 0; i < 3; i++) refusals.add("10.0.0.1", REFUSED);
  refusals.report(true);
  t.like((await drafts())[1], { counts: { refused: 2 } });
});

test("a flood from more sources than can be told apart leaves a thousand records and a sum", async (t) => {
  const { refusals, drafts } = bed();
  for (let i = 0; i < 5_000; i++) refusals.add(`10.0.${i >> 8}.${i & 255}`, REFUSED);
  t.is((await drafts()).length, 1_000);
  refusals.report(false);
  const all = await drafts();
  t.is(all.length, 1_001);
  t.like(all[1_000], { kind: "session.refused", stage: "limit", counts: { refused: 4_000 } });
  refusals.report(false);
  t.is((await drafts()).length, 1_001);
});

test("every record has an id of its own", async (t) => {
  const { refusals, drafts } = bed();
  for (let i = 0; i < 3; i++) refusals.add(`10.0.0.${i}`, REFUSED);
  for (let i = 0; i < 3; i++) refusals.add(`10.0.0.${i}`, REFUSED);
  refusals.report(true);
  const ids = (await drafts()).map(({ id }) => id);
  t.is(ids.length, 6);
  t.is(new Set(ids).size, 6);
});

test("questions for the directory are recorded by who asked, and repetitions summed up", async (t) => {
  const { clock, refusals, drafts } = bed();
  const identity = { user: "alice", device: null, groups: [], role: null, tier: null, tenant: null };
  const asked = (fingerprint: string) => ({
    source: "10.0.0.1:50000",
    identity: { ...identity, serialNumber: "01", fingerprint },
  });
  for (let i = 0; i < 4; i++) refusals.looked("10.0.0.1", asked("aa"));
  refusals.looked("10.0.0.1", asked("bb"));
  t.deepEqual(
    (await drafts()).map(({ kind, decision, identity: who }) => [kind, decision, who?.fingerprint]),
    [
      ["directory", "permit", "aa"],
      ["directory", "permit", "bb"],
    ],
  );
  clock.time = 10_000;
  refusals.report(false);
  t.like((await drafts())[2], { kind: "directory", counts: { asked: 3 }, duration: 10_000 });
});
