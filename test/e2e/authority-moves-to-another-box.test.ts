import { readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { statusShow } from "../../src/link/index.ts";
import { AuthorityBed } from "../support/authority-bed.ts";
import { ModbusClient } from "../support/modbus-client.ts";
import { until } from "../support/processes.ts";
import { pressSite } from "../support/sites.ts";
import { PymodbusMachine } from "../support/tools.ts";

test("a lost box's authority goes on from its backup on another: laptops connect, and are revoked", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const old = await AuthorityBed.start(t, { site: pressSite(machine.port) });
  const [alice, bob] = [await old.laptop("alice"), await old.laptop("bob")];
  const ca = await old.trust();
  t.is((await old.appliance.niac("authority", "revoke", "--user", "bob", "--reason", "left")).code, 0);
  const shown = (await old.appliance.niac("authority", "show")).out;

  const passphrase = old.appliance.write("passphrase", "correct horse battery staple\n");
  const backup = join(old.appliance.dir, "authority.backup");
  const exported = await old.appliance.niac("authority", "export", backup, "--passphrase-file", passphrase);
  t.is(exported.code, 0, exported.err);
  t.is(statSync(backup).mode & 0o777, 0o600);
  t.regex(readFileSync(backup, "utf8"), /^niac backup 1/);
  const late = await old.laptop("carol");
  await old.appliance.stop();

  const box = await AuthorityBed.prepare(t, { site: null });
  box.appliance.launch("up");
  await box.appliance.logged("control is ready");
  const wrong = box.appliance.write("wrong", "another passphrase\n");
  const refused = await box.appliance.niac("authority", "import", backup, "--passphrase-file", wrong);
  t.is(refused.code, 2);
  t.regex(refused.err, /does not open with this passphrase/);
  const imported = await box.appliance.niac("authority", "import", backup, "--passphrase-file", passphrase);
  t.is(imported.code, 0, imported.err);
  t.regex(imported.err, /Certificates issued after it are refused here/);
  // What the old box issued itself meanwhile is no part of the backup.
  const counted = /^(2 +infrastructure 2 .*) +\d+ +0$/m;
  t.is(imported.out.replace(counted, "$1"), shown.replace(counted, "$1"));
  const twice = await box.appliance.niac("authority", "import", backup, "--passphrase-file", passphrase);
  t.is(twice.code, 2);
  t.regex(twice.err, /has an authority already/);

  await box.appliance.logged("gateway is ready");
  await box.apply(pressSite(machine.port));
  const client = await ModbusClient.connect(box.appliance, { credential: alice, ca });
  t.deepEqual(await client.read(10, 2), { exception: 0, values: [10, 11] });
  const heard = (await machine.heard()).length;
  for (const credential of [bob, late]) {
    const other = await ModbusClient.connect(box.appliance, { credential, ca });
    await other.read(10, 2).catch(() => {});
  }
  t.is((await machine.heard()).length, heard, "neither who was revoked nor whom the backup does not know");
  const reasons = (await box.appliance.recorded(2, "kind=session.refused")).map(({ reason }) => reason ?? "");
  t.regex(reasons.join("\n"), /was revoked on .*: left/);
  t.regex(reasons.join("\n"), /"managed 3" has no record of the certificate/);

  t.is((await box.appliance.niac("authority", "revoke", "--user", "alice", "--reason", "lost")).code, 0);
  await until(() => client.ended, "alice's connection to close");
});

test("a box whose keyring is gone says so, lets no new certificate out, and goes on serving and revoking", async (t) => {
  const machine = await PymodbusMachine.start(t);
  const bed = await AuthorityBed.start(t, { site: pressSite(machine.port), parts: ["control", "gateway"] });
  const { appliance } = bed;
  const alice = await bed.laptop("alice");
  const ca = await bed.trust();
  const client = await ModbusClient.connect(appliance, { credential: alice, ca });
  t.deepEqual(await client.read(10), { exception: 0, values: [10] });
  await appliance.end("control");
  const keyring = join(appliance.environment["NIAC_STATE_DIR"] ?? "", "keyring.json");
  const content = readFileSync(keyring);
  renameSync(keyring, `${keyring}.gone`);
  await appliance.run("control");
  const shown = await appliance.niac("authority", "show");
  t.is(shown.code, 0);
  t.regex(shown.out, /keys +cannot be opened now\nproblem +keyring\.json is gone/);
  t.throws(() => readFileSync(keyring), { code: "ENOENT" }, "no other one is made");
  await appliance.until(
    async () => (await appliance.ask(statusShow, null)).gateway === "attached",
    "the gateway to be attached again",
  );
  t.deepEqual(await client.read(10), { exception: 0, values: [10] });
  const revoked = await appliance.niac("authority", "revoke", "--user", "alice", "--reason", "lost");
  t.is(revoked.code, 0, revoked.err);
  t.regex(revoked.err, /^In force here, but the revocation list of "managed 3" could not be made/);
  await until(() => client.ended, "the connection to close");
  renameSync(`${keyring}.gone`, keyring);
  t.deepEqual(readFileSync(keyring), content);
  await bed.laptop("bob");
});
