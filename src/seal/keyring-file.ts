/** keyring.json: the key-encryption key, sealed. One file beside the database, only ever replaced whole. */
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { messageOf, systemCode, UnavailableError } from "../base/index.ts";
import { SEAL_OVERHEAD } from "./seal.ts";

/** Bytes of the key-encryption key. */
export const KEK_BYTES = 32;

const base64 = (least: number, most = least): z.ZodType<string> =>
  z.base64().refine((text) => {
    const bytes = Buffer.from(text, "base64");
    return bytes.length >= least && bytes.length <= most && bytes.toString("base64") === text;
  }, `${least} to ${most} bytes in base64`);

const hex = (characters: number): z.ZodType<string> =>
  z.string().regex(new RegExp(`^[0-9a-f]{${characters}}$`));

/** `primary`: the TPM's name of the key that seals (algorithm and hash of its public part), by which another TPM is told. */
const TPM_ENTRY = z.strictObject({
  version: z.literal(1),
  kind: z.literal("tpm"),
  primary: hex(68),
  public: base64(1, 1_024),
  private: base64(1, 1_024),
});

/** `machine`: a mark of the computer's id. `keyFile`, `passphrase`: whether they are part of the key. */
const DERIVED_ENTRY = z.strictObject({
  version: z.literal(1),
  kind: z.enum(["file", "machine"]),
  keyFile: z.boolean(),
  passphrase: z.boolean(),
  machine: hex(16),
  salt: base64(32),
  sealed: base64(SEAL_OVERHEAD + KEK_BYTES),
});

const ENTRY = z.discriminatedUnion("kind", [TPM_ENTRY, DERIVED_ENTRY]);
const FILE = z.strictObject({ about: z.string(), key: ENTRY, checksum: hex(64) });

export type TpmEntry = z.infer<typeof TPM_ENTRY>;
export type DerivedEntry = z.infer<typeof DERIVED_ENTRY>;
export type KeyringEntry = TpmEntry | DerivedEntry;

/** What to do where no secret helps any more. */
export const RESTORE =
  "Put the file back from a copy of the state directory, or restore the authority from its backup: niac authority import.";

const NAME = "keyring.json";
const MOST = 16_384;
const ABOUT =
  "The key that seals niac's keys, itself sealed. Keep it with the database: without it the authority's keys are lost.";

export function keyringPath(stateDir: string): string {
  return join(stateDir, NAME);
}

/** Whether there is a keyring. Where there is none and the database holds sealed keys, these are lost, and a new keyring must not hide it. */
export function keyringExists(stateDir: string): boolean {
  return existsSync(keyringPath(stateDir));
}

/** Null: there is none. Throws an UnavailableError for one that is torn, altered or of a later niac. */
export function readKeyringFile(path: string): KeyringEntry | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw new UnavailableError(
      "keyring-unreadable",
      `${path} cannot be read (${systemCode(error) || messageOf(error)})`,
    );
  }
  const parsed = FILE.safeParse(text.length > MOST ? null : parsedJson(text));
  if (!parsed.success || parsed.data.checksum !== checksum(parsed.data.key)) {
    throw new UnavailableError(
      "keyring-damaged",
      `${path} is torn or was altered (${text.length} characters), or a later version of niac wrote it`,
      RESTORE,
    );
  }
  return parsed.data.key;
}

/** Throws an UnavailableError where there is one by now: none is ever overwritten. */
export function createKeyringFile(path: string, entry: KeyringEntry): void {
  place(path, entry, (from) => {
    // Unlike a rename it does not replace what another process put there meanwhile.
    linkSync(from, path);
    rmSync(from);
  });
}

export function replaceKeyringFile(path: string, entry: KeyringEntry): void {
  place(path, entry, (from) => renameSync(from, path));
}

function place(path: string, entry: KeyringEntry, move: (from: string) => void): void {
  const text = `${JSON.stringify({ about: ABOUT, key: entry, checksum: checksum(entry) }, null, 2)}\n`;
  const beside = `${path}.${process.pid}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(beside, { force: true });
    synced(beside, "wx", (fd) => void writeSync(fd, text));
    move(beside);
    synced(dirname(path), "r", () => undefined);
  } catch (error) {
    // Where even the directory is none, there is nothing beside it.
    if (systemCode(error) !== "ENOTDIR") rmSync(beside, { force: true });
    throw systemCode(error) === "EEXIST"
      ? new UnavailableError(
          "keyring-made",
          `${path} was made by another process meanwhile, and is left as it is`,
          "Start again: it is used then.",
        )
      : new UnavailableError(
          "keyring-unwritten",
          `${path} cannot be written (${systemCode(error) || messageOf(error)})`,
        );
  }
}

/** Opens, does, and returns when it is on the disk. */
function synced(path: string, flags: string, act: (fd: number) => void): void {
  const fd = openSync(path, flags, 0o600);
  try {
    act(fd);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Tells a torn file from a wrong secret; it does not keep anybody from altering both. */
function checksum(entry: KeyringEntry): string {
  const fields = Object.entries(entry).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(fields)).digest("hex");
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
