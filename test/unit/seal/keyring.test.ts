import { chmodSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { UnavailableError, UsageError } from "../../../src/base/index.ts";
import { createKeyringFile, keyringExists } from "../../../src/seal/keyring-file.ts";
import { openKeyring, type OpenKeyring } from "../../../src/seal/keyring.ts";
import type { SealSettings } from "../../../src/settings/index.ts";
import { codeOf, put, scratch } from "../authority/scratch.ts";

const SECRET = Buffer.from("the key of an authority");
const NONE: SealSettings = { tpm: "none", keyFile: null, passphraseFile: null };

interface Box {
  readonly stateDir: string;
  readonly machineId: string;
  readonly file: string;
  readonly warnings: string[];
  readonly open: (seal?: Partial<SealSettings>, machineId?: string) => Promise<OpenKeyring>;
}

function box(t: ExecutionContext): Box {
  const directory = scratch(t);
  const stateDir = join(directory, "state");
  const machineId = put(directory, "machine-id", `${"0123456789abcdef".repeat(2)}\n`, 0o444);
  const warnings: string[] = [];
  return {
    stateDir,
    machineId,
    file: join(stateDir, "keyring.json"),
    warnings,
    open: (seal = {}, id = machineId) =>
      openKeyring({
        seal: { ...NONE, ...seal },
        stateDir,
        machineId: id,
        log: { warn: (message) => warnings.push(message) },
      }),
  };
}

/** Another keyring.json, from here on. */
function altered(file: string, change: (text: string) => string): string {
  const text = change(readFileSync(file, "utf8"));
  writeFileSync(file, text);
  return text;
}

test("a keyring that is made once opens what it sealed, ever after", async (t) => {
  const { open, stateDir, file, warnings } = box(t);
  t.false(keyringExists(stateDir));
  const first = await open();
  t.true(keyringExists(stateDir));
  t.is(first.kind, "machine");
  const sealed = first.seal("authority key 1", SECRET);
  const text = readFileSync(file, "utf8");
  t.is(statSync(file).mode & 0o777, 0o600);
  t.deepEqual(readdirSync(stateDir), ["keyring.json"], "nothing is left beside it");

  const second = await open();
  t.deepEqual(second.open("authority key 1", sealed), SECRET);
  t.is(readFileSync(file, "utf8"), text, "opening writes nothing");
  t.deepEqual(warnings, []);
});

test("a purpose is needed, and another one does not open", async (t) => {
  const keyring = await box(t).open();
  const sealed = keyring.seal("authority key 1", SECRET);
  t.throws(() => keyring.open("authority key 2", sealed), {
    instanceOf: UnavailableError,
    code: "sealed-damaged",
    message: /^what was sealed as "authority key 2" \(52 bytes\) does not open/,
  });
  t.throws(() => keyring.seal("", SECRET), { code: "purpose" });
  t.throws(() => keyring.seal("x".repeat(201), SECRET), { code: "purpose" });
  t.notThrows(() => keyring.seal("x".repeat(200), SECRET));
});

test("a keyring of one box does not open what another's sealed", async (t) => {
  const [one, other] = [await box(t).open(), await box(t).open()];
  t.throws(() => other.open("a", one.seal("a", SECRET)), { code: "sealed-damaged" });
});

test("on another computer it does not open, and says why", async (t) => {
  const { open, file } = box(t);
  await open();
  const elsewhere = put(scratch(t), "machine-id", "f".repeat(32));
  const error = await t.throwsAsync(open({}, elsewhere), { instanceOf: UnavailableError });
  t.is(
    error?.message,
    `${file} was made on another computer: it is bound to an id that is not the one in ${elsewhere}`,
  );
  t.false(readFileSync(file, "utf8").includes("0123456789abcdef"), "the id itself is not in the file");
});

test("every truncation and every altered character is refused or changes nothing, and is never overwritten", async (t) => {
  const { open, file } = box(t);
  const sealed = (await open()).seal("a", SECRET);
  const text = readFileSync(file, "utf8");
  for (let length = 0; length < text.length - 2; length += 3) {
    altered(file, () => text.slice(0, length));
    t.is(await codeOf(() => open()), "keyring-damaged", `${length} characters`);
    t.is(readFileSync(file, "utf8"), text.slice(0, length));
  }
  let refused = 0;
  for (let at = 0; at < text.length; at += 2) {
    altered(file, () => `${text.slice(0, at)}${text[at] === "1" ? "2" : "1"}${text.slice(at + 1)}`);
    try {
      t.deepEqual((await open()).open("a", sealed), SECRET, `character ${at}`);
    } catch (error) {
      t.true(
        error instanceof UnavailableError && error.code === "keyring-damaged",
        `${at}: ${String(error)}`,
      );
      refused++;
    }
  }
  t.true(refused > 150, `${refused}`);
});

test("a passphrase and a key file are both needed, and each must be the one it was sealed with", async (t) => {
  const { open, file, stateDir } = box(t);
  const passphraseFile = put(scratch(t), "passphrase", "correct horse battery staple");
  const keyFile = put(scratch(t), "key", Buffer.alloc(32, 7));
  const made = await open({ passphraseFile, keyFile });
  t.is(made.kind, "file");
  const sealed = made.seal("a", SECRET);
  t.deepEqual((await open({ passphraseFile, keyFile })).open("a", sealed), SECRET);
  const withNewline = put(stateDir, "newline", "correct horse battery staple\n");
  t.deepEqual((await open({ passphraseFile: withNewline, keyFile })).open("a", sealed), SECRET);

  const wrong = put(stateDir, "wrong", "correct horse battery stable");
  const otherKey = put(stateDir, "other", Buffer.alloc(32, 8));
  for (const seal of [
    { passphraseFile: wrong, keyFile },
    { passphraseFile, keyFile: otherKey },
  ]) {
    const error = await t.throwsAsync(open(seal), { instanceOf: UsageError });
    t.is(
      error?.message,
      `${file} does not open with the passphrase in ${seal.passphraseFile} and the key file ${seal.keyFile}: one of them is not what it was sealed with`,
    );
  }
  const needs = await t.throwsAsync(open({ keyFile }), { instanceOf: UsageError });
  t.is(
    needs?.message,
    `${file} opens only with the passphrase file (NIAC_PASSPHRASE_FILE), and the settings do not name it`,
  );
  t.regex(
    (await t.throwsAsync(open()))?.message ?? "",
    /key file \(NIAC_KEY_FILE\) and the passphrase file .* name them$/,
  );
});

test("a passphrase composed otherwise is the same passphrase", async (t) => {
  const { open } = box(t);
  const composed = put(scratch(t), "composed", "Schl\u00fcssel zum Werk");
  const decomposed = put(scratch(t), "decomposed", "Schlu\u0308ssel zum Werk");
  const sealed = (await open({ passphraseFile: composed })).seal("a", SECRET);
  t.deepEqual((await open({ passphraseFile: decomposed })).open("a", sealed), SECRET);
});

test("settings that ask for more than the file has are said once, and it opens as it was sealed", async (t) => {
  const { open, warnings, file } = box(t);
  const sealed = (await open()).seal("a", SECRET);
  const passphraseFile = put(scratch(t), "passphrase", "correct horse battery staple");
  t.deepEqual((await open({ passphraseFile })).open("a", sealed), SECRET);
  t.deepEqual(warnings, [
    `${file} is sealed by this computer's id alone, and the settings ask for a passphrase with this computer's id: it stays as it is until it is resealed`,
  ]);
});

test("resealed, it opens by the new way alone, and what it sealed before opens too", async (t) => {
  const { open, stateDir, file } = box(t);
  const first = await open();
  const sealed = first.seal("a", SECRET);
  const passphraseFile = put(scratch(t), "passphrase", "correct horse battery staple");
  const second = await first.reseal({ ...NONE, passphraseFile });
  t.is(second.kind, "file");
  t.not(second.protects, first.protects);
  t.deepEqual(second.open("a", sealed), SECRET);
  t.is(await codeOf(() => open()), "keyring-needs");
  t.deepEqual((await open({ passphraseFile })).open("a", sealed), SECRET);
  t.is(statSync(file).mode & 0o777, 0o600);
  t.deepEqual(readdirSync(stateDir), ["keyring.json"]);
});

test("where resealing fails all is as before", async (t) => {
  const { open, file } = box(t);
  const first = await open();
  const sealed = first.seal("a", SECRET);
  const before = readFileSync(file, "utf8");
  const short = put(scratch(t), "short", "eleven char");
  t.is(await codeOf(() => first.reseal({ ...NONE, passphraseFile: short })), "passphrase-length");
  t.is(readFileSync(file, "utf8"), before);
  t.deepEqual((await open()).open("a", sealed), SECRET);
});

test("two that make it at once: one does, the other says so, and both agree afterwards", async (t) => {
  const { open, file } = box(t);
  const both = await Promise.allSettled([open(), open()]);
  const [made] = both.filter((each) => each.status === "fulfilled");
  const failed = both.filter((each) => each.status === "rejected");
  t.is(failed.length, 1);
  t.regex(String(failed[0]?.reason), new RegExp(`${file} was made by another process meanwhile`));
  const sealed = made?.value.seal("a", SECRET) ?? Buffer.alloc(0);
  t.deepEqual((await open()).open("a", sealed), SECRET);
});

test("a state directory that is none is said with its reason", async (t) => {
  const { machineId } = box(t);
  const stateDir = put(scratch(t), "state", "a file");
  t.is(await codeOf(() => openKeyring({ seal: NONE, stateDir, machineId })), "keyring-unreadable");
});

test("what a TPM sealed is never opened, and never made anew, without one", async (t) => {
  const { open, file, stateDir } = box(t);
  createKeyringFile(file, {
    version: 1,
    kind: "tpm",
    primary: "00".repeat(34),
    public: "AAAA",
    private: "AAAA",
  });
  t.true(keyringExists(stateDir));
  const before = readFileSync(file, "utf8");
  const keyFile = put(scratch(t), "key", Buffer.alloc(32, 7));
  const error = await t.throwsAsync(open({ keyFile }), { instanceOf: UsageError });
  t.is(error?.message, `${file} was sealed by a TPM, and NIAC_TPM is none`);
  if (!existsSync("/dev/tpmrm0")) {
    const away = await t.throwsAsync(open({ tpm: "auto", keyFile }), { instanceOf: UnavailableError });
    t.is(away?.message, `${file} was sealed by this box's TPM, and /dev/tpmrm0 is not there`);
  }
  t.is(readFileSync(file, "utf8"), before);
});

test("a key file or passphrase file that others may read is refused, with its mode", async (t) => {
  const { open } = box(t);
  const keyFile = put(scratch(t), "key", Buffer.alloc(32, 7));
  for (const mode of [0o640, 0o604, 0o620, 0o660, 0o644]) {
    chmodSync(keyFile, mode);
    const error = await t.throwsAsync(open({ keyFile }), { instanceOf: UsageError });
    t.is(
      error?.message,
      `${keyFile} (NIAC_KEY_FILE) is open to others than its owner (mode 0${mode.toString(8)})`,
    );
  }
  chmodSync(keyFile, 0o400);
  t.is((await open({ keyFile })).kind, "file");
});
