import test from "ava";
import { endingsOf } from "../../../src/control/reconcile.ts";
import { draft, openLog } from "../audit/samples.ts";

const NOBODY = { sessions: [], writes: [] };

test("what a lost gateway left open is ended: sessions, and writes whose outcome nobody knows", async (t) => {
  const { log } = openLog(t);
  const start = draft({ kind: "session.start", session: "s1" });
  const write = draft({ session: "s1" });
  await log.append([start, write], "now");
  const endings = endingsOf(log, NOBODY, 99);
  t.is(endings.length, 2);
  t.like(endings[0], {
    kind: "outcome",
    ref: write.id,
    outcome: "unknown",
    time: 99,
    session: "s1",
    machine: "press-4",
    service: "plc",
    identity: { user: "alice" },
  });
  t.like(endings[1], { kind: "session.end", session: "s1", time: 99, machine: "press-4" });
  await log.append(endings, "now");
  t.deepEqual(endingsOf(log, NOBODY, 100), [], "and only once");
  t.deepEqual(log.openSessions(), []);
  t.deepEqual(log.openWrites(), []);
});

test("what the attached gateway still has is left alone", async (t) => {
  const { log } = openLog(t);
  const writes = [draft({ session: "s1" }), draft({ session: "s2" })];
  const starts = ["s1", "s2"].map((session) => draft({ kind: "session.start", session }));
  await log.append([...starts, ...writes], "now");
  const endings = endingsOf(log, { sessions: ["s2"], writes: [writes[1]!.id] }, 99);
  t.deepEqual(
    endings.map(({ kind, ref, session }) => [kind, ref, session]),
    [
      ["outcome", writes[0]!.id, "s1"],
      ["session.end", undefined, "s1"],
    ],
  );
  t.deepEqual(endingsOf(log, { sessions: ["s1", "s2"], writes: writes.map(({ id }) => id) }, 99), []);
});

test("a session that lives on may have writes that do not", async (t) => {
  const { log } = openLog(t);
  const write = draft({ session: "s1" });
  await log.append([draft({ kind: "session.start", session: "s1" }), write], "now");
  t.deepEqual(
    endingsOf(log, { sessions: ["s1"], writes: [] }, 99).map(({ kind, ref }) => [kind, ref]),
    [["outcome", write.id]],
  );
});

test("what has ended needs no second end", async (t) => {
  const { log } = openLog(t);
  const write = draft({ session: "s1" });
  await log.append(
    [
      draft({ kind: "session.start", session: "s1" }),
      write,
      draft({ kind: "outcome", ref: write.id, outcome: "ok" }),
      draft({ kind: "session.end", session: "s1" }),
    ],
    "now",
  );
  t.deepEqual(endingsOf(log, NOBODY, 99), []);
});

test("an end made twice, by two attachments at once, is stored once", async (t) => {
  const { log } = openLog(t);
  await log.append([draft({ kind: "session.start", session: "s1" }), draft({ session: "s1" })], "now");
  const [one, two] = [endingsOf(log, NOBODY, 99), endingsOf(log, NOBODY, 99)];
  await Promise.all([log.append(one, "now"), log.append(two, "now")]);
  t.is(log.size, 4);
});
