import { setImmediate as turn } from "node:timers/promises";
import test from "ava";
import type { RecordDraft } from "../../../src/audit/index.ts";
import { basic, EstBed, requestFor } from "../../support/est-bed.ts";

/** Of the event loop: more than closing a listener takes. */
async function turns(): Promise<void> {
  for (let each = 0; each < 50; each++) await turn();
}

test("what was refused is on record when the service is closed, its sums too", async (t) => {
  const stored: RecordDraft[] = [];
  const bed = await EstBed.open({
    async append(drafts) {
      await turns();
      stored.push(...drafts);
    },
  });
  const { der } = await requestFor("alice");
  for (let each = 0; each < 2; each++) t.is((await bed.enroll(der, basic("alice", "no-code"))).status, 401);
  await bed.service.close();
  t.deepEqual(
    stored.map(({ decision, counts }) => [decision, counts]),
    [
      ["denial", undefined],
      ["denial", { refused: 1 }],
    ],
  );
  await bed.close();
});

test("a record that cannot be written keeps nobody from closing, and is told", async (t) => {
  const bed = await EstBed.open({ append: () => turns().then(() => Promise.reject(new Error("no room"))) });
  const { der } = await requestFor("alice");
  await bed.enroll(der, basic("alice", "no-code"));
  await bed.service.close();
  t.is(bed.faults.length, 1);
  t.regex(bed.faults[0] ?? "", /could not be recorded.*no room/);
  await bed.close();
});

test("an answer that is being made comes to its end before the service is closed", async (t) => {
  const [asked, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const happened: string[] = [];
  const bed = await EstBed.open({
    async posture() {
      asked.resolve();
      await go.promise;
      await turns();
      happened.push("answered");
      return { status: 200, type: "text/plain", body: "" };
    },
  });
  const sent = t.throwsAsync(bed.send("/.well-known/niac/posture", { body: "report" }));
  await asked.promise;
  const closing = bed.service.close().then(() => happened.push("closed"));
  await sent;
  go.resolve();
  await closing;
  t.deepEqual(happened, ["answered", "closed"]);
  await bed.close();
});
