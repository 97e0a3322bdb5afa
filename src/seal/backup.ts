/**
 * A backup under a passphrase, as text that survives mail and printing.
 *
 *     niac backup 1 - encrypted; opens with its passphrase: niac authority import
 *     scrypt N=131072 r=8 p=1 salt=<16 bytes, base64>
 *     <empty>
 *     <a sealed text, see seal.ts, in base64 lines of 76 characters>
 *     end <SHA-256 of all before this line, hexadecimal>
 *
 * Key: scrypt (RFC 7914) of the passphrase in UTF-8, NFC. The two lines at the head are bound to what is sealed.
 */
import { createHash, createSecretKey, randomBytes, scrypt, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { UsageError } from "../base/index.ts";
import { passphraseBytes } from "./seal-files.ts";
import { openWith, sealWith } from "./seal.ts";

interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

const TITLE = "niac backup 1 - encrypted; opens with its passphrase: niac authority import";
const SALT = 16;
/** 128 MiB and about half a second: a backup lies about for years. */
const COST: Cost = { N: 2 ** 17, r: 8, p: 1 };
/** What a file may ask of whoever opens it: 256 MiB (128 N r bytes), and four times over. */
const MOST_MEMORY = 256 * 1024 * 1024;
const MOST_PASSES = 4;
const LEAST_N = 2 ** 14;
/** Bytes of what is sealed, and of the text: an authority with a hundred thousand certificates. */
const MOST_PLAIN = 128 * 1024 * 1024;
const MOST = 192 * 1024 * 1024;
const WIDTH = 76;
const stretch = promisify<Buffer, Buffer, number, Cost & { maxmem: number }, Buffer>(scrypt);

/**
 * `plain`: 128 MiB at most; `passphrase`: 12 characters or more; `cost`: one that `openBackup` takes. Throws a UsageError for others.
 */
export async function sealBackup(plain: Uint8Array, passphrase: string, cost = COST): Promise<Buffer> {
  if (plain.length > MOST_PLAIN) {
    throw new UsageError(
      "backup-size",
      `a backup of ${plain.length} bytes cannot be written; at most ${MOST_PLAIN} are`,
    );
  }
  const salt = randomBytes(SALT);
  const { N, r, p } = bounded(cost);
  const head = `${TITLE}\nscrypt N=${N} r=${r} p=${p} salt=${salt.toString("base64")}\n\n`;
  const sealed = sealWith(await derive(passphraseBytes(passphrase), salt, cost), head, plain);
  const lines = sealed.toString("base64").match(new RegExp(`.{1,${WIDTH}}`, "g")) ?? [];
  const text = `${head}${lines.join("\n")}\n`;
  return Buffer.from(`${text}end ${checksum(text)}\n`, "latin1");
}

/** Throws a UsageError that tells what is no backup, what is torn, and what the passphrase does not open. */
export async function openBackup(file: Uint8Array, passphrase: string): Promise<Buffer> {
  const { head, salt, cost, sealed } = parse(file);
  const key = await derive(Buffer.from(passphrase.normalize("NFC"), "utf8"), salt, cost);
  const plain = openWith(key, head, sealed);
  if (plain !== null) return plain;
  throw new UsageError(
    "backup-passphrase",
    "the backup does not open with this passphrase (the file itself is whole)",
    "See that it is this backup's passphrase, and that the keyboard is the one it was typed on.",
  );
}

interface Parsed {
  readonly head: string;
  readonly salt: Buffer;
  readonly cost: Cost;
  readonly sealed: Buffer;
}

function parse(file: Uint8Array): Parsed {
  if (file.length > MOST) throw damaged(`it has ${file.length} bytes; at most ${MOST} are read`);
  // What a mail program did to the ends of lines is no damage.
  const text = Buffer.from(file).toString("latin1").replaceAll("\r\n", "\n").trimEnd();
  if (!text.startsWith("niac backup ")) {
    throw new UsageError("backup-unknown", 'this is no backup of niac: it does not begin with "niac backup"');
  }
  if (!text.startsWith(`${TITLE}\n`)) {
    throw new UsageError(
      "backup-version",
      `this backup begins with "${text.slice(0, 40).split("\n")[0]}", and this niac reads "niac backup 1"`,
      "Open it with the version of niac that wrote it, or a later one.",
    );
  }
  const [, whole = "", end] = /^([^]*\n)end ([0-9a-f]{64})$/.exec(text) ?? [];
  if (end === undefined) throw damaged("its last line is missing");
  if (checksum(whole) !== end) throw damaged("its checksum does not agree");
  const [, head = "", N, r, p, salt = "", body = ""] =
    /^([^\n]+\nscrypt N=(\d{1,7}) r=(\d{1,2}) p=(\d) salt=([A-Za-z0-9+/=]{24})\n\n)([A-Za-z0-9+/=\n]*)$/.exec(
      whole,
    ) ?? [];
  if (head === "") throw damaged("its head is not as niac writes it");
  return {
    head,
    salt: exactly(salt),
    cost: bounded({ N: Number(N), r: Number(r), p: Number(p) }),
    sealed: exactly(body.replaceAll("\n", "")),
  };
}

/** A file from elsewhere must not have this box fill its memory, or be so cheap that its passphrase was easy to guess. */
function bounded(cost: Cost): Cost {
  const { N, r, p } = cost;
  const power = N >= LEAST_N && (N & (N - 1)) === 0;
  if (power && r >= 8 && 128 * N * r <= MOST_MEMORY && p >= 1 && p <= MOST_PASSES) return cost;
  throw damaged(
    `it asks for scrypt with N=${N} r=${r} p=${p}; taken are N of ${LEAST_N} or more, r of 8 or more, ${MOST_MEMORY} bytes and p of ${MOST_PASSES}`,
  );
}

function exactly(base64: string): Buffer {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.toString("base64") === base64) return bytes;
  throw damaged("its base64 is not as niac writes it");
}

async function derive(passphrase: Buffer, salt: Buffer, cost: Cost): Promise<KeyObject> {
  const key = await stretch(passphrase, salt, 32, { ...cost, maxmem: 2 * MOST_MEMORY });
  try {
    return createSecretKey(key);
  } finally {
    passphrase.fill(0);
    key.fill(0);
  }
}

function checksum(text: string): string {
  return createHash("sha256").update(text, "latin1").digest("hex");
}

function damaged(why: string): UsageError {
  return new UsageError(
    "backup-damaged",
    `the backup is torn or was altered: ${why}`,
    "Take another copy of it; what is left of this one cannot be opened.",
  );
}
