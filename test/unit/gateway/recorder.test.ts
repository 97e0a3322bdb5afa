import { setImmediate as nextTurn } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import type { RecordDraft } from "../../../src/audit/index.ts";
import { PeerError, UnavailableError } from "../../../src/base/index.ts";
import { MAX_BACKLOG, Recorder, type Append } from "../../../src/gateway/recorder.ts";
import { until } from "../../support/processes.ts";
import { AheadClock } from "../machine/requests.ts";

let made = 0;

function draft(fields: Partial<RecordDraft> = {}): RecordDraft {
  return { time: 1, kind: "process", id: `draft-${made++}`, ...fields };
}

/** A log that stores what it is given, unless told otherwise. */
class Log {
  readonly stored: RecordDraft[] = [];
  readonly urgencies: string[] = [];
  refuse: ((drafts: readonly RecordDraft[]) => Error | null) | null = null;
  /** While set, appends wait for it. */
  pause: Promise<void> | null = null;
  calls = 0;

  readonly append: Append = async (drafts, urgency) => {
    this.calls++;
    await this.pause;
    const error = this.refuse?.(drafts);
    if (error) throw error;
    this.stored.push(...drafts);
    this.urgencies.push(urgency);
  };

  get ids(): string[] {
    return this.stored.map(({ id }) => id);
  }
}

function open(t: ExecutionContext): { recorder: Recorder; log: Log } {
  const recorder = new Recorder(new AheadClock(), () => `lost-${made++}`);
  t.teardown(() => recorder.close());
  return { recorder, log: new Log() };
}

function full(): UnavailableError {
  return new UnavailableError("audit-full", "the audit log is full", "Free some space.");
}

test("before control is there nothing can be committed, and the reason is known", async (t) => {
  const { recorder } = open(t);
  t.is(recorder.problem?.code, "control-away");
  await t.throwsAsync(recorder.commit([draft()]), { instanceOf: UnavailableError, code: "control-away" });
});

test("a commit resolves after the append, asked for at once", async (t) => {
  const { recorder, log } = open(t);
  recorder.connect(log.append);
  t.is(recorder.problem, null);
  const one = draft();
  await recorder.commit([one]);
  t.deepEqual(log.ids, [one.id]);
  t.deepEqual(log.urgencies, ["now"]);
});

test("a commit that fails says why, and the problem stands until an append succeeds", async (t) => {
  const { recorder, log } = open(t);
  recorder.connect(log.append);
  log.refuse = full;
  await t.throwsAsync(recorder.commit([draft()]), { code: "audit-full" });
  t.is(recorder.problem?.code, "audit-full");
  log.refuse = null;
  await recorder.commit([draft()]);
  t.is(recorder.problem, null);
});

test("an append that is cut short by the loss of control says that control is away, not what the socket said", async (t) => {
  const { recorder, log } = open(t);
  recorder.connect(log.append);
  log.refuse = () => new UnavailableError("channel-lost", "read ECONNRESET");
  await t.throwsAsync(recorder.commit([draft()]), {
    code: "control-away",
    message: /niac control does not answer/,
  });
  t.is(recorder.problem?.code, "control-away");
});

test("what is noted while control is away is handed over in order when it is back", async (t) => {
  const { recorder, log } = open(t);
  const drafts = Array.from({ length: 1_200 }, () => draft());
  for (const each of drafts) recorder.note(each);
  recorder.connect(log.append);
  await until(() => log.stored.length >= drafts.length, "the backlog");
  t.deepEqual(
    log.ids,
    drafts.map(({ id }) => id),
  );
  t.true(log.urgencies.every((urgency) => urgency === "soon"));
});

test("what is noted while the log is full is kept and handed over once there is room", async (t) => {
  const { recorder, log } = open(t);
  recorder.connect(log.append);
  log.refuse = full;
  const one = draft();
  recorder.note(one);
  await until(() => recorder.problem !== null, "the refusal");
  log.refuse = null;
  await until(() => log.stored.length > 0, "the second attempt");
  t.deepEqual(log.ids, [one.id]);
  t.is(recorder.problem, null);
});

test("control lost in the middle of a hand-over loses nothing", async (t) => {
  const { recorder, log } = open(t);
  const lost = new Log();
  lost.refuse = () => new UnavailableError("channel-lost", "the channel was closed");
  const drafts = [draft(), draft()];
  for (const each of drafts) recorder.note(each);
  recorder.connect(lost.append);
  await until(() => lost.calls > 0, "the attempt");
  recorder.connect(null);
  t.is(recorder.problem?.code, "control-away");
  recorder.connect(log.append);
  await until(() => log.stored.length === 2, "the second attempt");
  t.deepEqual(
    log.ids,
    drafts.map(({ id }) => id),
  );
});

test("beyond the backlog's limit drafts are counted, and the count goes on record", async (t) => {
  const { recorder, log } = open(t);
  for (let i = 0; i < MAX_BACKLOG + 7; i++) recorder.note(draft());
  recorder.connect(log.append);
  await until(() => log.stored.length === MAX_BACKLOG + 1, "the backlog and the count");
  const counts = log.stored.filter(({ counts: each }) => each !== undefined);
  t.is(counts.length, 1);
  t.like(counts[0], { kind: "process", counts: { lost: 7 } });
  t.regex(counts[0]?.reason ?? "", /^7 records could not be kept/);
});

test("what is lost while the count is being handed over is counted too", async (t) => {
  const { recorder, log } = open(t);
  for (let i = 0; i < MAX_BACKLOG + 7; i++) recorder.note(draft());
  const { promise, resolve: go } = Promise.withResolvers<void>();
  log.pause = promise;
  recorder.connect(log.append);
  await until(() => log.calls === 1, "the first hand-over");
  for (let i = 0; i < 5; i++) recorder.note(draft());
  go();
  log.pause = null;
  const lost = (): number => log.stored.reduce((sum, { counts }) => sum + (counts?.["lost"] ?? 0), 0);
  await until(() => log.stored.filter(({ counts }) => !counts).length === MAX_BACKLOG, "the backlog");
  await recorder.drain(5_000);
  t.is(lost(), 12);
});

test("a draft that is refused for what it says holds up nobody, and is counted as lost", async (t) => {
  const { recorder, log } = open(t);
  const drafts = Array.from({ length: 5 }, () => draft());
  const poison = drafts[2]!;
  log.refuse = (given) =>
    given.includes(poison) ? new PeerError("audit-draft", "a draft is malformed") : null;
  for (const each of drafts) recorder.note(each);
  recorder.connect(log.append);
  await until(() => log.stored.length >= 5, "the others, and the count");
  t.deepEqual(
    log.stored.filter(({ counts }) => !counts).map(({ id }) => id),
    drafts.filter((each) => each !== poison).map(({ id }) => id),
  );
  t.is(
    log.stored.reduce((sum, { counts }) => sum + (counts?.["lost"] ?? 0), 0),
    1,
  );
  t.is(recorder.problem, null);
});

test("a refused draft that comes alone leaves no problem behind", async (t) => {
  const { recorder, log } = open(t);
  const poison = draft();
  log.refuse = (given) =>
    given.includes(poison) ? new PeerError("audit-draft", "a draft is malformed") : null;
  recorder.connect(log.append);
  recorder.note(poison);
  await until(() => log.stored.length === 1, "the count");
  t.like(log.stored[0], { counts: { lost: 1 } });
  t.is(recorder.problem, null);
});

test("where every draft is refused nothing spins, and the problem stands", async (t) => {
  const { recorder, log } = open(t);
  log.refuse = () => new PeerError("audit-draft", "a draft is malformed");
  recorder.connect(log.append);
  recorder.note(draft());
  await until(() => log.calls >= 2, "attempts");
  const { calls } = log;
  for (let i = 0; i < 50; i++) await nextTurn();
  t.true(log.calls <= calls + 1);
  t.is(recorder.problem?.code, "audit-refused");
});

test("one refused draft among many is found by halves", async (t) => {
  const { recorder, log } = open(t);
  const drafts = Array.from({ length: 1_000 }, () => draft());
  const poison = drafts[433]!;
  log.refuse = (given) =>
    given.includes(poison) ? new PeerError("audit-draft", "a draft is malformed") : null;
  for (const each of drafts) recorder.note(each);
  recorder.connect(log.append);
  await until(() => log.stored.length >= 1_000, "the others, and the count");
  t.true(log.calls < 60, `it took ${log.calls} calls`);
  t.is(recorder.problem, null);
});

test("the endings still kept are named, so that control does not make its own", async (t) => {
  const { recorder, log } = open(t);
  recorder.note(draft({ kind: "session.end", session: "s1" }));
  recorder.note(draft({ kind: "outcome", ref: "w1" }));
  recorder.note(draft({ kind: "reads", session: "s2" }));
  recorder.note(draft({ kind: "session.end", session: "s3" }));
  t.deepEqual(recorder.endingsKept(), { sessions: ["s1", "s3"], writes: ["w1"] });
  const { promise, resolve: go } = Promise.withResolvers<void>();
  log.pause = promise;
  recorder.connect(log.append);
  await until(() => log.calls === 1, "the hand-over");
  t.deepEqual(recorder.endingsKept(), { sessions: ["s1", "s3"], writes: ["w1"] }, "until it is committed");
  go();
  await until(() => log.stored.length === 4, "the commit");
  await nextTurn();
  t.deepEqual(recorder.endingsKept(), { sessions: [], writes: [] });
});

test("a clean stop hands over everything", async (t) => {
  const { recorder, log } = open(t);
  recorder.connect(log.append);
  for (let i = 0; i < 1_700; i++) recorder.note(draft());
  await recorder.drain(10_000);
  t.is(log.stored.length, 1_700);
});

test("a clean stop does not wait for a log that takes nothing longer than its patience, nor hold everything else up", async (t) => {
  const clock = new AheadClock();
  const recorder = new Recorder(clock, () => `lost-${made++}`);
  t.teardown(() => recorder.close());
  const log = new Log();
  log.refuse = full;
  recorder.connect(log.append);
  recorder.note(draft());
  let turns = 0;
  const others = setInterval(() => {
    if (++turns === 3) clock.forward(60_000);
  }, 1);
  t.teardown(() => clearInterval(others));
  await recorder.drain(30_000);
  t.true(turns >= 3, "other work had its turns meanwhile");
  t.is(log.stored.length, 0);
});

test("without control a clean stop does not wait at all", async (t) => {
  const { recorder } = open(t);
  recorder.note(draft());
  await t.notThrowsAsync(recorder.drain(60_000));
});
