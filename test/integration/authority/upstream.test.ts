/** The appliance as the client of a site's own authority, against an EST server that is not niac's. */
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { AuditLog, createRecords, openDatabase } from "../../../src/audit/index.ts";
import { openKeyring } from "../../../src/seal/keyring.ts";
import type { Subject } from "../../../src/authority/contract.ts";
import { createUpstream, UpstreamStore } from "../../../src/authority/upstream-store.ts";
import { UpstreamAuthority } from "../../../src/authority/upstream.ts";
import { NiacError, systemClock } from "../../../src/base/index.ts";
import {
  freshRequest,
  generateKey,
  makeName,
  makeRequest,
  readRequest,
  type AltName,
  type CertificationRequest,
} from "../../../src/x509/index.ts";
import { EstServer, type EstServerOptions } from "../../support/est-server.ts";
import { until } from "../../support/processes.ts";

const NAME = "box.plant.example";
const NAMES = { commonName: NAME, dns: [NAME, `*.${NAME}`], ip: ["10.20.0.100"] };
const ALICE: Subject = {
  tier: "managed",
  tenant: null,
  user: "alice",
  device: "laptop-7",
  groups: ["maintenance"],
  role: null,
  until: null,
};
const LIFE = 86_400_000;

interface Bed {
  readonly server: EstServer;
  readonly dir: string;
  readonly audit: AuditLog;
  readonly warnings: string[];
  /** As control starts it, from what is kept. */
  readonly open: () => UpstreamAuthority;
  readonly delegation: () => Parameters<UpstreamAuthority["identity"]["init"]>[0];
}

async function bed(t: ExecutionContext, options: EstServerOptions = {}): Promise<Bed> {
  const server = await EstServer.start(t, options);
  const dir = mkdtempSync(join(tmpdir(), "niac-upstream-"));
  const db = openDatabase(join(dir, "niac.db"), [createRecords, createUpstream]);
  const audit = new AuditLog(db, "box", { clock: systemClock, onFatal: (error) => t.fail(error.message) });
  t.teardown(async () => {
    await audit.close();
    db.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const warnings: string[] = [];
  const machineId = join(dir, "machine-id");
  writeFileSync(machineId, "0123456789abcdef0123456789abcdef\n");
  const keyring = openKeyring({
    seal: { tpm: "none", keyFile: null, passphraseFile: null },
    stateDir: dir,
    machineId,
  });
  return {
    server,
    dir,
    audit,
    warnings,
    open() {
      const upstream = new UpstreamAuthority({
        store: new UpstreamStore(db),
        audit,
        clock: systemClock,
        log: {
          info: () => {},
          warn: (about, message) => warnings.push(`${message} ${JSON.stringify(about)}`),
        },
        keyring: () => keyring,
        changed: () => {},
      });
      t.teardown(() => upstream.identity.stop());
      return upstream;
    },
    delegation() {
      const auth = { user: server.user, code: server.code };
      return { url: server.url, trust: { ca: server.root }, auth, name: NAME, by: "admin" };
    },
  };
}

async function own(names = NAMES): Promise<CertificationRequest> {
  return readRequest((await freshRequest(names)).request);
}

async function laptops(user: string, altNames: readonly AltName[]): Promise<CertificationRequest> {
  return readRequest(makeRequest({ subject: makeName([["CN", user]]), altNames }, await generateKey("p256")));
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    return error instanceof NiacError ? error.code : String(error);
  }
}

const DEVICE = { uri: "urn:niac:device:laptop-7" };

test("the box enrols by a code, then has its own and laptops' certificates signed by its identity", async (t) => {
  const { server, open, delegation, audit } = await bed(t);
  const upstream = open();
  await t.throwsAsync(upstream.infrastructure(await own(), NAMES, LIFE, "gateway"), { code: "no-authority" });
  t.throws(() => upstream.cacerts(), { code: "no-authority" });
  await upstream.identity.init(delegation());
  t.like(upstream.identity.view(), { url: server.url, name: NAME, problem: null });
  t.deepEqual(
    upstream.cacerts().map((der) => new X509Certificate(der).subject),
    ["CN=Site Root", "CN=Site Issuing"],
  );

  const gateway = await upstream.infrastructure(await own(), NAMES, LIFE, "gateway");
  t.is(new X509Certificate(gateway.certificate).subject, `CN=${NAME}`);
  t.is(gateway.chain.length, 2);
  const laptop = await upstream.issue(await laptops("alice", [DEVICE]), ALICE, "admin");
  const { fingerprint256 } = new X509Certificate(laptop.certificate);
  const held = upstream.holder(fingerprint256.replaceAll(":", "").toLowerCase());
  t.deepEqual(held, { subject: ALICE, notAfter: laptop.notAfter });
  t.is(upstream.holder("00".repeat(32)), null);

  const records = audit.read({ limit: 10 });
  t.deepEqual(
    records.map(({ kind }) => kind),
    ["trust", "trust", "trust"],
  );
  t.regex(records[2]?.reason ?? "", /issued a certificate to alice on laptop-7, let in by admin/);
  t.is(await codeOf(upstream.identity.init(delegation())), "upstream-there");
});

test("identity and what was issued outlive a restart, and the key lies sealed", async (t) => {
  const { open, delegation, server, dir } = await bed(t, { reuse: true });
  const first = open();
  await first.identity.init(delegation());
  const laptop = await first.issue(await laptops("alice", [DEVICE]), ALICE, "admin");
  first.identity.stop();
  const again = open();
  again.identity.start();
  const { fingerprint256 } = new X509Certificate(laptop.certificate);
  t.like(again.holder(fingerprint256.replaceAll(":", "").toLowerCase()), { subject: ALICE });
  t.is((await again.infrastructure(await own(), NAMES, LIFE, "gateway")).chain.length, 2);
  t.false((await server.asked()).includes("simplereenroll 200"));
  for (const file of ["niac.db", "niac.db-wal"]) {
    const bytes = readFileSync(join(dir, file));
    t.true(bytes.length > 0 && !bytes.includes("PRIVATE KEY"), file);
  }
});

test("a request that says more than was decided is not passed on", async (t) => {
  const { open, delegation, server } = await bed(t);
  const upstream = open();
  await upstream.identity.init(delegation());
  const before = (await server.asked()).length;
  const refused: Array<[string, readonly AltName[]]> = [
    ["bob", [DEVICE]],
    ["alice", []],
    ["alice", [{ uri: "urn:niac:device:laptop-8" }]],
    ["alice", [DEVICE, { uri: "urn:niac:device:laptop-8" }]],
    ["alice", [DEVICE, { uri: "urn:niac:group:admins" }]],
    ["alice", [DEVICE, { uri: "urn:niac:tier:contractor" }]],
    ["alice", [DEVICE, { uri: "urn:niac:tenant:other" }]],
    ["alice", [DEVICE, { uri: "https://plant.example/" }]],
    ["alice", [DEVICE, { dns: NAME }]],
    ["alice", [DEVICE, { ip: "10.20.0.100" }]],
    ["alice", [DEVICE, { email: "alice@plant.example" }]],
    ["alice", [DEVICE, { uri: "urn:niac:group:%zz" }]],
  ];
  for (const [user, names] of refused)
    t.is(
      await codeOf(upstream.issue(await laptops(user, names), ALICE, "admin")),
      "name-refused",
      JSON.stringify(names),
    );
  for (const names of [
    { ...NAMES, commonName: "other" },
    { ...NAMES, dns: [...NAMES.dns, "plc.plant.example"] },
    { ...NAMES, ip: [] },
  ])
    t.is(await codeOf(upstream.infrastructure(await own(names), NAMES, LIFE, "gateway")), "name-refused");
  t.is((await server.asked()).length, before);
  const allowed = [DEVICE, { uri: "urn:niac:group:maintenance" }, { uri: "urn:niac:tier:managed" }];
  t.is((await upstream.issue(await laptops("alice", allowed), ALICE, "admin")).chain.length, 2);
});

for (const [fault, code] of [
  ["names", "upstream-answer"],
  ["other-key", "est-other-key"],
  ["stranger", "est-chain"],
  ["500", "est-failed"],
] as const) {
  test(`an answer that is not what was asked for is not used: ${fault}`, async (t) => {
    const { open, delegation, server, audit } = await bed(t);
    const upstream = open();
    await upstream.identity.init(delegation());
    await server.order({ fault });
    const records = audit.size;
    t.is(await codeOf(upstream.issue(await laptops("alice", [DEVICE]), ALICE, "admin")), code);
    t.is(await codeOf(upstream.infrastructure(await own(), NAMES, LIFE, "gateway")), code);
    t.is(audit.size, records);
    await server.order({ fault: null });
    t.is((await upstream.infrastructure(await own(), NAMES, LIFE, "gateway")).chain.length, 2);
  });
}

test("a contractor's certificate that would outlive his access is not handed out", async (t) => {
  const { open, delegation } = await bed(t);
  const upstream = open();
  await upstream.identity.init(delegation());
  const contractor: Subject = { ...ALICE, tier: "contractor", until: Date.now() + 3_600_000 };
  await t.throwsAsync(upstream.issue(await laptops("alice", [DEVICE]), contractor, "admin"), {
    code: "upstream-answer",
    message: /alice has access until/,
  });
});

test("an approval that takes its time: the same command again asks with the same request", async (t) => {
  const { open, delegation, server } = await bed(t, { reuse: true });
  await server.order({ wait: 1 });
  const upstream = open();
  await t.throwsAsync(upstream.identity.init(delegation()), { code: "upstream-waits" });
  t.like(upstream.identity.view(), { notAfter: null });
  const again = open();
  await again.identity.init(delegation());
  t.truthy(again.identity.view()?.notAfter);
  await server.order({ wait: 1 });
  await t.throwsAsync(again.infrastructure(await own(), NAMES, LIFE, "gateway"), { code: "upstream-waits" });
});

test("the identity renews itself, keeps the old one while the authority is away, and says so", async (t) => {
  const { open, delegation, server, audit, warnings } = await bed(t, { life: 30 });
  const upstream = open();
  await upstream.identity.init(delegation());
  const first = upstream.identity.view()?.notAfter ?? 0;
  await until(() => (upstream.identity.view()?.notAfter ?? 0) > first, "a renewal");
  await server.order({ fault: "500" });
  await until(() => upstream.identity.view()?.problem !== null, "a problem");
  t.regex(upstream.identity.view()?.problem ?? "", /failed at simplereenroll/);
  t.regex(warnings[0] ?? "", /cannot be renewed/);
  t.true(upstream.identity.there);
  const reasons = audit.read({ limit: 100 }).map(({ reason }) => reason ?? "");
  await until(
    () =>
      audit.read({ limit: 100 }).some(({ reason }) => /cannot be renewed, and ends on/.test(reason ?? "")),
    `a record: ${reasons.join("; ")}`,
  );
});
