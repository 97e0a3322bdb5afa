/**
 * Sealing without a TPM: the key is derived from this computer's id and, where they are given, a key file and a passphrase.
 *
 *     stretched = scrypt(passphrase, salt, N = 2^15, r = 8, p = 1), RFC 7914; empty without a passphrase
 *     key       = HKDF-SHA-256(machine id | key file | stretched, salt, "niac keyring 1 ..."), RFC 5869
 *
 * Each part goes in with its length before it, so that no part can be read as another's end.
 */
import { createHmac, createSecretKey, hkdfSync, randomBytes, scrypt, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { UnavailableError, UsageError } from "../base/index.ts";
import { RESTORE, type DerivedEntry } from "./keyring-file.ts";
import { readKeyFile, readMachineId, readPassphraseFile } from "./seal-files.ts";
import { openWith, sealWith } from "./seal.ts";

/** Paths of what the key is derived from; null: not used. */
export interface DerivedFrom {
  readonly machineId: string;
  readonly keyFile: string | null;
  readonly passphraseFile: string | null;
}

const SALT = 32;
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const stretch = promisify<Buffer, Buffer, number, typeof COST, Buffer>(scrypt);

export async function sealDerived(from: DerivedFrom, kek: Uint8Array): Promise<DerivedEntry> {
  const used = { keyFile: from.keyFile !== null, passphrase: from.passphraseFile !== null };
  const machine = readMachineId(from.machineId);
  const salt = randomBytes(SALT);
  const key = await derive(from, machine, salt);
  return {
    version: 1,
    kind: used.keyFile || used.passphrase ? "file" : "machine",
    ...used,
    machine: mark(machine),
    salt: salt.toString("base64"),
    sealed: sealWith(key, ABOUT, kek).toString("base64"),
  };
}

/** Throws a UsageError where what opens it is not given or not right, an UnavailableError where this is another computer. */
export async function openDerived(from: DerivedFrom, entry: DerivedEntry, path: string): Promise<Buffer> {
  const needed = [
    entry.keyFile && from.keyFile === null ? "the key file (NIAC_KEY_FILE)" : null,
    entry.passphrase && from.passphraseFile === null ? "the passphrase file (NIAC_PASSPHRASE_FILE)" : null,
  ].filter((what) => what !== null);
  if (needed.length > 0) {
    throw new UsageError(
      "keyring-needs",
      `${path} opens only with ${needed.join(" and ")}, and the settings do not name ${needed.length > 1 ? "them" : "it"}`,
      "Set it to the file it was sealed with.",
    );
  }
  const machine = readMachineId(from.machineId);
  if (mark(machine) !== entry.machine) {
    throw new UnavailableError(
      "keyring-elsewhere",
      `${path} was made on another computer: it is bound to an id that is not the one in ${from.machineId}`,
      "Files copied from another box do not open. Move an authority with: niac authority export, then import.",
    );
  }
  const used = {
    ...from,
    keyFile: entry.keyFile ? from.keyFile : null,
    passphraseFile: entry.passphrase ? from.passphraseFile : null,
  };
  const key = await derive(used, machine, Buffer.from(entry.salt, "base64"));
  const kek = openWith(key, ABOUT, Buffer.from(entry.sealed, "base64"));
  if (kek !== null) return kek;
  const suspects = [
    used.passphraseFile && `the passphrase in ${used.passphraseFile}`,
    used.keyFile && `the key file ${used.keyFile}`,
  ].filter((what) => typeof what === "string");
  // The file is whole by its checksum: nothing but a wrong secret, or somebody who knew how to mend the checksum, is left.
  throw suspects.length === 0
    ? new UnavailableError("keyring-damaged", `${path} does not open: it was altered`, RESTORE)
    : new UsageError(
        "keyring-secret",
        `${path} does not open with ${suspects.join(" and ")}: ${suspects.length > 1 ? "one of them" : "it"} is not what it was sealed with`,
        "Put back what it was sealed with, or restore the authority from its backup: niac authority import.",
      );
}

const ABOUT = "niac keyring 1";

async function derive(from: DerivedFrom, machine: string, salt: Buffer): Promise<KeyObject> {
  const passphrase = from.passphraseFile === null ? null : readPassphraseFile(from.passphraseFile);
  const stretched = passphrase === null ? Buffer.alloc(0) : await stretch(passphrase, salt, 32, COST);
  const file = from.keyFile === null ? Buffer.alloc(0) : readKeyFile(from.keyFile);
  const all = Buffer.concat([Buffer.from(machine, "latin1"), file, stretched].flatMap(withLength));
  const key = Buffer.from(hkdfSync("sha256", all, salt, ABOUT, 32));
  try {
    return createSecretKey(key);
  } finally {
    for (const secret of [passphrase, stretched, file, all, key]) secret?.fill(0);
  }
}

function withLength(part: Buffer): Buffer[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return [length, part];
}

/** Tells computers apart without saying the id, which machine-id(5) asks to keep to oneself. */
function mark(machine: string): string {
  return createHmac("sha256", machine).update(ABOUT).digest("hex").slice(0, 16);
}
