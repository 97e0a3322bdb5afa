/** What is the administrator's and the computer's own in a key: passphrase file, key file, machine id. */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { messageOf, systemCode, UnavailableError, UsageError } from "../base/index.ts";

/** Characters. A person types or copies it; what it opens is worth years of guessing. */
export const SHORTEST_PASSPHRASE = 12;
/** Bytes. */
const LONGEST_PASSPHRASE = 1_024;
const SHORTEST_KEY_FILE = 32;
const LONGEST_KEY_FILE = 65_536;

/** The same characters are the same bytes, however the keyboard or editor composed them. Throws a UsageError for too short a one. */
export function passphraseBytes(passphrase: string, of = "the passphrase"): Buffer {
  const composed = passphrase.normalize("NFC");
  const bytes = Buffer.from(composed, "utf8");
  if (composed.length < SHORTEST_PASSPHRASE || bytes.length > LONGEST_PASSPHRASE) {
    throw new UsageError(
      "passphrase-length",
      `${of} is too ${bytes.length > LONGEST_PASSPHRASE ? "long" : "short"}: it takes ${SHORTEST_PASSPHRASE} characters or more, and at most ${LONGEST_PASSPHRASE} bytes`,
      "Five or more words drawn at random are good, and can be written down.",
    );
  }
  return bytes;
}

/** Without the line's end that an editor puts there. Throws a UsageError for a file that is not to be used. */
export function readPassphraseFile(path: string): Buffer {
  const bytes = readPrivate(path, "NIAC_PASSPHRASE_FILE", LONGEST_PASSPHRASE + 2);
  const text = bytes.toString("utf8").replace(/\r?\n$/, "");
  bytes.fill(0);
  return passphraseBytes(text, `the passphrase in ${path} (NIAC_PASSPHRASE_FILE)`);
}

/** Throws a UsageError for a file that is not to be used. */
export function readKeyFile(path: string): Buffer {
  const bytes = readPrivate(path, "NIAC_KEY_FILE", LONGEST_KEY_FILE);
  if (bytes.length >= SHORTEST_KEY_FILE) return bytes;
  throw new UsageError(
    "key-file",
    `the key file ${path} (NIAC_KEY_FILE) has ${bytes.length} bytes; it takes ${SHORTEST_KEY_FILE} to ${LONGEST_KEY_FILE}`,
    `Make one with: (umask 077; head -c 32 /dev/urandom > ${path})`,
  );
}

/** A regular file that nobody but its owner, this user or root, may read. */
function readPrivate(path: string, setting: string, most: number): Buffer {
  const refuse = (why: string, advice?: string): UsageError =>
    new UsageError("secret-file", `${path} (${setting}) ${why}`, advice);
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw refuse(`cannot be read (${systemCode(error) || messageOf(error)})`);
  }
  try {
    const { mode, uid, size } = fstatSync(fd);
    if ((mode & 0o170_000) !== 0o100_000) throw refuse("is not a file");
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, "0");
      throw refuse(`is open to others than its owner (mode ${shown})`, `chmod 600 ${path}`);
    }
    if (uid !== 0 && uid !== process.geteuid?.()) {
      throw refuse(`belongs to another user (uid ${uid})`, `chown it to the user that runs niac.`);
    }
    if (size > most) throw refuse(`has ${size} bytes; at most ${most} are taken`);
    const bytes = Buffer.alloc(size);
    return bytes.subarray(0, readSync(fd, bytes, 0, size, 0));
  } finally {
    closeSync(fd);
  }
}

/** systemd's machine-id(5): 32 hexadecimal digits. Throws an UnavailableError where there is none that lasts. */
export function readMachineId(path: string, mounts = "/proc/self/mountinfo"): string {
  const advice = "systemd-machine-id-setup writes one; on a read-only root bind a lasting file there.";
  let id: string;
  try {
    id = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new UnavailableError(
      "machine-id",
      `this computer's id cannot be read from ${path} (${systemCode(error) || messageOf(error)})`,
      advice,
    );
  }
  if (!/^[0-9a-f]{32}$/.test(id) || /^0+$/.test(id)) {
    throw new UnavailableError(
      "machine-id",
      `${path} holds no id of a computer (32 hexadecimal digits)`,
      advice,
    );
  }
  if (isPassing(readMounts(mounts), path)) {
    throw new UnavailableError(
      "machine-id",
      `${path} is made anew at each start (it lies on a tmpfs): what is sealed with it could not be opened again`,
      advice,
    );
  }
  return id;
}

/** Where the root is read-only, systemd mounts an id over the file that lasts until the next start only. */
function isPassing(mounts: string, path: string): boolean {
  // proc(5): "36 35 98:0 /root /mount/point options optional... - type source options"
  return mounts.split("\n").some((line) => {
    const [before = "", after = ""] = line.split(" - ");
    return before.split(" ")[4] === path && after.startsWith("tmpfs ");
  });
}

function readMounts(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
