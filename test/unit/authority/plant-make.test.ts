import test from "ava";
import { UnavailableError } from "../../../src/base/index.ts";
import { TIERS } from "../../../src/authority/index.ts";
import { isAuthority, KEY_ALGORITHMS, readCertificate } from "../../../src/x509/index.ts";
import { ALICE, asked, DAY, initialised, issued, memoryKeyring, openBed, type Bed } from "./plant-bed.ts";

const ALL = { root: false, infrastructure: false, tier: null, tenant: null };
const INIT = {
  name: "Plant 7",
  algorithm: "p256",
  tenants: [],
  lifetimes: {},
  crlUrl: null,
  by: "admin",
} as const;

function states(bed: Bed): string[] {
  return bed.plant.store.authorities.map(({ name, algorithm, state }) => `${name} ${algorithm} ${state}`);
}

for (const algorithm of KEY_ALGORITHMS) {
  test(`an authority of ${algorithm}: a root for 20 years, below it one for each tier and one for appliances, for 10`, async (t) => {
    const bed = await initialised(t, { algorithm });
    t.deepEqual(states(bed), [
      `root 1 ${algorithm} current`,
      `infrastructure 2 ${algorithm} current`,
      `managed 3 ${algorithm} current`,
      `byod 4 ${algorithm} current`,
      `contractor 5 ${algorithm} current`,
    ]);
    for (const { role, certificate, notAfter, list } of bed.plant.store.authorities.map((each) => ({
      ...each,
      list: bed.plant.store.list(each.id),
    }))) {
      const years = (notAfter - bed.time.now) / (365.25 * DAY);
      t.is(Math.round(years), role === "root" ? 20 : 10);
      t.true(isAuthority(readCertificate(certificate)));
      t.is(list?.entries, 0);
    }
    const { certificate } = await issued(bed);
    t.is(readCertificate(certificate).notAfter > bed.time.now, true);
  });
}

test("an authority is made once, and never overwritten, whoever comes second by a moment", async (t) => {
  const bed = openBed(t);
  const outcomes = await Promise.allSettled([
    bed.plant.init(INIT),
    bed.plant.init({ ...INIT, name: "Another" }),
  ]);
  t.is(outcomes[0].status, "fulfilled");
  t.like(outcomes[1], { status: "rejected", reason: { code: "authority-there" } });
  const before = states(bed);
  await t.throwsAsync(bed.plant.init({ ...INIT, name: "Another" }), { message: /already, of "Plant 7"/ });
  t.deepEqual(states(bed), before);
});

test("what cannot be is refused before any key is made", async (t) => {
  const bed = openBed(t);
  const wrong = [
    [{ name: "" }, "plant-name"],
    [{ name: " Plant" }, "plant-name"],
    [{ name: "Plant\n7" }, "plant-name"],
    [{ name: "x".repeat(65) }, "plant-name"],
    [{ tenants: ["Acme Inc"] }, "tenant-name"],
    [{ tenants: Array.from({ length: 17 }, (_, at) => `tenant-${at}`) }, "tenants"],
    [{ lifetimes: { managed: 1_000 } }, "lifetime"],
    [{ lifetimes: { byod: 4_000 * DAY } }, "lifetime"],
    [{ crlUrl: "https://box.plant.example/crl" }, "crl-url"],
    [{ crlUrl: "box" }, "crl-url"],
  ] as const;
  for (const [part, code] of wrong) await t.throwsAsync(bed.plant.init({ ...INIT, ...part }), { code });
  t.false(bed.plant.initialised);
  t.deepEqual(bed.records(), []);
});

test("without a keyring nothing is made, and it can be tried again", async (t) => {
  const away = new UnavailableError("tpm-missing", "the TPM is not there");
  let there = false;
  const keyring = memoryKeyring();
  const bed = openBed(t, { keyring: () => (there ? Promise.resolve(keyring) : Promise.reject(away)) });
  await t.throwsAsync(bed.plant.init(INIT), { is: away });
  t.false(bed.plant.initialised);
  t.deepEqual(bed.records(), []);
  there = true;
  await bed.plant.init(INIT);
  t.true(bed.plant.initialised);
});

test("tenants have authorities of their own for every tier, from the start or later", async (t) => {
  const bed = await initialised(t, { tenants: ["acme"] });
  await bed.plant.addTenant("builder", "admin");
  for (const tenant of ["acme", "builder"]) {
    const own = bed.plant.authorities().filter((each) => each.tenant === tenant);
    t.deepEqual(
      own.map(({ tier }) => tier),
      [...TIERS],
    );
  }
  await t.throwsAsync(bed.plant.addTenant("acme", "admin"), { code: "tenant-there" });
  await t.throwsAsync(bed.plant.addTenant("../x", "admin"), { code: "tenant-name" });
  const { request } = await asked();
  const made = await bed.plant.issue(request, { ...ALICE, tenant: "builder" }, "admin");
  t.is(bed.plant.store.bySerial(made.serialNumber)?.subject?.tenant, "builder");
  t.is(
    bed.plant.store.authority(bed.plant.store.bySerial(made.serialNumber)?.authority ?? 0)?.tenant,
    "builder",
  );
});

test("a tier goes over to another algorithm certificate by certificate, and both are good meanwhile", async (t) => {
  const bed = await initialised(t);
  const old = await issued(bed);
  t.deepEqual(await bed.plant.rotate({ ...ALL, tier: "managed" }, "ml-dsa-65", "admin"), ["managed 6"]);
  const fresh = await issued(bed);
  t.deepEqual(states(bed).slice(2), [
    "managed 3 p256 retiring",
    "byod 4 p256 current",
    "contractor 5 p256 current",
    "managed 6 ml-dsa-65 current",
  ]);
  for (const { fingerprint, serialNumber } of [old, fresh]) {
    t.is(bed.plant.check({ authority: null, serialNumber, fingerprint })?.refusal, null);
    t.not(bed.plant.holder(fingerprint), null);
  }
  t.deepEqual(
    bed.plant.authorities().map(({ name }) => name),
    ["managed 3", "byod 4", "contractor 5", "managed 6"],
  );
  // Past the old certificate's end, the next look ends the old authority, and its key is gone.
  bed.time.now = old.notAfter + 1;
  await bed.plant.tend();
  t.is(bed.plant.store.authority(3)?.state, "retired");
  t.is(bed.plant.store.authority(3)?.key, null);
  t.is(bed.plant.store.authority(3)?.revokedAt, null);
});

test("an old authority is kept as long as one certificate of it is good, and ended at once by command", async (t) => {
  const bed = await initialised(t);
  const { fingerprint, serialNumber } = await issued(bed);
  await t.throwsAsync(bed.plant.retire(ALL, "admin"), { code: "nothing-to-retire" });
  await bed.plant.rotate(ALL, null, "admin");
  await bed.plant.tend();
  t.deepEqual(
    bed.plant.store.authorities.filter(({ state }) => state === "retiring").map(({ name }) => name),
    ["managed 3"],
    "the others had nothing in force and are gone",
  );
  t.deepEqual(await bed.plant.retire(ALL, "admin"), { retired: ["managed 3"], cut: 1 });
  t.is(bed.plant.holder(fingerprint), null);
  t.regex(
    bed.plant.check({ authority: "managed 3", serialNumber, fingerprint })?.refusal?.reason ?? "",
    /"managed 3" was retired/,
  );
  t.is(bed.revoked.length, 1);
  const root = bed.plant.store.list(1);
  t.is(root?.entries, 1, "the root's list tells others");
});

test("a new root is taken over laptop by laptop, and nobody is locked out", async (t) => {
  const bed = await initialised(t);
  const names = { commonName: "box", dns: ["box.plant.example"], ip: [] };
  const { request } = await asked();
  const rootOf = async (): Promise<Buffer | undefined> =>
    (await bed.plant.infrastructure(request, names, DAY, "gateway")).chain.at(-1);
  const [oldRoot] = bed.plant.cacerts();
  const oldPrint = bed.plant.fingerprint();
  const old = await issued(bed);
  t.deepEqual(await bed.plant.rotate({ ...ALL, root: true }, "p384", "admin"), [
    "root 6",
    "infrastructure 7",
    "managed 8",
    "byod 9",
    "contractor 10",
  ]);
  const roots = bed.plant.cacerts().slice(0, 2);
  t.deepEqual(roots[0], oldRoot, "laptops that know only the old root still do");
  const fresh = await issued(bed);
  t.deepEqual(fresh.chain.at(-1), roots[1]);
  t.deepEqual(await rootOf(), oldRoot, "the appliance shows what every laptop knows");
  t.is(bed.plant.fingerprint(), oldPrint);
  bed.time.now = old.notAfter + 1;
  t.deepEqual(await rootOf(), roots[1], "until the last of the old certificates is past");
  t.not(bed.plant.fingerprint(), oldPrint);
  // The old infrastructure's certificates are past a day later, and then the old root.
  bed.time.now += DAY + 1;
  await bed.plant.tend();
  await bed.plant.tend();
  t.deepEqual(states(bed).slice(0, 6), [
    "root 1 p256 retired",
    "infrastructure 2 p256 retired",
    "managed 3 p256 retired",
    "byod 4 p256 retired",
    "contractor 5 p256 retired",
    "root 6 p384 current",
  ]);
  t.false(bed.plant.cacerts().some((der) => oldRoot?.equals(der)));
});

test("an old root is ended by command with all below it", async (t) => {
  const bed = await initialised(t);
  const old = await issued(bed);
  await bed.plant.rotate({ ...ALL, root: true }, null, "admin");
  const { retired, cut } = await bed.plant.retire({ ...ALL, root: true }, "admin");
  t.deepEqual([...retired].toSorted(), ["byod 4", "contractor 5", "infrastructure 2", "managed 3", "root 1"]);
  t.is(cut, 1);
  t.is(bed.plant.holder(old.fingerprint), null);
  t.is(bed.plant.cacerts().length, 5);
});

test("a scope that means nothing is refused", async (t) => {
  const bed = await initialised(t);
  await t.throwsAsync(bed.plant.rotate({ ...ALL, tenant: "acme" }, null, "admin"), { code: "scope" });
});

test("who listens is told of every change of authorities", async (t) => {
  const bed = await initialised(t);
  t.is(bed.changes, 1);
  await bed.plant.rotate({ ...ALL, infrastructure: true }, null, "admin");
  t.is(bed.changes, 2);
  await bed.plant.addTenant("acme", "admin");
  t.is(bed.changes, 3);
  await issued(bed);
  t.is(bed.changes, 3);
});
