import { join } from "node:path";
import test from "ava";
import { ProfileStore } from "../../src/laptop/store.ts";
import { FakedClock } from "../support/faked-clock.ts";
import { until } from "../support/processes.ts";
import { GOOD } from "../support/posture.ts";
import { answerOf, DEVICE, MAX_AGE, PostureBox } from "../support/posture-box.ts";
import { testWith } from "../support/tools.ts";

const BAD = { ...GOOD, diskEncryption: false };

testWith("faketime")(
  "a laptop works as long as its report is good and fresh, and is told what is wrong with it otherwise",
  async (t) => {
    const clock = FakedClock.create(t);
    const box = await PostureBox.start(t, {}, clock.environment);
    const { appliance } = box;

    const denied = await box.connect();
    t.is((await denied.read(10)).exception, 1, "without a report");
    const [refusal] = await appliance.recorded(1, "kind=session.refused");
    t.like(refusal, { stage: "posture", decision: "denial", rule: "maintenance-runs-press" });
    t.regex(
      refusal?.reason ?? "",
      /only from a laptop that meets "in-order": there is no report of laptop-of-alice/,
    );

    const good = await box.report(GOOD);
    t.is(good.status, 200, good.text);
    t.like(answerOf(good), { device: DEVICE, by: "laptop", again: MAX_AGE / 3 });
    t.like(answerOf(good).requirements[0], { name: "in-order", met: true });
    const stale = await box.working();
    box.ahead = MAX_AGE + 1;
    clock.shift(`+${box.ahead}`);
    await until(() => stale.ended, "the session to end once its report is too old");
    const [first] = await appliance.recorded(1, "kind=session.end");
    t.like(first, { stage: "posture", decision: "denial" });
    t.regex(first?.reason ?? "", /is stale: it counts for/);
    t.is((await (await box.connect()).read(10)).exception, 1);

    t.is((await box.report(GOOD)).status, 200);
    const [reading, looking] = [await box.working(), await box.looking()];
    const bad = await box.report(BAD);
    t.like(answerOf(bad).requirements[0], { met: false, until: null });
    await until(() => reading.ended && looking.closed, "both sessions to end");
    await until(
      () => box.screen.connections.every(({ destroyed }) => destroyed),
      "the machine's side to be closed",
    );
    const ends = await appliance.recorded(3, "kind=session.end");
    for (const end of ends.slice(1)) {
      t.like(end, { stage: "posture", decision: "denial" });
      t.regex(end.reason ?? "", /its disk is not encrypted \(report of .* by the laptop itself\)/);
    }

    t.is((await box.report(GOOD)).status, 200);
    await box.working();
    const reports = (await appliance.records("kind=trust")).flatMap(({ reason = "" }) =>
      reason.startsWith(`report by ${DEVICE}`) ? [reason] : [],
    );
    t.deepEqual(reports, [
      `report by ${DEVICE}: linux 6.12.30, disk encrypted, endpoint protection running`,
      `report by ${DEVICE}: linux 6.12.30, disk not encrypted, endpoint protection running`,
      `report by ${DEVICE}: linux 6.12.30, disk encrypted, endpoint protection running`,
    ]);
  },
);

test("reports that are forged, old or of another laptop change nothing, and are on record", async (t) => {
  const box = await PostureBox.start(t);
  t.is((await box.report(GOOD)).status, 200);
  const working = await box.working();
  t.is((await box.post("not a report")).status, 400);
  const old = await box.report(BAD, -3_600);
  t.is(old.status, 403, "of an hour ahead");
  t.regex(old.text, /more than 60 s ahead\.\nLook at the clock/);
  t.is((await working.read(10)).exception, 0);
  const [refused] = await box.appliance.recorded(1, "kind=trust", "stage=posture");
  t.like(refused, { decision: "denial", presented: { subject: "CN=alice" } });
});

test("reports outlive a restart, and none older than the one held is taken after it", async (t) => {
  const box = await PostureBox.start(t);
  t.is((await box.report(GOOD)).status, 200);
  await box.appliance.end("up");
  await box.appliance.run("up");
  await box.appliance.logged("laptops can enrol", box.appliance.log.lastIndexOf("control is ready"));
  await box.working();
  const { status, text } = await box.report(BAD, 3_600);
  t.is(status, 409, text);
});

test("niac posture --post reports by the profile that enrolment left, and shows the requirement", async (t) => {
  const box = await PostureBox.start(t);
  const home = join(box.appliance.dir, "home");
  const { chainPem, keyPem } = box.laptop;
  new ProfileStore(join(home, "niac"), "default").install({
    profile: {
      version: 1,
      box: `https://${box.address}`,
      label: null,
      via: `127.0.0.1:${box.appliance.servicesPort}`,
      appliance: "box.plant.example",
      user: "alice",
      device: DEVICE,
      algorithm: "p256",
      token: null,
    },
    identity: `${chainPem}${keyPem}`,
    ca: box.ca,
  });
  box.appliance.environment["XDG_CONFIG_HOME"] = home;
  const { code, out, err } = await box.appliance.niac("posture", "--post");
  t.is(code, 0, err);
  t.regex(
    out,
    /^disk encryption .*\n(.*\n)+\nREQUIREMENT +MET +HOW LONG, OR WHY NOT\nin-order +(?:yes|no) +\S/m,
  );
  const taken = await box.appliance.records("kind=trust");
  t.true(taken.some(({ reason }) => reason?.startsWith(`report by ${DEVICE}: linux `)));
});
