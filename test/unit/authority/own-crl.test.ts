import test from "ava";
import { UnavailableError } from "../../../src/base/index.ts";
import { readCertificate, readCrl } from "../../../src/x509/index.ts";
import { DAY, initialised, issued, memoryKeyring, openBed, type Bed } from "./plant-bed.ts";

function list(bed: Bed, authority: string) {
  const der = bed.plant.crl(authority);
  if (der === null) throw new Error(`${authority} has no list`);
  return readCrl(der);
}

test("every authority has a list that its key signed, from the start", async (t) => {
  const bed = await initialised(t);
  for (const { name, certificate, role } of bed.plant.store.authorities) {
    const read = list(bed, name);
    t.true(read.verify(readCertificate(certificate)));
    t.is(read.nextUpdate, Math.floor((bed.time.now + (role === "root" ? 90 : 7) * DAY) / 1000) * 1000);
    t.true(read.thisUpdate <= bed.time.now);
    t.deepEqual([...read.entries()], []);
  }
});

test("a list is found by number, name or fingerprint of its authority", async (t) => {
  const bed = await initialised(t);
  const { fingerprint } = bed.plant.store.authority(3) ?? { fingerprint: "" };
  for (const name of ["3", "managed 3", fingerprint]) t.deepEqual(bed.plant.crl(name), bed.plant.crl("3"));
  t.throws(() => bed.plant.crl("33"), { code: "no-such-authority" });
});

test("a list is made anew at half of its life, with a higher number, and not before", async (t) => {
  const bed = await initialised(t);
  const first = list(bed, "managed 3");
  const root = list(bed, "root 1");
  bed.time.now += 3.4 * DAY;
  await bed.plant.tend();
  t.is(list(bed, "managed 3").number, first.number);
  bed.time.now += 0.2 * DAY;
  await bed.plant.tend();
  const second = list(bed, "managed 3");
  t.true((second.number ?? 0n) > (first.number ?? 0n));
  t.is(list(bed, "root 1").number, root.number, "a root's key is opened as seldom as can be");
  bed.time.now += 45 * DAY;
  await bed.plant.tend();
  t.true((list(bed, "root 1").number ?? 0n) > (root.number ?? 0n));
});

test("numbers go up though the clock goes back or stands still", async (t) => {
  const bed = await initialised(t);
  let last = list(bed, "managed 3").number ?? 0n;
  for (let at = 0; at < 3; at++) {
    const { serialNumber } = await issued(bed);
    await bed.plant.revoke("serial", serialNumber, "lost", "admin");
    const { number } = list(bed, "managed 3");
    t.true((number ?? 0n) > last);
    last = number ?? 0n;
    bed.time.now -= 1_000;
  }
});

test("what is past leaves the list, though it stays revoked", async (t) => {
  const bed = await initialised(t);
  const made = await issued(bed);
  await bed.plant.revoke("serial", made.serialNumber, "lost", "admin");
  t.is([...list(bed, "managed 3").entries()].length, 1);
  bed.time.now = made.notAfter + 1;
  await bed.plant.tend();
  t.deepEqual([...list(bed, "managed 3").entries()], []);
  t.is(bed.plant.check({ authority: null, ...made })?.refusal?.code, "revoked");
});

test("with the keys away a revocation counts at once, and the list follows when they are back", async (t) => {
  const keyring = memoryKeyring();
  const first = await initialised(t, { keyring: () => Promise.resolve(keyring) });
  const made = await issued(first);
  await first.audit.close();
  const away = { now: true };
  const bed = openBed(t, {
    path: first.path,
    keyring: () =>
      away.now
        ? Promise.reject(new UnavailableError("tpm-missing", "the TPM is not there"))
        : Promise.resolve(keyring),
  });
  const { list: problem } = await bed.plant.revoke("user", "alice", "lost", "admin");
  t.regex(problem ?? "", /list of "managed 3" could not be made: the TPM is not there/);
  t.is(bed.plant.problem, problem);
  t.is(bed.plant.check({ authority: null, ...made })?.refusal?.code, "revoked");
  t.is([...list(bed, "managed 3").entries()].length, 0);
  away.now = false;
  await bed.plant.tend();
  t.is([...list(bed, "managed 3").entries()].length, 1);
  t.is(bed.plant.problem, null);
});
