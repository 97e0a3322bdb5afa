import test from "ava";
import { UnavailableError } from "../../../src/base/index.ts";
import { isRefusal, readIdentity } from "../../../src/identity/index.ts";
import {
  isAuthority,
  keyUsagesOf,
  PURPOSE,
  purposesOf,
  readAuthorityKeyIdentifier,
  readCertificate,
  readSubjectAltName,
  readSubjectKeyIdentifier,
} from "../../../src/x509/index.ts";
import { ALICE, asked, DAY, initialised, issued, openBed } from "./plant-bed.ts";

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
  t.is(plant.crl("1"), null);
  t.is(plant.check({ authority: "managed 3", serialNumber: "01", fingerprint: "00" }), null);
  t.false(plant.initialised);
});

test("a laptop's certificate says what it was to say, and is on record", async (t) => {
  const bed = await initialised(t);
  const { request } = await asked({ commonName: "alice" });
  const made = await bed.plant.issue(request, { ...ALICE, role: "Engineer" }, "admin");
  const identity = readIdentity(
    { leaf: made.certificate, authorized: true, authorizationError: null },
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
  const read = readCertificate(made.certificate);
  t.is(read.serialNumber, made.serialNumber);
  t.deepEqual(purposesOf(read), [PURPOSE.clientAuth]);
  t.deepEqual(keyUsagesOf(read), ["digitalSignature"]);
  t.false(isAuthority(read));
  const [issuer] = made.chain.map(readCertificate);
  t.is(readAuthorityKeyIdentifier(read), issuer === undefined ? "" : readSubjectKeyIdentifier(issuer));
  t.is(made.chain.length, 2);
  const record = bed.audit.byId(`issue-${made.serialNumber}`);
  t.like(record, { kind: "trust", identity: { user: "alice", serialNumber: made.serialNumber } });
  t.is(record?.reason, 'certificate issued by "managed 3", let by admin');
});

test("serial numbers are random, of 16 bytes, and never the same", async (t) => {
  const bed = await initialised(t);
  const serials = new Set<string>();
  for (let at = 0; at < 50; at++) serials.add((await issued(bed)).serialNumber);
  t.is(serials.size, 50);
  for (const serial of serials) t.regex(serial, /^[4-7][0-9a-f]{31}$/);
});

test("two certificates with one serial number cannot be", async (t) => {
  const bed = await initialised(t);
  const { fingerprint } = await issued(bed);
  const stored = bed.plant.store.byFingerprint(fingerprint);
  if (stored === null) throw new Error("it is not in the book");
  t.throws(() => bed.plant.store.putCertificate({ ...stored, fingerprint: "00" }), {
    code: "SQLITE_CONSTRAINT_PRIMARYKEY",
  });
});

test("a certificate that is not on record is not handed out, and is in no book", async (t) => {
  const full = new UnavailableError("audit-full", "the audit log is full");
  const bed = await initialised(t);
  const { request } = await asked();
  const append = bed.audit.append.bind(bed.audit);
  bed.audit.append = () => Promise.reject(full);
  await t.throwsAsync(bed.plant.issue(request, ALICE, "admin"), { is: full });
  t.deepEqual(bed.plant.store.all({}, 10), []);
  bed.audit.append = append;
  await t.notThrowsAsync(bed.plant.issue(request, ALICE, "admin"));
});

test("a holder is known until his certificate ends or is revoked", async (t) => {
  const bed = await initialised(t);
  const { fingerprint, notAfter } = await issued(bed);
  t.deepEqual(bed.plant.holder(fingerprint), { subject: ALICE, notAfter });
  bed.time.now = notAfter;
  t.not(bed.plant.holder(fingerprint), null);
  bed.time.now = notAfter + 1;
  t.is(bed.plant.holder(fingerprint), null);
  bed.time.now = notAfter - DAY;
  await bed.plant.revoke("fingerprint", fingerprint.toUpperCase(), "lost", "admin");
  t.is(bed.plant.holder(fingerprint), null);
});

test("an appliance's certificate has exactly the names that control decided, and is nobody's identity here", async (t) => {
  const bed = await initialised(t);
  const names = {
    commonName: "box",
    dns: ["box.plant.example", "*.box.plant.example"],
    ip: ["10.0.0.1", "2001:db8::1"],
  };
  const { request } = await asked({ commonName: "box", altNames: [{ dns: "box.plant.example" }] });
  const made = await bed.plant.infrastructure(request, names, 3 * 8 * 3_600_000, "gateway");
  const read = readCertificate(made.certificate);
  t.like(readSubjectAltName(read), { dns: names.dns, ip: names.ip, uri: [], email: [], others: 0 });
  t.deepEqual(purposesOf(read), [PURPOSE.serverAuth, PURPOSE.clientAuth]);
  t.is(made.notAfter, Math.floor((bed.time.now + 86_400_000) / 1000) * 1000);
  const authorities = bed.plant.authorities().map(({ name }) => name);
  t.deepEqual(authorities, ["managed 3", "byod 4", "contractor 5"]);
  t.like(bed.audit.byId(`issue-${made.serialNumber}`), {
    kind: "trust",
    detail: { authority: "infrastructure 2" },
  });
  const [stored] = bed.plant.store.all({}, 10);
  t.is(bed.plant.holder(stored?.fingerprint ?? ""), null, "it holds no laptop's certificate");
});

test("an appliance's certificate that nobody could read is not made", async (t) => {
  const bed = await initialised(t);
  const dns = Array.from({ length: 300 }, (_, at) => `machine-${at}.${"x".repeat(50)}.plant.example`);
  const { request } = await asked();
  const names = { commonName: "box", dns, ip: [] };
  await t.throwsAsync(bed.plant.infrastructure(request, names, DAY, "gateway"), { code: "names-too-many" });
  t.deepEqual(bed.plant.store.all({}, 10), []);
});

test("who signed itself a certificate with the authority's name is told from who was issued one", async (t) => {
  const bed = await initialised(t);
  const { fingerprint, serialNumber } = await issued(bed);
  const good = { refusal: null, grace: null };
  t.deepEqual(bed.plant.check({ authority: "managed 3", serialNumber, fingerprint }), good);
  t.deepEqual(bed.plant.check({ authority: null, serialNumber, fingerprint }), good);
  const forged = bed.plant.check({ authority: "managed 3", serialNumber, fingerprint: "00".repeat(32) });
  t.like(forged, { refusal: { code: "revoked" } });
  t.regex(forged?.refusal?.reason ?? "", /"managed 3" has no record of the certificate/);
  t.is(bed.plant.check({ authority: "Another CA", serialNumber, fingerprint: "00".repeat(32) }), null);
});

test("a certificate is renewed only while the one before is good, up to the moment the new one is on record", async (t) => {
  const bed = await initialised(t);
  const before = await issued(bed);
  const { request } = await asked({ commonName: "alice" });
  const after = await bed.plant.issue(request, ALICE, "alice", before.fingerprint);
  t.regex(bed.audit.byId(`issue-${after.serialNumber}`)?.reason ?? "", /^certificate renewed by/);

  // The renewal is signed and waits for its commit when the revocation comes.
  const outcomes = await Promise.allSettled([
    bed.plant.revoke("user", "alice", "left the company", "admin"),
    bed.plant.issue(request, ALICE, "alice", before.fingerprint),
  ]);
  t.is(outcomes[0].status, "fulfilled");
  t.like(outcomes[1], { status: "rejected", reason: { code: "renews-revoked" } });
  t.deepEqual(bed.plant.store.live({ user: "alice" }, bed.time.now, 10), []);
  await t.throwsAsync(bed.plant.issue(request, ALICE, "alice", "00"), { code: "renews-revoked" });
});

test("all that a client needs is in cacerts, the roots first", async (t) => {
  const bed = await initialised(t, { tenants: ["acme"] });
  const names = bed.plant.cacerts().map((der) => readCertificate(der).subject);
  t.is(names.length, 8);
  const [root] = bed.plant.cacerts();
  t.deepEqual(root, bed.plant.store.standing("root")[0]?.certificate);
  t.is(bed.plant.fingerprint(), bed.plant.store.standing("root")[0]?.fingerprint ?? "");
  const { clientCa, serverCa } = bed.plant.trustedPem();
  t.is(clientCa.match(/BEGIN CERTIFICATE/g)?.length, 7);
  t.is(serverCa.match(/BEGIN CERTIFICATE/g)?.length, 1);
});
