import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { UsageError } from "../../../src/base/index.ts";
import { loadCredentials } from "../../../src/laptop/credentials.ts";
import { openssl } from "../../support/openssl.ts";
import { Pki } from "../../support/pki.ts";

const pki = Pki.create();
const root = pki.root("Plant Root");
const alice = root.client({ cn: "alice", before: [["O", "Plant"]] });
const bob = root.client({ cn: "bob", key: "rsa2048" });
const FILES = { certificate: alice.cert, key: alice.key, ca: root.credential.cert };

test.after.always(() => pki.remove());

function refused(files: Partial<typeof FILES>): UsageError {
  try {
    loadCredentials({ ...FILES, ...files });
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error("the files were taken");
}

test("a certificate with its key, EC or RSA", (t) => {
  const { own } = loadCredentials(FILES);
  t.is(own.subject, "alice");
  t.true(own.notBefore < Date.now() && Date.now() < own.notAfter);
  t.is(loadCredentials({ ...FILES, certificate: bob.fullChain, key: bob.key }).own.subject, "bob");
});

test("the key of another certificate", (t) => {
  const { message } = refused({ key: bob.key });
  t.true(
    message.startsWith(
      `the key in ${bob.key} is not the key of the certificate in ${alice.cert} (alice, serial number `,
    ),
  );
});

test("a file that is not there, or holds something else", (t) => {
  t.regex(
    refused({ certificate: "/nowhere/me.crt" }).message,
    /--certificate: \/nowhere\/me\.crt cannot be read \(ENOENT\)/,
  );
  t.regex(refused({ certificate: alice.key }).message, /--certificate: .* holds no certificate in PEM form/);
  t.regex(refused({ ca: alice.key }).message, /--ca: .* holds no certificate in PEM form/);
  t.regex(refused({ key: alice.cert }).message, /--key: .* holds no private key in PEM form/);
});

test("a key locked with a passphrase says how to unlock it", (t) => {
  const key = join(pki.dir, "locked.key");
  openssl(["pkey", "-in", alice.key, "-aes256", "-passout", "pass:secret", "-out", key]);
  t.regex(refused({ key }).advice ?? "", /openssl pkey -in/);
});

test("no message shows what a key file holds", (t) => {
  const broken = join(pki.dir, "broken.key");
  const lines = readFileSync(alice.key, "utf8").split("\n");
  writeFileSync(broken, `${lines[0]}\n${lines[1]?.slice(1)}\n${lines.slice(2).join("\n")}`);
  for (const key of [broken, bob.key]) {
    const { message, advice = "" } = refused({ key });
    for (const line of readFileSync(key, "utf8")
      .split("\n")
      .filter((each) => each !== "" && !each.startsWith("--"))) {
      t.false(`${message} ${advice}`.includes(line.slice(0, 12)));
    }
  }
});
