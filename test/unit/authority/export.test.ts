import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { openBackup, sealBackup } from "../../../src/seal/backup.ts";
import { plantView } from "../../../src/authority/plant-views.ts";
import { ALICE, asked, directory, initialised, issued, openBed } from "./plant-bed.ts";
import { CHEAP } from "./scratch.ts";

const WORDS = "correct horse battery staple";

test("an authority goes to another box whole: what it issued is good there, is renewed, and is revoked", async (t) => {
  const old = await initialised(t, { tenants: ["acme"] });
  const alice = await issued(old);
  const bob = await issued(old, { ...ALICE, user: "bob", device: "laptop-8", tenant: "acme" });
  await old.plant.revoke("user", "bob", "left", "admin");
  await old.plant.rotate(
    { root: false, infrastructure: false, tier: "managed", tenant: null },
    "p384",
    "admin",
  );
  const file = await old.plant.export(WORDS, "admin");
  t.regex(file.toString("latin1"), /^niac backup 1/);
  t.regex(old.records().at(-1)?.reason ?? "", /exported by admin/);

  const box = openBed(t, { now: old.time.now });
  t.is(await box.plant.import(file, WORDS, "admin"), old.time.now);
  const [before, after] = await Promise.all([
    plantView(old.plant, old.time.now),
    plantView(box.plant, old.time.now),
  ]);
  t.deepEqual(after, before);
  t.deepEqual(box.plant.cacerts(), old.plant.cacerts());
  t.is(box.plant.check({ authority: null, ...alice })?.refusal, null);
  t.is(box.plant.check({ authority: null, ...bob })?.refusal?.code, "revoked");
  t.deepEqual(box.plant.holder(alice.fingerprint), old.plant.holder(alice.fingerprint));

  const { request } = await asked({ commonName: "alice" });
  const renewed = await box.plant.issue(request, ALICE, "alice", alice.fingerprint);
  t.deepEqual(renewed.chain.at(-1), alice.chain.at(-1));
  await box.plant.revoke("user", "alice", "lost", "admin");
  t.is(box.plant.check({ authority: null, ...alice })?.refusal?.code, "revoked");
  t.regex(box.records()[0]?.reason ?? "", /^the authority of "Plant 7" imported by admin from a backup of/);

  const late = await issued(old);
  const refusal = box.plant.check({
    authority: old.plant.authorities().at(-1)?.name ?? "",
    ...late,
  })?.refusal;
  t.regex(refusal?.reason ?? "", /has no record of the certificate/);
  t.regex(refusal?.advice ?? "", /Enrol again/);
});

test("no authority is overwritten by a backup", async (t) => {
  const file = await sealBackup(Buffer.from("{}"), WORDS, CHEAP);
  const other = await initialised(t);
  const before = other.plant.cacerts();
  await t.throwsAsync(other.plant.import(file, WORDS, "admin"), { code: "authority-there" });
  t.deepEqual(other.plant.cacerts(), before);
});

test("a wrong passphrase or an altered file imports nothing", async (t) => {
  const old = await initialised(t);
  const file = await old.plant.export(WORDS, "admin");
  const box = openBed(t);
  await t.throwsAsync(box.plant.import(file, "another passphrase", "admin"), { code: "backup-passphrase" });
  const altered = Buffer.from(file);
  altered[300] = altered[300] === 0x41 ? 0x42 : 0x41;
  await t.throwsAsync(box.plant.import(altered, WORDS, "admin"), { code: "backup-damaged" });
  t.false(box.plant.initialised);
  t.deepEqual(box.records(), []);
});

test("a backup that somebody made up imports nothing", async (t) => {
  const old = await initialised(t);
  const plain = await openBackup(await old.plant.export(WORDS, "admin"), WORDS);
  const content = JSON.parse(plain.toString("utf8"));
  const [root, infrastructure, managed] = content.authorities;
  const [rootKey, ownKey] = [root.key, managed.key];
  const wrong: [what: string, made: unknown][] = [
    ["another's key", { ...content, authorities: [root, infrastructure, { ...managed, key: rootKey }] }],
    [
      "another's certificate",
      { ...content, authorities: [root, { ...infrastructure, certificate: managed.certificate }] },
    ],
    ["a stranger above", { ...content, authorities: [{ ...managed, parent: null }] }],
    ["no key", { ...content, authorities: [{ ...root, key: ownKey.slice(0, 40) }] }],
    ["lists of nobody", { ...content, authorities: [root] }],
    ["something else", { about: "niac authority", version: 2 }],
  ];
  for (const [what, made] of wrong) {
    const box = openBed(t);
    const file = await sealBackup(Buffer.from(JSON.stringify(made)), WORDS, CHEAP);
    const error = await t.throwsAsync(
      box.plant.import(file, WORDS, "admin"),
      { code: "backup-content" },
      what,
    );
    t.false(
      `${error.stack}${JSON.stringify(error.cause ?? "")}`.includes(ownKey.slice(60, 90)),
      "no key in an error",
    );
    t.false(box.plant.initialised);
  }
});

test("no key of an authority is in the database or the backup as it is", async (t) => {
  const bed = await initialised(t);
  const file = await bed.plant.export(WORDS, "admin");
  const content = JSON.parse((await openBackup(file, WORDS)).toString("utf8"));
  bed.db.pragma("wal_checkpoint(TRUNCATE)");
  const copy = join(directory(t), "copy.db");
  await bed.db.backup(copy);
  const database = readFileSync(copy);
  t.is(content.authorities.length, 5);
  for (const { key, certificate } of content.authorities) {
    // The private number of a P-256 key stands 36 bytes into its PKCS#8.
    const secret = Buffer.from(key, "base64").subarray(36, 68);
    t.is(database.indexOf(secret), -1);
    t.is(file.indexOf(secret), -1);
    t.is(JSON.stringify(bed.records()).indexOf(secret.toString("hex")), -1);
    t.not(database.indexOf(Buffer.from(certificate, "base64")), -1, "the search finds what is there");
  }
});
