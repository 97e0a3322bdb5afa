import test from "ava";
import { AuditLog } from "../../../src/audit/index.ts";
import { draft, openLog } from "./samples.ts";

test("a session is open from its start to its end, and still so after a restart", async (t) => {
  const { db, log } = openLog(t);
  const starts = ["a", "b", "c"].map((session) => draft({ kind: "session.start", session }));
  await log.append(starts, "now");
  await log.append([draft({ kind: "session.end", session: "b" })], "now");
  const open = new AuditLog(db, "niac-1").openSessions();
  t.deepEqual(
    open.map((each) => each.session),
    ["a", "c"],
  );
  t.is(open[1]?.start.index, 2);
  await log.append(
    [draft({ kind: "session.end", session: "a" }), draft({ kind: "session.end", session: "c" })],
    "now",
  );
  t.deepEqual(log.openSessions(), []);
});

test("a permitted write is open until its outcome is on record; denials and other kinds never are", async (t) => {
  const { db, log } = openLog(t);
  const writes = [draft(), draft(), draft()];
  await log.append([...writes, draft({ decision: "denial" }), draft({ kind: "reads" })], "now");
  await log.append([draft({ kind: "outcome", ref: writes[1]!.id, outcome: "ok" })], "now");
  const open = new AuditLog(db, "niac-1").openWrites();
  t.deepEqual(
    open.map((record) => record.id),
    [writes[0]!.id, writes[2]!.id],
  );
});

test("an end stored before its beginning leaves nothing open", async (t) => {
  const { log } = openLog(t);
  const write = draft();
  await log.append(
    [draft({ kind: "outcome", ref: write.id }), draft({ kind: "session.end", session: "a" })],
    "now",
  );
  await log.append([write, draft({ kind: "session.start", session: "a" })], "now");
  t.deepEqual(log.openWrites(), []);
  t.deepEqual(log.openSessions(), []);
});

test("a write handed in again after its outcome is not open again", async (t) => {
  const { log } = openLog(t);
  const write = draft();
  await log.append([write], "now");
  await log.append([draft({ kind: "outcome", ref: write.id })], "now");
  await log.append([write], "now");
  t.deepEqual(log.openWrites(), []);
});

test("related are the record itself and those that name it, by index", async (t) => {
  const { log } = openLog(t);
  const write = draft();
  const outcome = draft({ kind: "outcome", ref: write.id });
  await log.append([draft(), write, draft(), outcome, draft({ ref: "another" })], "now");
  t.deepEqual(
    log.related(write.id).map((record) => record.index),
    [1, 3],
  );
  t.deepEqual(log.related("nothing"), []);
});
