import test from "ava";
import { readCrl } from "../../../src/x509/index.ts";
import { ALICE, asked, initialised, issued, type Bed } from "./plant-bed.ts";

const ALL = { root: false, infrastructure: false, tier: null, tenant: null };

function listed(bed: Bed, authority: string): string[] {
  const der = bed.plant.crl(authority);
  return der === null
    ? []
    : Array.from(readCrl(der).entries(), ({ serialNumber }) => serialNumber).toSorted();
}

test("a certificate is revoked by serial number, fingerprint, user or device, and no other with it", async (t) => {
  const bed = await initialised(t);
  const bob = await issued(bed, { ...ALICE, user: "bob", device: "laptop-8" });
  const ways = ["serial", "fingerprint", "user", "device"] as const;
  for (const what of ways) {
    const made = await issued(bed);
    const value = {
      serial: made.serialNumber,
      fingerprint: made.fingerprint,
      user: "alice",
      device: "laptop-7",
    }[what];
    const { certificates, list } = await bed.plant.revoke(what, value, `by ${what}`, "admin");
    t.deepEqual(
      certificates.map(({ serial }) => serial),
      [made.serialNumber],
    );
    t.is(list, null);
    t.like(bed.revoked.at(-1), { fingerprint: made.fingerprint, reason: `by ${what}` });
    const refusal = bed.plant.check({ authority: null, ...made })?.refusal;
    t.is(refusal?.code, "revoked");
    t.regex(refusal?.reason ?? "", new RegExp(`was revoked on .* by admin: by ${what}$`));
    t.true(listed(bed, "managed 3").includes(made.serialNumber));
    const record = bed.records().findLast(({ ref }) => ref === `issue-${made.serialNumber}`);
    t.like(record, { kind: "trust", identity: { user: "alice", fingerprint: made.fingerprint } });
    t.is(record?.reason, `certificate revoked by admin: by ${what}`);
  }
  t.is(bed.revoked.length, 4);
  t.not(bed.plant.holder(bob.fingerprint), null);
  await t.throwsAsync(bed.plant.revoke("user", "alice", "again", "admin"), {
    code: "nothing-to-revoke",
    message: /no certificate in force with the user alice/,
  });
});

test("a revocation that cannot be recorded is told, and has not happened", async (t) => {
  const bed = await initialised(t);
  const made = await issued(bed);
  const append = bed.audit.append.bind(bed.audit);
  bed.audit.append = () => Promise.reject(new Error("the disk is full"));
  await t.throwsAsync(bed.plant.revoke("user", "alice", "lost", "admin"), { message: "the disk is full" });
  t.not(bed.plant.holder(made.fingerprint), null);
  t.deepEqual(bed.revoked, []);
  bed.audit.append = append;
  await bed.plant.revoke("user", "alice", "lost", "admin");
  t.is(bed.plant.holder(made.fingerprint), null);
});

test("all of a person's certificates end, however many there are", async (t) => {
  const bed = await initialised(t);
  const { fingerprint } = await issued(bed);
  const stored = bed.plant.store.byFingerprint(fingerprint);
  if (stored === null) throw new Error("it is not in the book");
  bed.db.transaction(() => {
    for (let at = 1; at <= 1_200; at++) {
      const serial = at.toString(16).padStart(32, "0");
      bed.plant.store.putCertificate({ ...stored, serial, fingerprint: serial });
    }
  })();
  const { certificates } = await bed.plant.revoke("user", "alice", "left", "admin");
  t.is(certificates.length, 1_201);
  t.is(bed.revoked.length, 1_201);
  t.deepEqual(bed.plant.store.live({ user: "alice" }, bed.time.now, 10), []);
  t.is(listed(bed, "managed 3").length, 1_201);
});

test("an authority is revoked with all that it issued; its key goes, and its root's list tells", async (t) => {
  const bed = await initialised(t);
  const managed = await issued(bed);
  const byod = await issued(bed, { ...ALICE, tier: "byod" });
  const { certificates } = await bed.plant.revoke("authority", "managed 3", "its key was copied", "admin");
  t.deepEqual(
    certificates.map(({ fingerprint }) => fingerprint),
    [managed.fingerprint],
  );
  t.like(bed.revoked, [{ fingerprint: managed.fingerprint, reason: "its key was copied" }]);
  t.is(bed.plant.holder(managed.fingerprint), null);
  t.not(bed.plant.holder(byod.fingerprint), null);
  t.is(bed.plant.store.authority(3)?.key, null);
  t.deepEqual(listed(bed, "root 1"), [bed.plant.store.authority(3)?.serial]);
  t.regex(
    bed.plant.check({ authority: null, ...managed })?.refusal?.reason ?? "",
    /issued by "managed 3", and "managed 3" was revoked: its key was copied/,
  );
  t.false(bed.plant.authorities().some(({ name }) => name === "managed 3"));
  const { request } = await asked();
  await t.throwsAsync(bed.plant.issue(request, ALICE, "admin"), {
    code: "no-issuer",
    message: /tier managed/,
  });
  await bed.plant.rotate({ ...ALL, tier: "managed" }, null, "admin");
  await t.notThrowsAsync(bed.plant.issue(request, ALICE, "admin"));
  await t.throwsAsync(bed.plant.revoke("authority", "3", "again", "admin"), { code: "authority-ended" });
  await t.throwsAsync(bed.plant.revoke("authority", "root 1", "x", "admin"), { code: "root" });
  await t.throwsAsync(bed.plant.revoke("authority", "managed", "x", "admin"), { code: "no-such-authority" });
});

test("two revocations and a rotation at once: each does its work, once", async (t) => {
  const bed = await initialised(t);
  const alices = [await issued(bed), await issued(bed)];
  const bob = await issued(bed, { ...ALICE, user: "bob", device: "laptop-8" });
  const { request } = await asked({ commonName: "alice" });
  const outcomes = await Promise.allSettled([
    bed.plant.revoke("user", "alice", "first", "admin"),
    bed.plant.revoke("device", "laptop-7", "second", "admin"),
    bed.plant.rotate(ALL, null, "admin"),
    bed.plant.revoke("user", "bob", "third", "admin"),
    bed.plant.issue(request, ALICE, "admin"),
  ]);
  const [first, second, rotation, third, fresh] = outcomes;
  t.is(rotation.status, "fulfilled");
  t.like(third, { status: "fulfilled", value: { certificates: { length: 1 } } });
  t.is(fresh.status, "fulfilled");
  // Who came first has revoked them; for the other there was nothing left, or only what was issued meanwhile.
  const revoked = [first, second].flatMap((each) =>
    each.status === "fulfilled" ? each.value.certificates : [],
  );
  const serials = revoked.map(({ serial }) => serial);
  t.is(new Set(serials).size, serials.length, "nothing is revoked twice");
  for (const { serialNumber, fingerprint } of [...alices, bob]) {
    t.is(bed.plant.holder(fingerprint), null);
    t.is(bed.records().filter(({ ref }) => ref === `issue-${serialNumber}`).length, 1, "and on record once");
  }
  t.deepEqual(
    listed(bed, "managed 3"),
    bed.plant.store
      .all({}, 100)
      .filter(({ revokedAt, authority }) => revokedAt !== null && authority === 3)
      .map(({ serial }) => serial)
      .toSorted(),
  );
});

test("an authority that is revoked while it signs has signed nothing", async (t) => {
  const bed = await initialised(t);
  const { request } = await asked();
  const [ended, late] = await Promise.allSettled([
    bed.plant.revoke("authority", "managed 3", "its key was copied", "admin"),
    bed.plant.issue(request, ALICE, "admin"),
  ]);
  t.is(ended.status, "fulfilled");
  // It was before or after; never in between.
  const [stored] = bed.plant.store.all({}, 10);
  t.is(late.status === "fulfilled", stored !== undefined);
  if (stored !== undefined) t.is(bed.plant.holder(stored.fingerprint), null);
});

test("sessions that ended are counted, and a listener that fails takes nothing back", async (t) => {
  const bed = await initialised(t);
  const first = await issued(bed);
  bed.plant.subscribe({ revoked: () => Promise.resolve(3) });
  t.is((await bed.plant.revoke("serial", first.serialNumber, "lost", "admin")).sessions, 3);
  bed.plant.subscribe({ revoked: () => Promise.reject(new Error("the gateway is away")) });
  const second = await issued(bed);
  t.is((await bed.plant.revoke("serial", second.serialNumber, "lost", "admin")).sessions, null);
  t.is(bed.plant.holder(second.fingerprint), null);
});

test("appliances' certificates leave the book a month after their end, laptops' stay", async (t) => {
  const bed = await initialised(t);
  const { request } = await asked();
  const names = { commonName: "box", dns: ["box.plant.example"], ip: [] };
  const { notAfter } = await bed.plant.infrastructure(request, names, 3_600_000, "gateway");
  await issued(bed);
  bed.time.now = notAfter + 30 * 86_400_000 - 1;
  await bed.plant.tend();
  t.is(bed.plant.store.all({}, 10).length, 2);
  bed.time.now += 2;
  await bed.plant.tend();
  t.deepEqual(
    bed.plant.store.all({}, 10).map(({ user }) => user),
    ["alice"],
  );
});
