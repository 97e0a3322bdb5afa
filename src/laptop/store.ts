/**
 * Profiles on disk, each a folder that only its owner reads:
 *
 *     niac/default/profile.json    the box, and who this is
 *     niac/default/identity.pem    private key (where no token holds it), certificate, and the authorities between it and the root
 *     niac/default/ca.pem          the authorities by which the box is checked
 *     niac/default.pending/        a key whose certificate has not come yet
 *
 * Key and certificate share a file, so that a renewal is one rename, on every system: both are new, or neither.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { systemCode, UsageError } from "../base/index.ts";
import { parseProfile, profileText, type Profile } from "./profile.ts";
import { settle, writePrivately } from "./private-file.ts";

export const IDENTITY_FILE = "identity.pem";
export const CA_FILE = "ca.pem";
const PROFILE_FILE = "profile.json";

/** What an enrolment gives; PEM texts. */
export interface Installed {
  readonly profile: Profile;
  readonly identity: string;
  readonly ca: string;
}

export class ProfileStore {
  readonly name: string;
  /** Of this profile. */
  readonly directory: string;
  readonly #parent: string;

  /** `parent`: where all profiles are; nothing is made or read yet. */
  constructor(parent: string, name: string) {
    this.name = name;
    this.directory = join(parent, name);
    this.#parent = parent;
  }

  get identityFile(): string {
    return join(this.directory, IDENTITY_FILE);
  }

  get caFile(): string {
    return join(this.directory, CA_FILE);
  }

  /** Null: there is none. Throws a UsageError for one that cannot be read, or whose key others can read. */
  read(): Profile | null {
    this.#recover();
    const path = join(this.directory, PROFILE_FILE);
    const text = readText(path);
    if (text === null) return null;
    const profile = parseProfile(text, path);
    for (const file of [this.identityFile, this.caFile]) {
      if (existsSync(file)) continue;
      throw new UsageError("profile", `${file} is missing`, "Enrol anew: niac enroll ... --again");
    }
    this.#checkMode();
    return profile;
  }

  /** The profile, where a command cannot do without. Throws a UsageError that says how to get one. */
  demand(): Profile {
    const profile = this.read();
    if (profile !== null) return profile;
    throw new UsageError(
      "no-profile",
      `there is no profile ${JSON.stringify(this.name)} on this computer (${this.directory})`,
      "Enrol first: niac enroll https://<box>",
    );
  }

  /** Puts a whole new profile in the place of whatever was there; if that fails, the old one is there as it was. */
  install({ profile, identity, ca }: Installed): void {
    mkdirSync(this.#parent, { recursive: true, mode: 0o700 });
    const staged = mkdtempSync(join(this.#parent, `.${this.name}.`));
    try {
      writePrivately(join(staged, IDENTITY_FILE), identity);
      writePrivately(join(staged, CA_FILE), ca);
      writePrivately(join(staged, PROFILE_FILE), profileText(profile));
      this.#exchange(staged);
    } finally {
      rmSync(staged, { recursive: true, force: true });
    }
    this.forgetPending();
  }

  /** A renewal: the authorities first, since the new ones stand beside the old; then key and certificate in one. */
  renew(identity: string, ca: string): void {
    if (readText(this.caFile) !== ca) writePrivately(this.caFile, ca);
    writePrivately(this.identityFile, identity);
  }

  /** The text kept for an enrolment that is not done; null: none. */
  pending(): string | null {
    return readText(this.#pendingFile);
  }

  keepPending(text: string): void {
    mkdirSync(this.#pendingDirectory, { recursive: true, mode: 0o700 });
    writePrivately(this.#pendingFile, text);
  }

  forgetPending(): void {
    rmSync(this.#pendingDirectory, { recursive: true, force: true });
  }

  get #pendingDirectory(): string {
    return `${this.directory}.pending`;
  }

  get #pendingFile(): string {
    return join(this.#pendingDirectory, "request.json");
  }

  /** Where the old profile waits while the new one takes its place. */
  get #before(): string {
    return join(this.#parent, `.${this.name}.before`);
  }

  #exchange(staged: string): void {
    this.#recover();
    const old = existsSync(this.directory);
    if (old) {
      // What an earlier exchange could not remove.
      rmSync(this.#before, { recursive: true, force: true });
      renameSync(this.directory, this.#before);
    }
    try {
      renameSync(staged, this.directory);
    } catch (error) {
      if (old) renameSync(this.#before, this.directory);
      throw error;
    }
    settle(this.#parent);
    rmSync(this.#before, { recursive: true, force: true });
  }

  /** Power was cut between the two renames of an exchange. */
  #recover(): void {
    if (!existsSync(this.directory) && existsSync(this.#before)) renameSync(this.#before, this.directory);
  }

  #checkMode(): void {
    if (process.platform === "win32") return;
    const mode = statSync(this.identityFile).mode & 0o777;
    if ((mode & 0o077) === 0) return;
    throw new UsageError(
      "key-open",
      `others than you can read the key in ${this.identityFile} (mode ${mode.toString(8)})`,
      `Whoever has read it can act as you. Close it with chmod 600, and if in doubt enrol anew: niac enroll ... --again`,
    );
  }
}

/** A new random CKA_ID, or any short name: hexadecimal. */
export function randomId(): string {
  return randomBytes(8).toString("hex");
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw new UsageError("profile", `${path} cannot be read (${systemCode(error)})`);
  }
}
