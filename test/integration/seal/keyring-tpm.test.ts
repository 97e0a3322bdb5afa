import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { replaceKeyringFile, readKeyringFile } from "../../../src/seal/keyring-file.ts";
import { openKeyring, type OpenKeyring } from "../../../src/seal/keyring.ts";
import { openByTpm, sealByTpm } from "../../../src/seal/tpm.ts";
import { UnavailableError, UsageError } from "../../../src/base/index.ts";
import { SoftwareTpm } from "../../support/swtpm.ts";
import { testWith } from "../../support/tools.ts";
import { codeOf, put, scratch } from "../../unit/authority/scratch.ts";

const testTpm = testWith("swtpm", "/usr/bin/tpm2");
const SECRET = Buffer.from("the key of an authority");
const PATH = "/var/lib/niac/keyring.json";

interface Box {
  readonly file: string;
  readonly warnings: string[];
  readonly open: (tpm: string) => Promise<OpenKeyring>;
}

function box(t: ExecutionContext): Box {
  const stateDir = scratch(t);
  const machineId = put(stateDir, "machine-id", "a1".repeat(16));
  const warnings: string[] = [];
  const log = { warn: (message: string): void => void warnings.push(message) };
  return {
    file: join(stateDir, "keyring.json"),
    warnings,
    open: (tpm) =>
      openKeyring({ seal: { tpm, keyFile: null, passphraseFile: null }, stateDir, machineId, log }),
  };
}

testTpm("what a TPM sealed it opens after it was switched off and on, again and again", async (t) => {
  const tpm = await SoftwareTpm.start(t);
  const { open, file, warnings } = box(t);
  const first = await open(tpm.tcti);
  t.is(first.kind, "tpm");
  const sealed = first.seal("authority key 1", SECRET);
  const text = readFileSync(file, "utf8");
  await tpm.off();
  await tpm.on();
  // More often than it has room for objects: nothing is left in it.
  for (let time = 0; time < 5; time++)
    t.deepEqual((await open(tpm.tcti)).open("authority key 1", sealed), SECRET);
  t.is(tpm.tool("getcap", "handles-transient").out.trim(), "");
  t.is(tpm.tool("getcap", "handles-persistent").out.trim(), "", "and nothing is kept in it");
  t.is(readFileSync(file, "utf8"), text);
  t.deepEqual(warnings, []);
});

testTpm("another TPM, and one that was cleared, are told from a TPM that is away", async (t) => {
  const [tpm, other] = [await SoftwareTpm.start(t), await SoftwareTpm.start(t)];
  const { open, file } = box(t);
  await open(tpm.tcti);
  const text = readFileSync(file, "utf8");

  const swapped = await t.throwsAsync(open(other.tcti), { instanceOf: UnavailableError, code: "tpm-other" });
  t.is(
    swapped?.message,
    `${file} was sealed by another TPM than the one at ${other.tcti}, or that one was cleared since`,
  );
  t.is(tpm.tool("clear", "--auth-hierarchy=p").status, 0);
  t.is(await codeOf(() => open(tpm.tcti)), "tpm-other");
  await tpm.off();
  const away = await t.throwsAsync(open(tpm.tcti), { instanceOf: UnavailableError, code: "tpm" });
  t.true(
    away?.message.startsWith(`the TPM at ${tpm.tcti} did not do what it was asked (createprimary): `),
    away?.message,
  );
  t.is(readFileSync(file, "utf8"), text, "and nothing of it changed the file");
});

testTpm(
  "what a TPM sealed is not opened by this computer's id, and the other way round is said",
  async (t) => {
    const tpm = await SoftwareTpm.start(t);
    const [sealed, derived] = [box(t), box(t)];
    await sealed.open(tpm.tcti);
    await t.throwsAsync(sealed.open("none"), { instanceOf: UsageError, code: "keyring-needs" });
    const keyring = await derived.open("none");
    t.is((await derived.open(tpm.tcti)).kind, "machine");
    t.is(derived.warnings.length, 1);
    t.regex(
      derived.warnings[0] ?? "",
      /is sealed by this computer's id alone, and the settings ask for the TPM/,
    );
    t.is(keyring.kind, "machine");
  },
);

testTpm("resealed to a TPM that was added, and away from it, all that was sealed opens", async (t) => {
  const tpm = await SoftwareTpm.start(t);
  const { open } = box(t);
  const seal = { keyFile: null, passphraseFile: null };
  const first = await open("none");
  const sealed = first.seal("a", SECRET);
  const second = await first.reseal({ ...seal, tpm: tpm.tcti });
  t.is(second.kind, "tpm");
  t.deepEqual((await open(tpm.tcti)).open("a", sealed), SECRET);
  const third = await second.reseal({ ...seal, tpm: "none" });
  t.is(third.kind, "machine");
  await tpm.off();
  t.deepEqual((await open("none")).open("a", sealed), SECRET);
  await t.throwsAsync(third.reseal({ ...seal, tpm: tpm.tcti }), { code: "tpm" });
  t.deepEqual((await open("none")).open("a", sealed), SECRET, "a resealing that failed changed nothing");
});

testTpm("an altered object is refused by the TPM, not taken for another's", async (t) => {
  const tpm = await SoftwareTpm.start(t);
  const { open, file } = box(t);
  await open(tpm.tcti);
  const entry = readKeyringFile(file);
  if (entry?.kind !== "tpm") throw new Error("it was not sealed by the TPM");
  const altered = Buffer.from(entry.private, "base64");
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
  replaceKeyringFile(file, { ...entry, private: altered.toString("base64") });
  const error = await t.throwsAsync(open(tpm.tcti), { instanceOf: UnavailableError, code: "tpm" });
  t.regex(error?.message ?? "", /\(load\): .*integrity check failed$/);
});

testTpm("wrong attempts of others do not lock it out", async (t) => {
  const tpm = await SoftwareTpm.start(t);
  const { open } = box(t);
  const sealed = (await open(tpm.tcti)).seal("a", SECRET);
  const lockout = [
    "--setup-parameters",
    "--max-tries=1",
    "--recovery-time=86400",
    "--lockout-recovery-time=86400",
  ];
  t.is(tpm.tool("dictionarylockout", ...lockout).status, 0);
  const directory = scratch(t);
  const primary = `--key-context=${join(directory, "primary")}`;
  t.is(
    tpm.tool(
      "createprimary",
      "--key-auth=right",
      "--attributes=fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt",
      primary,
    ).status,
    0,
  );
  const child = ["create", `--parent-context=${join(directory, "primary")}`, "--parent-auth=wrong"];
  for (let time = 0; time < 3; time++) t.not(tpm.tool(child[0] ?? "", ...child.slice(1)).status, 0);
  t.regex(tpm.tool("getcap", "properties-variable").out, /inLockout:\s*1/);
  tpm.tool("flushcontext", "--transient-object");
  t.deepEqual((await open(tpm.tcti)).open("a", sealed), SECRET);
});

testTpm("no secret is ever an argument of a tool", async (t) => {
  const tpm = await SoftwareTpm.start(t);
  const secret = randomBytes(32);
  const started: ChildProcess[] = [];
  const hear = (message: unknown): void => {
    if (isStart(message)) started.push(message.process);
  };
  subscribe("child_process", hear);
  try {
    t.deepEqual(await openByTpm(tpm.tcti, await sealByTpm(tpm.tcti, secret), PATH), secret);
  } finally {
    unsubscribe("child_process", hear);
  }
  // Other tests of this file start tools too, on TPMs of their own.
  const own = started.map(({ spawnargs }) => spawnargs).filter((args) => args.includes(`--tcti=${tpm.tcti}`));
  t.deepEqual(
    own.map(([, tool]) => tool).filter((tool) => tool !== "flushcontext"),
    ["createprimary", "readpublic", "create", "createprimary", "readpublic", "load", "unseal"],
  );
  const all = own.flat().join(" ");
  for (const form of ["hex", "base64", "base64url", "latin1"] as const)
    t.false(all.includes(secret.toString(form)), form);
});

function isStart(message: unknown): message is { process: ChildProcess } {
  return typeof message === "object" && message !== null && "process" in message;
}
