import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { createRecords, openDatabase } from "../../../src/audit/index.ts";
import { Once } from "../../../src/enrolment/enrol-once.ts";
import { createEnrolment } from "../../../src/enrolment/enrol-schema.ts";

const [KEY, OTHER] = [Buffer.from("key"), Buffer.from("other key")];
const CREDENTIAL = Buffer.from("credential");
const TIMES = { now: 1_000_000, forget: 9_000_000 };

function bed(t: ExecutionContext) {
  const dir = mkdtempSync(join(tmpdir(), "niac-once-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const db = openDatabase(join(dir, "niac.db"), [createRecords, createEnrolment]);
  let issued = 0;
  const issue = () => Promise.resolve(Buffer.from(`certificate ${++issued}`));
  return { db, once: new Once(db), issue, count: () => issued };
}

test("one credential, one key, one certificate", async (t) => {
  const { once, issue, count } = bed(t);
  t.false(once.used(CREDENTIAL));
  t.deepEqual(await once.take(CREDENTIAL, KEY, TIMES, issue), Buffer.from("certificate 1"));
  t.true(once.used(CREDENTIAL));
  t.deepEqual(await once.take(CREDENTIAL, KEY, TIMES, issue), Buffer.from("certificate 1"));
  t.is(await once.take(CREDENTIAL, OTHER, TIMES, issue), null);
  const late = { ...TIMES, now: TIMES.now + 600_001 };
  t.is(await once.take(CREDENTIAL, KEY, late, issue), null);
  t.is(count(), 1);
});

test("a credential is not used up by an attempt that failed", async (t) => {
  const { once, issue } = bed(t);
  await t.throwsAsync(
    once.take(CREDENTIAL, KEY, TIMES, () => Promise.reject(new Error("away"))),
    { message: "away" },
  );
  t.false(once.used(CREDENTIAL));
  t.deepEqual(await once.take(CREDENTIAL, OTHER, TIMES, issue), Buffer.from("certificate 1"));
});

test("after a crash while it was issued, the credential is good for that key alone", async (t) => {
  const { db, once, issue } = bed(t);
  void once.take(CREDENTIAL, KEY, TIMES, () => new Promise(() => {}));
  const restarted = new Once(db);
  t.true(restarted.used(CREDENTIAL));
  t.is(await restarted.take(CREDENTIAL, OTHER, TIMES, issue), null);
  t.deepEqual(await restarted.take(CREDENTIAL, KEY, TIMES, issue), Buffer.from("certificate 1"));
});

test("a use is remembered as long as the credential would be good, and then forgotten", async (t) => {
  const { db, once, issue } = bed(t);
  await once.take(CREDENTIAL, KEY, TIMES, issue);
  await once.take(Buffer.from("another"), KEY, { now: TIMES.forget + 1, forget: TIMES.forget + 2 }, issue);
  t.false(new Once(db).used(CREDENTIAL));
});
