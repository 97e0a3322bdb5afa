import test from "ava";
import { isRefusal, readIdentity } from "../../../src/identity/index.ts";
import { readCertificate } from "../../../src/x509/index.ts";
import { ALICE, asked, DAY, initialised, openBed } from "./plant-bed.ts";

test("without an authority nobody is issued anything, and the reason says what to do", async (t) => {
  const { plant } = openBed(t);
  const { request } = await asked();
  await t.throwsAsync(plant.issue(request, ALICE, "admin"), {
    code: "no-authority",
    message: /no authority of its own/,
  });
  t.throws(() => plant.cacerts(), { code: "no-authority" });
  t.deepEqual(plant.authorities(), []);
  t.is(plant.holder("00"), null);
  t.is(plant.check({ authority: "managed 3", serialNumber: "01", fingerprint: "00" }), null);
  t.is(plant.initialised, false);
});

test("a laptop's certificate says what it was to say, and is on record", async (t) => {
  const bed = await initialised(t);
  const { request } = await asked({ commonName: "alice" });
  const issued = await bed.plant.issue(request, { ...ALICE, role: "Engineer" }, "admin");
  const identity = readIdentity(
    { leaf: issued.certificate, authorized: true, authorizationError: null },
    bed.time.now,
  );
  t.false(isRefusal(identity));
  t.like(identity, {
    user: "alice",
    device: "laptop-7",
    groups: ["maintenance"],
    role: "Engineer",
    tier: "managed",
  });
  t.is(issued.notAfter, Math.floor((bed.time.now + 90 * DAY) / 1000) * 1000);
  t.is(readCertificate(issued.certificate).serialNumber, issued.serialNumber);
  t.is(issued.chain.length, 2);
  const record = bed.audit.byId(`issue-${issued.serialNumber}`);
  t.like(record, { kind: "trust", identity: { user: "alice", serialNumber: issued.serialNumber } });
  t.regex(record?.reason ?? "", /certificate issued by "managed \d", let by admin/);
});
