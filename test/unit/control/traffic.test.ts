import test from "ava";
import type { RecordDraft, RecordIdentity } from "../../../src/audit/index.ts";
import { Traffic } from "../../../src/control/traffic.ts";
import { StillClock } from "../machine/requests.ts";
import { ALICE, draft } from "../audit/samples.ts";

const MACHINE: RecordIdentity = { ...ALICE, kind: "machine", user: "hmi-1" };

function bed(open: RecordDraft[] = []) {
  const clock = new StillClock();
  const openSessions = () =>
    open.map((start, index) => ({
      session: start.session ?? "",
      start: { ...start, origin: "box", index, stored: 0 },
    }));
  const traffic = new Traffic(clock, { openSessions });
  const sees = (...drafts: RecordDraft[]): ReturnType<Traffic["now"]> => {
    traffic.recorded(drafts);
    return traffic.now();
  };
  return { clock, traffic, sees };
}

const start = (session: string, identity = ALICE): RecordDraft =>
  draft({ kind: "session.start", session, identity });
const end = (session: string): RecordDraft => draft({ kind: "session.end", session, identity: ALICE });

test("people's sessions show while they last, machines' own do not", (t) => {
  const { sees } = bed();
  t.is(sees(start("m", MACHINE)).sessions, "none");
  t.is(sees(start("a"), start("b")).sessions, "open");
  t.is(sees(end("a"), end("m")).sessions, "open");
  t.is(sees(end("b")).sessions, "none");
});

test("a write shows for five seconds, and so does a refusal", (t) => {
  const { clock, sees } = bed();
  clock.time = 10_000;
  sees(start("a"));
  t.deepEqual(sees(draft({ kind: "operation", decision: "permit", identity: ALICE })), {
    sessions: "writing",
    refused: false,
  });
  clock.time += 4_999;
  t.is(sees().sessions, "writing");
  clock.time += 1;
  t.is(sees().sessions, "open");
  t.true(sees(draft({ kind: "operation", decision: "denial", identity: ALICE })).refused);
  clock.time += 5_000;
  t.false(sees().refused);
  t.true(sees(draft({ kind: "session.refused", identity: ALICE })).refused);
});

test("a machine's own write is no person's", (t) => {
  const { sees } = bed();
  t.is(sees(draft({ kind: "operation", decision: "permit", identity: MACHINE })).sessions, "none");
});

test("with a new gateway the sessions are those that are left on record", (t) => {
  const { traffic, sees } = bed([start("a"), start("m", MACHINE)]);
  sees(start("lost"));
  traffic.attached();
  t.is(sees().sessions, "open");
  t.is(sees(end("a")).sessions, "none");
});
