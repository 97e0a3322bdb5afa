import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import test from "ava";
import { AuditLog, openDatabase, type NewRecords } from "../../../src/audit/index.ts";
import { BugError, PeerError, UnavailableError, UsageError } from "../../../src/base/index.ts";
import { draft, openLog, plain } from "./samples.ts";

/** Commits in a WAL: frames whose header names the database's size (SQLite file format, 4.1 and 4.2). */
function commitsIn(path: string): number {
  const wal = readFileSync(`${path}-wal`);
  const page = wal.readUInt32BE(8);
  let commits = 0;
  for (let at = 32; at + 24 + page <= wal.length; at += 24 + page) {
    if (wal.readUInt32BE(at + 4) !== 0) commits += 1;
  }
  return commits;
}

test("append resolves after the commit, with the index of each draft", async (t) => {
  const { path, log } = openLog(t);
  const drafts = [draft(), draft(), draft()];
  t.deepEqual(await log.append(drafts, "now"), { indexes: [0, 1, 2] });
  const other = openDatabase(path);
  t.teardown(() => other.close());
  t.is(other.prepare("SELECT count(*) FROM records").pluck().get(), 3);
  t.is(log.size, 3);
});

test("a record comes back as it was handed in, with origin, index and the time of its commit", async (t) => {
  const { log } = openLog(t, { clock: { now: () => 1_790_000_000_000, monotonic: () => 0 } });
  const handedIn = draft({ detail: { note: "Grüße \u0000 \u{1f600}", deep: -1.5 } });
  await log.append([handedIn], "now");
  t.deepEqual(log.get(0), { ...handedIn, origin: "niac-1", index: 0, stored: 1_790_000_000_000 });
  t.deepEqual(log.byId(handedIn.id), log.get(0));
  t.is(log.get(1), undefined);
  t.is(log.byId("nobody"), undefined);
});

test("all that arrives in one turn shares one transaction", async (t) => {
  const { path, log } = openLog(t);
  const before = commitsIn(path);
  const results = await Promise.all(Array.from({ length: 64 }, () => log.append([draft()], "now")));
  t.deepEqual(
    results.flatMap((result) => result.indexes),
    Array.from({ length: 64 }, (_, at) => at),
  );
  t.is(commitsIn(path) - before, 1);
});

test("a flood is committed in its order, in transactions of at most 5,000 drafts", async (t) => {
  const { log } = openLog(t);
  const heard: NewRecords[] = [];
  log.subscribe((range) => heard.push(range));
  const results = await Promise.all(Array.from({ length: 23 }, () => log.append(plain(500), "now")));
  t.deepEqual(
    results.map((result) => result.indexes[0]),
    Array.from({ length: 23 }, (_, at) => at * 500),
  );
  t.deepEqual(heard, [
    { from: 0, to: 5_000 },
    { from: 5_000, to: 10_000 },
    { from: 10_000, to: 11_500 },
  ]);
  const more = Array.from({ length: 11 }, () => log.append(plain(500), "soon"));
  await log.flush();
  t.is(log.size, 17_000);
  await Promise.all(more);
});

test("one that waits for each answer has a transaction each", async (t) => {
  const { path, log } = openLog(t);
  const before = commitsIn(path);
  for (let round = 0; round < 5; round++) await log.append([draft()], "now");
  t.is(commitsIn(path) - before, 5);
});

test("what is soon is not committed in this turn, goes along with what is now, and is first if it came first", async (t) => {
  const { log } = openLog(t);
  const soon = log.append([draft()], "soon");
  await nextTurn();
  t.is(log.size, 0);
  const now = log.append([draft()], "now");
  t.deepEqual(await Promise.all([soon, now]), [{ indexes: [0] }, { indexes: [1] }]);
});

test("what is soon is committed without anybody asking", async (t) => {
  const { log } = openLog(t);
  t.deepEqual(await log.append([draft()], "soon"), { indexes: [0] });
});

test("flush commits what is queued", async (t) => {
  const { log } = openLog(t);
  const soon = log.append([draft()], "soon");
  await log.flush();
  t.is(log.size, 1);
  t.deepEqual(await soon, { indexes: [0] });
  await log.flush();
});

test("a draft handed in again has its old index and is stored once", async (t) => {
  const { log } = openLog(t);
  const [first, second] = [draft(), draft()];
  await log.append([first], "now");
  t.deepEqual(await log.append([first, second, second], "now"), { indexes: [0, 1, 1] });
  const twice = [log.append([second], "soon"), log.append([second, draft()], "now")];
  t.deepEqual(await Promise.all(twice), [{ indexes: [1] }, { indexes: [1, 2] }]);
  t.is(log.size, 3);
});

test("another draft under an id on record is refused with its whole append, and no other append with it", async (t) => {
  const { log } = openLog(t);
  const first = draft({ id: "taken" });
  await log.append([first], "now");
  const bad = log.append([draft(), { ...first, decision: "denial" }], "now");
  const good = log.append([draft()], "now");
  await t.throwsAsync(bad, { instanceOf: PeerError, code: "audit-id", message: /taken .* index 0/ });
  t.deepEqual(await good, { indexes: [1] });
  const within = log.append([draft({ id: "two" }), draft({ id: "two", reason: "other" })], "now");
  await t.throwsAsync(within, { code: "audit-id" });
  t.is(log.size, 2);
});

test("a draft that is none is refused before it is queued", async (t) => {
  const { log } = openLog(t);
  await t.throwsAsync(log.append([draft({ machine: "m".repeat(256) })], "now"), { code: "audit-draft" });
  t.deepEqual(await log.append([], "now"), { indexes: [] });
  t.is(log.size, 0);
});

test("listeners hear of each commit's range once, and no more after they left", async (t) => {
  const { log } = openLog(t);
  const heard: NewRecords[] = [];
  const leave = log.subscribe((range) => heard.push(range));
  const first = draft();
  await Promise.all([log.append([first, draft()], "now"), log.append([draft()], "now")]);
  await log.append([first], "now");
  await log.append([draft()], "now");
  leave();
  await log.append([draft()], "now");
  t.deepEqual(heard, [
    { from: 0, to: 3 },
    { from: 3, to: 4 },
  ]);
});

test("a log opened again goes on after its last index, in the same order", async (t) => {
  const { path, db, log } = openLog(t);
  const drafts = plain(10);
  await log.append(drafts, "now");
  await log.close();
  db.close();
  const again = openDatabase(path);
  t.teardown(() => again.close());
  const reopened = new AuditLog(again, "renamed");
  t.deepEqual(await reopened.append([drafts[3]!, draft()], "now"), { indexes: [3, 10] });
  const ids = reopened.read({ limit: 10 }).map((record) => record.id);
  t.deepEqual(
    ids,
    drafts.map((each) => each.id),
  );
  t.is(reopened.get(10)?.origin, "renamed");
});

test("read goes upwards and downwards from where it is asked to", async (t) => {
  const { log } = openLog(t);
  await log.append(plain(10), "now");
  const indexes = (options: { from?: number; limit: number; reverse?: boolean }) =>
    log.read(options).map((record) => record.index);
  t.deepEqual(indexes({ limit: 3 }), [0, 1, 2]);
  t.deepEqual(indexes({ from: 8, limit: 5 }), [8, 9]);
  t.deepEqual(indexes({ limit: 2, reverse: true }), [9, 8]);
  t.deepEqual(indexes({ from: 1, limit: 5, reverse: true }), [1, 0]);
  t.deepEqual(indexes({ from: 10, limit: 5 }), []);
  for (const limit of [0, -1, 1.5, 10_001]) {
    t.throws(() => log.read({ limit }), { instanceOf: UsageError, code: "audit-limit" });
  }
});

test("a log with a gap is not opened, and the error says what to do", async (t) => {
  const { db, log } = openLog(t);
  await log.append(plain(3), "now");
  db.exec("DROP TRIGGER records_no_delete; DELETE FROM records WHERE idx = 1");
  const error = t.throws(() => new AuditLog(db, "niac-1"), { instanceOf: BugError, code: "audit-doubt" });
  t.regex(error.message, /last index is 2, it holds 2 records/);
  t.regex(error.advice ?? "", /copy of the database/);
});

test("an appliance's name that could not be read back is refused", (t) => {
  const { db } = openLog(t);
  t.is(new AuditLog(db, "n".repeat(255)).size, 0);
  for (const origin of ["", "n".repeat(256)]) {
    t.throws(() => new AuditLog(db, origin), { instanceOf: UsageError, code: "audit-origin" });
  }
});

test("a closed log has flushed, refuses appends and still reads", async (t) => {
  const { log } = openLog(t);
  const soon = log.append([draft()], "soon");
  await log.close();
  t.deepEqual(await soon, { indexes: [0] });
  t.is(log.state, "closed");
  await t.throwsAsync(log.append([draft()], "now"), { instanceOf: UnavailableError, code: "audit-closed" });
  t.is(log.read({ limit: 5 }).length, 1);
});
