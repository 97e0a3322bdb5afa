import { createHash, randomBytes } from "node:crypto";
import test from "ava";
import { openBackup, sealBackup } from "../../../src/seal/backup.ts";
import { UsageError } from "../../../src/base/index.ts";
import { CHEAP, codeOf } from "../authority/scratch.ts";

const PASSPHRASE = "correct horse battery staple";
const PLAIN = Buffer.from("all of an authority's keys");

const seal = (plain: Buffer = PLAIN): Promise<Buffer> => sealBackup(plain, PASSPHRASE, CHEAP);

/** The text with its checksum made right again, as one would who alters it on purpose. */
function mended(text: string): Buffer {
  const whole = text.slice(0, text.indexOf("end "));
  return Buffer.from(`${whole}end ${createHash("sha256").update(whole).digest("hex")}\n`);
}

function openMended(altered: string): Promise<string> {
  return codeOf(() => openBackup(mended(altered), PASSPHRASE));
}

test("a backup opens with its passphrase, whatever is in it", async (t) => {
  for (const plain of [Buffer.alloc(0), PLAIN, randomBytes(100_000)]) {
    const sealed = await seal(plain);
    t.deepEqual(await openBackup(sealed, PASSPHRASE), plain);
    t.is(plain.length > 0 && sealed.includes(plain), false);
  }
});

test("a backup costs whoever guesses its passphrase 128 MiB a guess, unless told otherwise", async (t) => {
  const sealed = await sealBackup(PLAIN, PASSPHRASE);
  t.regex(sealed.toString().split("\n")[1] ?? "", /^scrypt N=131072 r=8 p=1 salt=[A-Za-z0-9+/]{22}==$/);
  t.deepEqual(await openBackup(sealed, PASSPHRASE), PLAIN);
  t.is(await codeOf(() => sealBackup(PLAIN, PASSPHRASE, { ...CHEAP, N: 2 ** 13 })), "backup-damaged");
});

test("it is text that says what it is, in lines of 76 characters, never twice the same", async (t) => {
  const [one, other] = [(await seal()).toString(), (await seal()).toString()];
  t.not(one.split("\n")[1], other.split("\n")[1], "another salt");
  const [title, scrypt, empty, body, end] = one.split("\n");
  t.is(title, "niac backup 1 - encrypted; opens with its passphrase: niac authority import");
  t.regex(scrypt ?? "", /^scrypt N=16384 r=8 p=1 salt=[A-Za-z0-9+/]{22}==$/);
  t.is(empty, "");
  t.regex(body ?? "", /^[A-Za-z0-9+/=]{76}$/);
  t.regex(end ?? "", /^end [0-9a-f]{64}$/);
});

test("a passphrase of under 12 characters is refused, and is not in the message", async (t) => {
  const error = await t.throwsAsync(sealBackup(PLAIN, "eleven char"), { instanceOf: UsageError });
  t.is(error?.message, "the passphrase is too short: it takes 12 characters or more, and at most 1024 bytes");
});

test("a wrong passphrase is told from a torn file", async (t) => {
  const sealed = await seal();
  t.is(await codeOf(() => openBackup(sealed, `${PASSPHRASE} `)), "backup-passphrase");
  t.is(await codeOf(() => openBackup(sealed, "")), "backup-passphrase");
  // What it is can be read when its first line is whole.
  const title = sealed.indexOf("\n") + 1;
  for (let length = 13; length < sealed.length - 2; length++) {
    const code = await codeOf(() => openBackup(sealed.subarray(0, length), PASSPHRASE));
    t.is(code, length <= title ? "backup-version" : "backup-damaged", `${length} bytes`);
  }
  for (let at = title; at < sealed.length - 2; at++) {
    const altered = Buffer.from(sealed);
    altered[at] = (altered[at] ?? 0) ^ 1;
    t.is(await codeOf(() => openBackup(altered, PASSPHRASE)), "backup-damaged", `byte ${at}`);
  }
});

test("what is altered on purpose, checksum and all, does not open either", async (t) => {
  const text = (await seal()).toString();
  const [, , , body = ""] = text.split("\n");
  t.is(
    await openMended(text.replace(body, `${body[0] === "A" ? "B" : "A"}${body.slice(1)}`)),
    "backup-passphrase",
  );
  t.is(await openMended(text.replace("p=1", "p=2")), "backup-passphrase", "the head is bound to it");
  t.is(
    await openMended(text.replace(body, `${body.slice(0, 40)}\n${body.slice(40)}`)),
    "no error",
    "its lines may break otherwise",
  );
  t.is(await openMended(text.replace(body, body.slice(1))), "backup-damaged", "no base64");
});

test("a file cannot have this box work without end, nor be cheap to guess", async (t) => {
  const text = (await seal()).toString();
  for (const cost of [
    "N=8192 r=8 p=1",
    "N=131071 r=8 p=1",
    "N=0 r=8 p=1",
    "N=524288 r=8 p=1",
    "N=131072 r=4 p=1",
    "N=131072 r=17 p=1",
    "N=131072 r=8 p=5",
    "N=131072 r=8 p=0",
    "N=99999999 r=8 p=1",
  ]) {
    t.is(await openMended(text.replace("N=16384 r=8 p=1", cost)), "backup-damaged", cost);
  }
});

test("ends of lines that a mail program changed are no damage", async (t) => {
  const sealed = await seal();
  const sent = Buffer.from(`${sealed.toString().replaceAll("\n", "\r\n")}\r\n\r\n`);
  t.deepEqual(await openBackup(sent, PASSPHRASE), PLAIN);
});

test("what is no backup, or a later version's, is told as that", async (t) => {
  t.is(
    await codeOf(() => openBackup(Buffer.from("-----BEGIN PRIVATE KEY-----"), PASSPHRASE)),
    "backup-unknown",
  );
  t.is(await codeOf(() => openBackup(Buffer.alloc(0), PASSPHRASE)), "backup-unknown");
  await t.throwsAsync(openBackup(Buffer.from("niac backup 2 - later\nmore"), PASSPHRASE), {
    code: "backup-version",
    message: 'this backup begins with "niac backup 2 - later", and this niac reads "niac backup 1"',
  });
});
