import test from "ava";
import { pauseFor } from "../../../src/enrolment/posture-intake.ts";
import { postureAnswerSchema, type PostureAnswer } from "../../../src/est/posture-format.ts";
import { PostureTally } from "../../../src/enrolment/posture-tally.ts";
import { UnavailableError } from "../../../src/base/index.ts";
import type { PostureReport } from "../../../src/link/index.ts";
import type { PostureRequirement } from "../../../src/site/index.ts";
import type { Got } from "../../support/est-bed.ts";
import { until } from "../../support/processes.ts";
import { GOOD, managedReport } from "../../support/posture.ts";
import { DEVICE, ENCRYPTED, HOUR, mdm, PATH, withBed } from "../../support/posture-bed.ts";

function answerOf({ text }: Got): PostureAnswer {
  return postureAnswerSchema.parse(JSON.parse(text));
}

const reportAt = (received: number): PostureReport => ({
  device: "laptop-7",
  authority: null,
  tenant: null,
  by: "mdm-1",
  made: received,
  received,
  facts: GOOD,
});
const site = (...postures: Partial<PostureRequirement>[]) => ({
  postures: postures.map((one) => ({ ...ENCRYPTED, ...one })),
});
const seconds = (): number => Math.floor(Date.now() / 1_000);

test("a laptop's report is kept, and the answer says what it meets, until when, and when to come again", async (t) => {
  await withBed(async (bed) => {
    const at = seconds();
    const got = await bed.report(at);
    t.is(got.status, 200, got.text);
    t.is(got.headers["content-type"], "application/json");
    const { requirements, ...answer } = answerOf(got);
    t.deepEqual(answer, { device: DEVICE, by: "laptop", iat: at, again: 1_200 });
    t.is(requirements.length, 1);
    t.like(requirements[0], { name: "encrypted", met: true, until: at + HOUR / 1_000 });
    t.deepEqual(
      bed.kept.map(({ device, by, made, facts }) => ({ device, by, made, facts })),
      [{ device: DEVICE, by: "laptop", made: at * 1_000, facts: GOOD }],
    );
  });
});

test("a bad report is kept as well, and the answer says what is missing", async (t) => {
  await withBed(async (bed) => {
    const got = await bed.report(seconds(), { ...GOOD, diskEncryption: false });
    t.is(got.status, 200, got.text);
    const [first] = answerOf(got).requirements;
    t.like(first, { name: "encrypted", met: false, until: null });
    t.regex(first?.lack ?? "", /its disk is not encrypted/);
  });
});

test("a management system needs no certificate of its own", async (t) => {
  await withBed(async (bed) => {
    const got = await bed.post(managedReport(mdm.privateKey, "mdm-1", "laptop-9", seconds()));
    t.is(got.status, 200, got.text);
    t.like(answerOf(got), { device: "laptop-9", by: "mdm-1" });
  });
});

test("of two devices of one name, of two authorities, each has its own report, sum and answer", async (t) => {
  await withBed(async (bed) => {
    const at = seconds();
    await bed.report(at);
    await bed.report(at + 1);
    bed.issuing = { outside: true };
    const got = await bed.report(at - 5, { ...GOOD, diskEncryption: false });
    t.is(got.status, 200, "older than the other's, and no business of the other's");
    t.like(answerOf(got).requirements[0], { met: false });
    bed.issuing = { outside: false };
    const again = answerOf(await bed.report(at + 2));
    t.like(again.requirements[0], { met: true, until: at + 2 + HOUR / 1_000 });
    t.deepEqual(
      bed.kept.map(({ authority }) => authority !== null),
      [false, false, true, false],
    );
    await bed.intake.close();
    t.like(bed.summed[0], { counts: { reports: 2 } }, "the other's report ended no sum of this one's");
    t.is(bed.summed.length, 1);
  });
});

test("an older report than the one held is refused and on record; the same once more is not", async (t) => {
  await withBed(async (bed) => {
    const at = seconds();
    await bed.report(at);
    t.is((await bed.report(at)).status, 200);
    const older = await bed.report(at - 1);
    t.is(older.status, 409);
    t.regex(older.text, /there is one by the same signer of/);
    const other = await bed.report(at, { ...GOOD, edr: false });
    t.is(other.status, 409, "another one of the same second cannot be told to be newer");
    t.is(bed.kept.length, 1);
    await bed.est.service.close();
    const denied = () => bed.est.records.filter(({ stage }) => stage === "posture");
    await until(() => denied().length === 2, "both refusals to be on record");
    const denials = denied();
    t.deepEqual(
      denials.map(({ reason, counts }) => [reason, counts]),
      [
        [`a posture report of ${DEVICE} that is not newer than the one by the same signer`, undefined],
        [`a posture report of ${DEVICE} that is not newer than the one by the same signer`, { refused: 1 }],
      ],
    );
    t.like(denials[0], { kind: "trust", decision: "denial", presented: { subject: "CN=alice" } });
  });
});

test("signers do not get in each other's way: an older report of another one is taken", async (t) => {
  await withBed(async (bed) => {
    const at = seconds();
    await bed.report(at);
    const got = await bed.post(managedReport(mdm.privateKey, "mdm-1", DEVICE, at - 100));
    t.is(got.status, 200, got.text);
    t.is(bed.kept.length, 2);
  });
});

test("of two reports at once the older never takes the place of the newer", async (t) => {
  await withBed(async (bed) => {
    const at = seconds();
    const { promise, resolve } = Promise.withResolvers<void>();
    bed.pause = promise;
    const [one, other] = [bed.report(at), bed.report(at - 1)];
    resolve();
    const statuses = [(await one).status, (await other).status];
    t.is(statuses[0], 200);
    t.true(statuses[1] === 409 || bed.kept[0]?.made === (at - 1) * 1_000, "refused, or it came first");
    t.is(bed.kept.at(-1)?.made, at * 1_000);
  });
});

test("a revoked certificate reports nothing any more", async (t) => {
  await withBed(async (bed) => {
    bed.verdict = {
      refusal: { code: "revoked", reason: "certificate 07 was revoked", advice: "Enrol anew." },
      grace: null,
    };
    const got = await bed.report(seconds());
    t.is(got.status, 403);
    t.is(got.text, "certificate 07 was revoked.\nEnrol anew.\n");
    t.is(bed.kept.length, 0);
  });
});

test("where a report cannot be recorded now, the laptop is told to come again, and may", async (t) => {
  await withBed(async (bed) => {
    bed.failure = new UnavailableError("disk-full", "the disk is full", "Make room.");
    const at = seconds();
    const got = await bed.report(at);
    t.is(got.status, 503);
    t.is(got.headers["retry-after"], "30");
    bed.failure = null;
    t.is((await bed.report(at)).status, 200);
    t.deepEqual(bed.est.faults, []);
  });
});

test("another content type is refused, and neither a path below nor GET leads anywhere", async (t) => {
  await withBed(async (bed) => {
    const body = managedReport(mdm.privateKey, "mdm-1", "laptop-9", seconds());
    t.is((await bed.post(body, { headers: { "Content-Type": "text/plain" } })).status, 415);
    t.is((await bed.post(body, { headers: {} })).status, 415);
    t.is(
      (await bed.post(body, { headers: { "Content-Type": "application/jose; charset=utf-8" } })).status,
      200,
    );
    t.is((await bed.est.send(PATH)).status, 405);
    t.is((await bed.est.send(`${PATH}/laptop-9`, { body })).status, 404);
  });
});

test("17 KiB are told to be too many, and no connection is left behind", async (t) => {
  await withBed(async (bed) => {
    const got = await bed.post("A".repeat(17 * 1_024));
    t.is(got.status, 413);
    t.regex(got.text, /the report has 17408 bytes, and 16384 are taken/);
  });
});

test("reports that say nothing new are one record an hour, and what changes ends the sum before", async (t) => {
  await withBed(async (bed) => {
    const at = seconds() - 10;
    for (let each = 0; each < 4; each++) await bed.report(at + each);
    t.deepEqual(bed.summed, [], "nothing yet");
    await bed.report(at + 4, { ...GOOD, edr: false });
    t.is(bed.summed.length, 1);
    t.like(bed.summed[0], {
      kind: "trust",
      counts: { reports: 3 },
      reason: `reports by ${DEVICE} that said nothing new: 3`,
    });
    await bed.report(at + 5, { ...GOOD, edr: false });
    await bed.intake.close();
    t.like(bed.summed[1], { counts: { reports: 1 } });
    await bed.intake.close();
    t.is(bed.summed.length, 2);
  });
});

test("a sum is written once its hour is over", (t) => {
  const tally = new PostureTally();
  t.deepEqual(tally.add(reportAt(0)), []);
  t.deepEqual(tally.add(reportAt(HOUR - 1)), []);
  const [sum, ...more] = tally.add(reportAt(HOUR));
  t.like(sum, {
    time: HOUR,
    counts: { reports: 3 },
    duration: HOUR,
    detail: { action: "posture", device: "laptop-7", signer: "mdm-1" },
  });
  t.deepEqual(more, []);
  t.deepEqual(tally.takeAll(), []);
});

test("reports are asked for often enough that two may be lost, and by those alone whose word counts", (t) => {
  t.is(pauseFor(site(), "laptop"), null);
  t.is(pauseFor(site({ signedBy: "management" }), "laptop"), null);
  t.is(pauseFor(site({ signedBy: "laptop" }), "mdm-1"), null);
  t.is(pauseFor(site({ maxAge: 24 * HOUR }, { maxAge: 8 * HOUR }), "laptop"), 9_600);
  t.is(pauseFor(site({ maxAge: 60_000 }), "mdm-1"), 20);
  t.is(pauseFor(site({ maxAge: 720 * HOUR }), "mdm-1"), 86_400);
});
