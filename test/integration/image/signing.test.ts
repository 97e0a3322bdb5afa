/** Bundles signed with keys that are given: files, and a key that never leaves its token. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { makeBundle } from "../../../scripts/image.d/bundle.ts";
import { developmentKeys, type SigningKeys } from "../../../scripts/image.d/keys.ts";
import { checkSigning } from "../../../scripts/image.d/signing.ts";
import { run } from "../../../scripts/image.d/tools.ts";
import { testWith } from "../../support/tools.ts";

const MODULE = "/usr/lib/softhsm/libsofthsm2.so";
const PIN = "4711-secret";
const URI = "pkcs11:token=release;object=signer";

function folder(t: ExecutionContext): string {
  const made = mkdtempSync(join(tmpdir(), "niac-signing-"));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** The signer's key in a token "release" that nothing but this test's environment knows. */
function token(dir: string, key: string): NodeJS.ProcessEnv {
  const config = join(dir, "softhsm2.conf");
  mkdirSync(join(dir, "tokens"));
  writeFileSync(config, `directories.tokendir = ${join(dir, "tokens")}\nlog.level = ERROR\n`);
  const env = { ...process.env, SOFTHSM2_CONF: config };
  const made = ["--init-token", "--free", "--label", "release", "--pin", PIN, "--so-pin", "12345678"];
  execFileSync("softhsm2-util", made, { env, stdio: "ignore" });
  const packed = join(dir, "signer.p8");
  execFileSync("openssl", ["pkcs8", "-topk8", "-nocrypt", "-in", key, "-out", packed]);
  const taken = ["--import", packed, "--token", "release", "--label", "signer", "--id", "01", "--pin", PIN];
  execFileSync("softhsm2-util", taken, { env, stdio: "ignore" });
  return { SOFTHSM2_CONF: config, RAUC_PKCS11_MODULE: MODULE, RAUC_PKCS11_PIN: PIN };
}

async function bundle(dir: string, keys: SigningKeys): Promise<string> {
  const file = join(dir, "it.raucb");
  for (const name of ["boot.vfat", "root.img"]) writeFileSync(join(dir, name), randomBytes(65_536));
  await makeBundle({
    board: "qemu-arm64",
    version: "1.2.3",
    description: "a test's",
    boot: join(dir, "boot.vfat"),
    root: join(dir, "root.img"),
    keys,
    file,
  });
  return file;
}

testWith(
  "rauc",
  "mksquashfs",
  "openssl",
  "softhsm2-util",
  "libengine-pkcs11-openssl",
)("a key in a token signs: its PIN and its module come from the environment", async (t) => {
  const dir = folder(t);
  const keys = await developmentKeys(join(dir, "keys"));
  const inToken = { ...keys, key: URI };
  const given = token(dir, keys.key);
  rmSync(keys.key);
  await t.notThrowsAsync(checkSigning(inToken));
  await t.throwsAsync(bundle(dir, inToken), undefined, "without the environment there is no key");
  Object.assign(process.env, given);
  t.teardown(() => {
    for (const name of Object.keys(given)) delete process.env[name];
  });
  const file = await bundle(dir, inToken);
  const conf = join(dir, "rauc.conf");
  writeFileSync(
    conf,
    `[system]\ncompatible=niac-qemu-arm64\nbootloader=noop\n[keyring]\npath=${keys.keyring}\ncheck-purpose=codesign\n`,
  );
  t.regex(await run("rauc", [`--conf=${conf}`, "info", "--output-format=json", file]), /"version":"1\.2\.3"/);
});

const withTools = testWith("openssl");

withTools("what is wrong with given keys is said before the work begins", async (t) => {
  const dir = folder(t);
  const keys = await developmentKeys(join(dir, "keys"));
  const others = await developmentKeys(join(dir, "others"));
  await t.notThrowsAsync(checkSigning(keys));
  const refused = async (over: Partial<SigningKeys>, says: RegExp): Promise<void> => {
    await t.throwsAsync(checkSigning({ ...keys, ...over }), { message: says });
  };
  await refused({ key: join(dir, "none.pem") }, /none\.pem, for signing, is not there/);
  await refused({ keyring: others.keyring }, /signer\.pem is not signed by .*others/);
  await refused({ key: others.key }, /others\/signer\.key is not the key of/);
  await refused(
    { certificate: keys.keyring, key: join(dir, "keys/authority.key") },
    /is not for signing code/,
  );
  await refused({ key: `${URI}?pin-value=${PIN}` }, /RAUC_PKCS11_PIN/);
  const both = join(dir, "both.pem");
  writeFileSync(both, readFileSync(keys.keyring, "utf8") + readFileSync(keys.key, "utf8"));
  await refused({ keyring: both }, /holds a private key/);
});
