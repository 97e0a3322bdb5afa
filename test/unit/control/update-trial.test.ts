import test, { type ExecutionContext } from "ava";
import { UnavailableError } from "../../../src/base/index.ts";
import { UpdateInstaller } from "../../../src/control/update-install.ts";
import type { UpdateParts } from "../../../src/control/update-parts.ts";
import { UpdateTrial } from "../../../src/control/update-trial.ts";
import { ASKED, BUNDLE, updateBed, type UpdateBed } from "./update-bed.ts";

/** A log that takes nothing. */
const FULL: UpdateParts["audit"] = {
  append: () => Promise.reject(new UnavailableError("audit-full", "full")),
  related: () => [],
};

/** 0.2.0 is in slot B and waits. */
async function installed(t: ExecutionContext): Promise<UpdateBed> {
  const bed = updateBed(t);
  await new UpdateInstaller(bed.parts, () => false, 1).install(ASKED, () => {});
  return bed;
}

/** `detail.action` of what is on record. */
function actions(bed: UpdateBed): string[] {
  return bed.records().map(({ detail }) => String(detail?.["action"]));
}

/** The box was restarted into it. */
async function tried(t: ExecutionContext): Promise<{ bed: UpdateBed; trial: UpdateTrial }> {
  const bed = await installed(t);
  await new UpdateTrial(bed.parts).restart("alice", false);
  bed.rauc.marks.length = 0;
  const trial = new UpdateTrial(bed.as({ slot: "B", tryboot: true, version: "0.2.0", bootId: "two" }));
  await trial.start();
  return { bed, trial };
}

function last(bed: UpdateBed): string {
  return bed.said().at(-1) ?? "";
}

test("a restart is on record, then the firmware is told, then the box restarts", async (t) => {
  const bed = await installed(t);
  const mark = bed.rauc.mark.bind(bed.rauc);
  bed.rauc.mark = (...words) => {
    t.is(
      last(bed),
      "update-trial alice restarts the box into slot B with 0.2.0, on trial; no session is open",
    );
    t.like(bed.store.last(), { state: "trial", boot: "one" });
    t.is(bed.restarts, 0);
    return mark(...words);
  };
  t.deepEqual(await new UpdateTrial(bed.parts).restart("alice", false), { version: "0.2.0", sessions: 0 });
  t.deepEqual(bed.rauc.marks, ["active other"]);
  t.is(bed.restarts, 1);
});

test("who has a session open keeps it, unless somebody says now", async (t) => {
  const bed = await installed(t);
  bed.sessions = 3;
  const trial = new UpdateTrial(bed.parts);
  await t.throwsAsync(trial.restart("alice", false), { code: "update-sessions", message: /^3 sessions/ });
  t.is(bed.restarts, 0);
  t.is((await trial.restart("alice", true)).sessions, 3);
  t.regex(last(bed), /3 sessions end$/);
});

test("a firmware that takes no trial: no restart, on record, and it still waits", async (t) => {
  const bed = await installed(t);
  bed.rauc.refuses = "tryboot: this board's firmware has no one-shot flag";
  await t.throwsAsync(new UpdateTrial(bed.parts).restart("alice", false), { code: "rauc-refused" });
  t.is(bed.restarts, 0);
  t.like(bed.store.last(), { state: "installed", boot: "" });
  t.regex(last(bed), /^update-failed the firmware takes no trial: tryboot/);
});

test("without an update there is nothing to restart into", async (t) => {
  const bed = updateBed(t);
  await t.throwsAsync(new UpdateTrial(bed.parts).restart("alice", true), { code: "update-none" });
  t.is(bed.restarts, 0);
});

test("a healthy trial becomes the default: on record first, and good once RAUC says so", async (t) => {
  const { bed, trial } = await tried(t);
  const mark = bed.rauc.mark.bind(bed.rauc);
  bed.rauc.mark = (...words) => {
    t.is(last(bed), "update-good 0.2.0 in slot B is healthy, and becomes what the box starts");
    t.is(bed.store.last()?.state, "confirmed");
    return mark(...words);
  };
  t.true(trial.open);
  t.deepEqual(await trial.confirm(), { healthy: true, version: "0.2.0", why: [] });
  t.deepEqual(bed.rauc.marks, ["good booted"]);
  t.is(bed.store.last()?.state, "good");
  t.false(trial.open);
  t.deepEqual(await trial.confirm(), { healthy: true, version: "0.2.0", why: [] });
  t.deepEqual(bed.rauc.marks, ["good booted"], "once");
});

test("a trial that is not healthy commits nothing, however often it is asked", async (t) => {
  const { bed, trial } = await tried(t);
  bed.unhealthy = ["the gateway is away", "failed: niac-gateway.service"];
  const records = bed.said().length;
  // Nor is RAUC kept at work meanwhile.
  bed.rauc.primary = () => {
    throw new Error("asked");
  };
  for (let each = 0; each < 3; each++)
    t.deepEqual(await trial.confirm(), { healthy: false, version: "0.2.0", why: bed.unhealthy });
  t.deepEqual(bed.rauc.marks, []);
  t.is(bed.said().length, records);
  t.is(bed.store.last()?.state, "trial");
});

test("a commit that did not take is no good trial", async (t) => {
  const { bed, trial } = await tried(t);
  bed.rauc.commits = false;
  await t.throwsAsync(trial.confirm(), { code: "update-default", message: /still starts slot A/ });
  t.true(trial.open);
  t.is(bed.store.last()?.state, "confirmed");
  bed.rauc.commits = true;
  const records = bed.said().length;
  t.true((await trial.confirm()).healthy);
  t.is(bed.said().length, records, "that it is good is on record once");
});

test("given up: on record by the new slot, and the old one says no more than that to people", async (t) => {
  const { bed, trial } = await tried(t);
  await trial.giveUp("not healthy after 120 s: the gateway is away");
  t.is(
    last(bed),
    "update-rolled-back 0.2.0 was tried and is left, the box goes back to 0.1.0: not healthy after 120 s: the gateway is away",
  );
  const records = bed.said().length;
  const old = new UpdateTrial(bed.as({ bootId: "three" }));
  await old.start();
  t.is(bed.said().length, records);
  t.regex(bed.faults.at(-1) ?? "", /update to 0\.2\.0 was left: not healthy/);
  await old.dismiss("alice");
  t.is(bed.faults.at(-1), null);
  t.is(bed.store.last()?.state, "dismissed");
  await t.throwsAsync(old.dismiss("alice"), { code: "update-none" });
});

test("the old slot runs again and nobody gave up: it records so, with what was left or what it means", async (t) => {
  for (const failure of ["not healthy after 120 s: control did not answer", null]) {
    const { bed } = await tried(t);
    bed.failure = failure;
    await new UpdateTrial(bed.as({ bootId: "three" })).start();
    t.true(last(bed).startsWith("update-rolled-back 0.2.0"));
    t.true(last(bed).endsWith(failure ?? "the new slot did not come up: power cut, panic or watchdog"));
    t.is(bed.store.last()?.state, "rolled-back");
    const records = bed.said().length;
    await new UpdateTrial(bed.as({ bootId: "four" })).start();
    t.is(bed.said().length, records, "once");
  }
});

test("control that starts again before the box restarts takes the flag back, and the update waits", async (t) => {
  const bed = await installed(t);
  await new UpdateTrial(bed.parts).restart("alice", false);
  bed.rauc.marks.length = 0;
  const again = new UpdateTrial(bed.parts);
  t.is(await again.start(), null);
  t.like(bed.store.last(), { state: "installed", boot: "" });
  t.deepEqual(bed.rauc.marks, ["bad other"]);
  t.is((await again.restart("alice", false)).version, "0.2.0");
});

test("a trial that somebody else began is called good or left as well", async (t) => {
  const bed = updateBed(t);
  const parts = bed.as({ slot: "B", tryboot: true, version: "0.2.0" });
  const trial = new UpdateTrial(parts);
  await trial.start();
  t.true((await trial.confirm()).healthy);
  t.deepEqual(bed.said(), ["update-good 0.2.0 in slot B is healthy, and becomes what the box starts"]);
  bed.rauc.default = "A";
  await new UpdateTrial(parts).giveUp("no");
  t.is(last(bed), "update-rolled-back 0.2.0 is left: no");
});

test("a slot that ran in a damaged one's place says so on record, and as a fault until the damaged one is written anew", async (t) => {
  const bed = updateBed(t);
  const parts = bed.as({ slot: "B", tryboot: true, version: "0.2.0", damaged: "A" });
  const trial = new UpdateTrial(parts);
  await trial.start();
  t.true((await trial.confirm()).healthy);
  const became = "update-good 0.2.0 in slot B is healthy, and becomes what the box starts";
  t.deepEqual(bed.said(), [`${became}; slot A of the card is damaged`]);
  t.regex(bed.faults.at(-1) ?? "", /^slot A is damaged: .* runs from slot B$/);
  const wish = { id: "a", begun: 1, source: "x", by: "alice", from: "0.2.0", version: "0.3.0", hash: "h" };
  const anew = bed.store.begin({ ...wish, slot: "A" });
  bed.store.set(anew, 2, { state: "installed" });
  trial.tell();
  t.is(bed.faults.at(-1), null, "written anew, and waiting for a restart");
  await new UpdateTrial(bed.as({ slot: "A", version: "0.3.0", damaged: null })).start();
  t.is(bed.faults.at(-1), null);
});

test("what is not on trial is not given up", async (t) => {
  const bed = updateBed(t);
  await t.throwsAsync(new UpdateTrial(bed.parts).giveUp("no"), { code: "update-none" });
  t.deepEqual(bed.said(), []);
});

test("the installation that was under way is handed to whoever follows it", async (t) => {
  const bed = updateBed(t);
  const update = bed.store.begin({
    source: ASKED.source,
    by: ASKED.by,
    id: "one",
    begun: 1,
    from: "0.1.0",
    version: "0.2.0",
    hash: "",
    slot: "B",
  });
  t.deepEqual(await new UpdateTrial(bed.parts).start(), update);
});

test("what was called good is no trial for the rest of that start: control may end and come back, and the next update may be installed", async (t) => {
  const { bed, trial } = await tried(t);
  await trial.confirm();
  const records = bed.said().length;
  const parts = bed.as({ slot: "B", tryboot: true, version: "0.2.0", bootId: "two" });
  const again = new UpdateTrial(parts);
  await again.start();
  t.false(again.open);
  t.is(bed.said().length, records);
  t.is(bed.store.last()?.state, "good");
  await t.throwsAsync(again.giveUp("nobody waits"), { code: "update-none" });
  bed.rauc.bundle = { ...BUNDLE, version: "0.3.0" };
  bed.rauc.steps = [{ busy: false, percent: 100, step: "", error: "" }];
  bed.rauc.into = "A";
  const next = await new UpdateInstaller(parts, () => again.open, 1).install(ASKED, () => {});
  t.like(next, { state: "installed", slot: "A", version: "0.3.0" });
  t.is((await again.restart("alice", false)).version, "0.3.0");
});

test("RAUC that does not say what the default is leaves a trial what it is", async (t) => {
  const { bed } = await tried(t);
  bed.rauc.primary = () => Promise.reject(new UnavailableError("rauc-away", "no answer"));
  const again = new UpdateTrial(bed.as({ slot: "B", tryboot: true, version: "0.2.0", bootId: "two" }));
  await again.start();
  t.true(again.open);
  t.is(bed.store.last()?.state, "trial");
});

test("cut off between the commit and its end: good at the next start, and the commit is made whole", async (t) => {
  const { bed } = await tried(t);
  bed.rauc.default = "B";
  for (const box of [
    { slot: "B", tryboot: true, version: "0.2.0", bootId: "two" },
    { slot: "B", tryboot: false, version: "0.2.0", bootId: "three" },
  ] as const) {
    bed.rauc.marks.length = 0;
    const update = bed.store.last();
    if (update !== null) bed.store.set(update, 1, { state: "confirmed" });
    await new UpdateTrial(bed.as(box)).start();
    t.is(bed.store.last()?.state, "good");
    t.deepEqual(bed.rauc.marks, ["good booted"], "what raises the floor, too");
    t.false(bed.said().some((line) => line.startsWith("update-rolled-back")));
  }
});

test("a commit whose answer was lost is one: the next question finds it, and so does giving up", async (t) => {
  for (const ends of ["confirm", "giveUp"] as const) {
    const { bed, trial } = await tried(t);
    bed.rauc.mark = () => {
      bed.rauc.default = "B";
      return Promise.reject(new UnavailableError("rauc-away", "no answer"));
    };
    await t.throwsAsync(trial.confirm(), { code: "rauc-away" });
    t.true(trial.open);
    t.is(bed.store.last()?.state, "confirmed");
    // What is the default already is not left for what came after.
    bed.unhealthy = ["the gateway is away"];
    const healthy =
      ends === "confirm"
        ? (await trial.confirm()).healthy
        : (await trial.giveUp("the gateway is away")).healthy;
    t.true(healthy, ends);
    t.is(bed.store.last()?.state, "good");
    t.false(trial.open);
    t.deepEqual(actions(bed).slice(-2), ["update-trial", "update-good"], "once, and nothing else");
  }
});

test("what was called the default by somebody else while it was on trial is good, and on record", async (t) => {
  const { bed, trial } = await tried(t);
  bed.rauc.default = "B";
  bed.unhealthy = ["the gateway is away"];
  t.deepEqual(await trial.giveUp("the gateway is away"), { healthy: true, version: "0.2.0" });
  t.regex(last(bed), /^update-good 0\.2\.0 is the default already/);
  t.is(bed.store.last()?.state, "good");
});

test("recorded as left while RAUC was silent, and the default all the same: the next start corrects it", async (t) => {
  const { bed, trial } = await tried(t);
  bed.rauc.primary = () => Promise.reject(new UnavailableError("rauc-away", "no answer"));
  t.false((await trial.giveUp("no answer")).healthy);
  const next = new UpdateTrial(bed.as({ slot: "B", tryboot: false, version: "0.2.0", bootId: "three" }));
  await next.start();
  t.is(bed.store.last()?.state, "good");
  t.regex(last(bed), /^update-good 0\.2\.0 is the default already/);
  t.is(bed.faults.at(-1), null);
});

test("a question that is still being answered when the trial is given up calls nothing good afterwards", async (t) => {
  const { bed, trial } = await tried(t);
  const { promise, resolve: answer } = Promise.withResolvers<string[]>();
  const { promise: question, resolve: put } = Promise.withResolvers<void>();
  const slow = new UpdateTrial({
    ...bed.as({ slot: "B", tryboot: true, version: "0.2.0", bootId: "two" }),
    unhealthy: () => {
      put();
      return promise;
    },
  });
  await slow.start();
  const asked = slow.confirm();
  await question;
  t.false((await slow.giveUp("not healthy after 300 s")).healthy);
  answer([]);
  t.like(await asked, { healthy: false });
  t.deepEqual(bed.rauc.marks, []);
  t.is(bed.store.last()?.state, "rolled-back");
  t.true(trial.open);
});

test("a trial of somebody else's whose commit fails is called good on record once", async (t) => {
  const bed = updateBed(t);
  const trial = new UpdateTrial(bed.as({ slot: "B", tryboot: true, version: "0.2.0" }));
  await trial.start();
  bed.rauc.commits = false;
  for (let each = 0; each < 3; each++) await t.throwsAsync(trial.confirm(), { code: "update-default" });
  bed.rauc.commits = true;
  t.true((await trial.confirm()).healthy);
  t.is(bed.said().length, 1);
});

test("a restart that cannot be asked for takes the flag back, and the update waits", async (t) => {
  const bed = await installed(t);
  const parts = {
    ...bed.parts,
    restart: () => {
      throw new Error("no space left on device");
    },
  };
  await t.throwsAsync(new UpdateTrial(parts).restart("alice", false), { message: /no space/ });
  t.like(bed.store.last(), { state: "installed", boot: "" });
  t.deepEqual(bed.rauc.marks, ["active other", "bad other"]);
  t.regex(last(bed), /^update-failed the box is not restarted into a trial: no space/);
});

test("a record that is not made changes no state: they come together", async (t) => {
  const bed = await installed(t);
  await t.throwsAsync(new UpdateTrial({ ...bed.parts, audit: FULL }).restart("alice", false), {
    code: "audit-full",
  });
  t.is(bed.store.last()?.state, "installed");
  t.deepEqual(bed.rauc.marks, []);
  const { bed: other } = await tried(t);
  const trial = new UpdateTrial({
    ...other.as({ slot: "B", tryboot: true, version: "0.2.0", bootId: "two" }),
    audit: FULL,
  });
  await trial.start();
  await t.throwsAsync(trial.confirm(), { code: "audit-full" });
  t.is(other.store.last()?.state, "trial");
  await t.throwsAsync(trial.giveUp("no"), { code: "audit-full" });
  t.is(other.store.last()?.state, "trial");
});
