import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { AuthorityBed } from "../support/authority-bed.ts";
import { end, until } from "../support/processes.ts";
import { openssl } from "../support/openssl.ts";
import { PROGRAM } from "../support/program.ts";

test("niac authority, from nothing to a certificate by hand and its end", async (t) => {
  const bed = await AuthorityBed.prepare(t, { site: null });
  const { appliance } = bed;
  await appliance.run("control");
  const niac = (...words: string[]) => appliance.niac("authority", ...words);

  const none = await niac("show");
  t.is(none.code, 1);
  t.is(
    none.err,
    'this appliance has no authority of its own yet\nMake one: niac authority init "Plant 7".\n',
  );
  const wrong = await niac("init", "Plant 7", "--algorithm", "rsa");
  t.is(wrong.code, 2);
  t.regex(wrong.err, /"rsa" is none; it takes p256, p384, ed25519, ml-dsa-65/);

  const made = await niac("init", "Plant 7", "--tenant", "acme", "--life", "managed=60d");
  t.is(made.code, 0, made.err);
  t.regex(made.out, /^plant +Plant 7, since \d{4}-\d\d-\d\d\nkeys +Encrypted with this computer's id alone/);
  t.regex(
    made.out,
    /\nroot +[0-9a-f]{64} \(SHA-256; laptops\n +compare it\)\ngood for +managed 60 d, byod 30 d/,
  );
  t.regex(
    made.out,
    /\nNO +AUTHORITY +TIER +TENANT +ALGORITHM +UNTIL +STATE +LIVE +REVOKED\n1 +root 1 +root +p256/,
  );
  t.regex(made.err, /Make a backup now/);
  t.true(made.out.split("\n").every((line) => line.length <= 100));
  // The appliance has itself a certificate as soon as there is somebody to ask for it.
  const own = /^(2 +infrastructure 2 .*) +\d+ +0$/m;
  t.is((await niac("show")).out.replace(own, "$1"), made.out.replace(own, "$1"));
  const twice = await niac("init", "Plant 8");
  t.is(twice.code, 2);
  t.regex(twice.err, /has an authority already, of "Plant 7", and it is never overwritten/);

  const [key, csr, out] = ["alice.key", "alice.csr", "alice.pem"].map((name) => join(appliance.dir, name));
  if (key === undefined || csr === undefined || out === undefined) throw new Error("no paths");
  const p256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(["req", "-new", ...p256, "-keyout", key, "-out", csr, "-subj", "/CN=alice"]);
  const whom = ["--user", "alice", "--device", "laptop-7", "--request", csr, "--out"];
  const contractor = await niac("issue", ...whom, out, "--tier", "contractor");
  t.is(contractor.code, 2);
  t.regex(contractor.err, /a contractor's certificate needs an end date[^]*--until 2027-03-31/);
  t.false(existsSync(out), "nothing is left of what was refused");
  const bob = await niac("issue", "--user", "bob", "--device", "laptop-7", "--request", csr, "--out", out);
  t.is(bob.code, 1);
  t.regex(bob.err, /the request is another's: it asks for CN=alice/);
  const issued = await niac("issue", ...whom, out, "--group", "maintenance", "--tenant", "acme");
  t.is(issued.code, 0, issued.err);
  t.regex(
    issued.out,
    /alice\.pem: a certificate of alice until \d{4}-\d\d-\d\d, serial number [0-9a-f]{32}\n$/,
  );
  t.is(readFileSync(out, "utf8").match(/BEGIN CERTIFICATE/g)?.length, 3);
  const before = readFileSync(out);
  const over = await niac("issue", ...whom, out);
  t.regex(over.err, /alice\.pem is there already, and is not overwritten/);
  t.deepEqual(readFileSync(out), before);

  const trust = join(appliance.dir, "trust.pem");
  t.is((await niac("trust", "--out", trust)).code, 0);
  openssl(["verify", "-CAfile", trust, out]);
  const list = join(appliance.dir, "list.crl");
  t.is((await niac("crl", "managed acme 6", "--out", list)).code, 0);
  openssl(["crl", "-inform", "DER", "-in", list, "-CAfile", trust, "-noout"]);
  t.regex((await niac("crl", "6")).out, /^-----BEGIN X509 CRL-----\n/);

  const table = await niac("show", "certificates", "--user", "alice");
  t.regex(
    table.out,
    /^SERIAL NUMBER +USER +DEVICE +AUTHORITY +UNTIL +LET BY\n[0-9a-f]{32} +alice +laptop-7 +managed acme 6/,
  );
  const nothing = await niac("revoke", "--reason", "lost");
  t.is(nothing.code, 2);
  t.regex(nothing.err, /say once what is revoked: --serial, --fingerprint, --user, --device, --authority/);
  const revoked = await niac("revoke", "--device", "laptop-7", "--reason", "lost in the train");
  t.regex(revoked.out, /^1 certificate revoked; 0 sessions ended with it\.\nSERIAL NUMBER/);
  t.is((await niac("show", "certificates", "--user", "alice")).out, "No such certificate is in force.\n");
  t.regex((await niac("show", "--user", "alice", "--all")).out, /lost in the train/);

  t.is(
    (await niac("rotate", "--tier", "byod", "--algorithm", "p384")).out,
    '"byod 9" is made and issues from now on\n"byod acme 10" is made and issues from now on\n',
  );
  t.is(
    (await niac("rotate", "--retire")).out,
    '"byod 4" is retired, and its key is gone\n"byod acme 7" is retired, and its key is gone\nNo certificate was cut short.\n',
  );
  t.is((await niac("tenant", "acme")).code, 2);
  const said = (await appliance.records("kind=trust")).map(({ reason }) => reason ?? "");
  for (const what of [
    /^authority "root 1" made by/,
    /^certificate issued by "managed acme 6"/,
    /^certificate revoked by .*: lost in the train/,
    /^authority "byod 4" retired by/,
  ]) {
    t.true(
      said.some((reason) => what.test(reason)),
      String(what),
    );
  }
});

test("a passphrase is asked for twice and never shown", async (t) => {
  const bed = await AuthorityBed.prepare(t, { site: null });
  const { appliance } = bed;
  await appliance.run("control");
  await bed.init();
  const backup = join(appliance.dir, "backup");
  // A terminal of its own, whose every sign is seen.
  const command = [process.execPath, PROGRAM, "authority", "export", backup]
    .map((word) => `'${word}'`)
    .join(" ");
  const child = spawn("/usr/bin/script", ["-qec", command, "/dev/null"], {
    env: { ...process.env, ...appliance.environment, NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.teardown(() => end(child));
  let seen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (seen += text));
  const exit = new Promise((resolve) => child.once("close", resolve));
  await until(() => seen.includes("12 characters or more"), "the first question");
  child.stdin.write("correct horse battery staple\r");
  await until(() => seen.includes("The same again"), "the second question");
  child.stdin.write("correct horse battery staple\r");
  t.is(await exit, 0, seen);
  t.regex(seen, /holds the authority/);
  t.notRegex(seen, /correct|horse/);
  t.regex(readFileSync(backup, "utf8"), /^niac backup 1/);
  const without = await appliance.niac("authority", "export", `${backup}-2`);
  t.is(without.code, 2);
  t.regex(without.err, /no terminal to ask for the passphrase at/);
  t.false(existsSync(`${backup}-2`));
});
