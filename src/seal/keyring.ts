/**
 * What seals the authority's keys at rest. One random key encrypts all of them (the key-encryption key, KEK); it is itself sealed, by a
 * TPM or by what this computer and its administrator have, and lies in keyring.json. So sealing otherwise later rewrites one small
 * file, and no key in the database.
 */
import { createSecretKey, randomBytes, type KeyObject } from "node:crypto";
import { BugError, UnavailableError, UsageError } from "../base/index.ts";
import type { SealSettings } from "../settings/index.ts";
import {
  createKeyringFile,
  KEK_BYTES,
  keyringPath,
  readKeyringFile,
  replaceKeyringFile,
  RESTORE,
  type KeyringEntry,
} from "./keyring-file.ts";
import { chooseWay, kindOf, protects, sealedAs, TPM_OFF, type Way } from "./keyring-ways.ts";
import { openDerived, sealDerived } from "./seal-derived.ts";
import { openWith, sealWith } from "./seal.ts";
import { TPM_DEVICE, tpmThere } from "./tpm-tools.ts";
import { openByTpm, sealByTpm } from "./tpm.ts";

export interface Keyring {
  readonly kind: "tpm" | "file" | "machine";
  /** For the reader: against what it protects, and against what not. */
  readonly protects: string;
  /** `purpose`: what the plain text is, e.g. `authority key 3`; needed to open it. */
  seal(purpose: string, plain: Uint8Array): Buffer;
  /** Throws an UnavailableError for what was altered, sealed for another purpose, or sealed by another keyring. */
  open(purpose: string, sealed: Uint8Array): Buffer;
}

export interface OpenKeyring extends Keyring {
  /** Seals the same key as these settings say, e.g. by a TPM that was added; what it sealed stays readable. Where it fails all is as before. */
  reseal(seal: SealSettings): Promise<OpenKeyring>;
}

export interface KeyringOptions {
  readonly seal: SealSettings;
  /** Where keyring.json is, or will be. */
  readonly stateDir: string;
  readonly log?: { warn(message: string): void };
  /** Default: /etc/machine-id. */
  readonly machineId?: string;
}

/**
 * Opens the keyring, or makes one where there is none: ask keyringExists() first where sealed keys are there already. What is recorded
 * in keyring.json decides how it opens, never the settings alone: a TPM that is away is an error, and not a reason to do without.
 *
 * Throws a UsageError for settings or files that do not open it, an UnavailableError for a TPM that is away or another, another
 * computer, or a damaged file. Nothing that is there is ever overwritten.
 */
export async function openKeyring(options: KeyringOptions): Promise<OpenKeyring> {
  const path = keyringPath(options.stateDir);
  const held = readKeyringFile(path);
  const preferred = chooseWay(options.seal, tpmThere());
  if ("problem" in preferred) options.log?.warn(preferred.problem);
  if (held === null) {
    const kek = randomBytes(KEK_BYTES);
    const entry = await sealKek(preferred.way, kek, options);
    createKeyringFile(path, entry);
    return new Ring(kek, entry, options);
  }
  const kek = await openKek(held, options, path);
  if (sealedAs(held) !== kindOf(preferred.way)) {
    options.log?.warn(
      `${path} is sealed by ${sealedAs(held)}, and the settings ask for ${kindOf(preferred.way)}: it stays as it is until it is resealed`,
    );
  }
  return new Ring(kek, held, options);
}

const LONGEST_PURPOSE = 200;

class Ring implements OpenKeyring {
  readonly kind: Keyring["kind"];
  readonly protects: string;
  readonly #kek: KeyObject;
  readonly #options: KeyringOptions;

  /** Takes `kek` over, and wipes it. */
  constructor(kek: Buffer, entry: KeyringEntry, options: KeyringOptions) {
    this.kind = entry.kind;
    this.protects = protects(entry);
    this.#kek = createSecretKey(kek);
    this.#options = options;
    kek.fill(0);
  }

  seal(purpose: string, plain: Uint8Array): Buffer {
    if (purpose === "" || purpose.length > LONGEST_PURPOSE) {
      throw new BugError(
        "purpose",
        `a purpose has 1 to ${LONGEST_PURPOSE} characters, not ${purpose.length}`,
      );
    }
    return sealWith(this.#kek, purpose, plain);
  }

  open(purpose: string, sealed: Uint8Array): Buffer {
    const plain = openWith(this.#kek, purpose, sealed);
    if (plain !== null) return plain;
    throw new UnavailableError(
      "sealed-damaged",
      `what was sealed as "${purpose}" (${sealed.length} bytes) does not open: it was altered, is for another purpose, or is of another ${keyringPath(this.#options.stateDir)}`,
      "Put the database and keyring.json back from the same copy, or restore the authority from its backup: niac authority import.",
    );
  }

  async reseal(seal: SealSettings): Promise<OpenKeyring> {
    const options = { ...this.#options, seal };
    const path = keyringPath(options.stateDir);
    const chosen = chooseWay(seal, tpmThere());
    if ("problem" in chosen) options.log?.warn(chosen.problem);
    const kek = this.#kek.export();
    try {
      const entry = await sealKek(chosen.way, kek, options);
      // Seen to open before the old one goes.
      const again = await openKek(entry, options, path);
      if (!again.equals(kek)) throw new BugError("reseal", "the key sealed anew opens as another one");
      replaceKeyringFile(path, entry);
      return new Ring(again, entry, options);
    } finally {
      kek.fill(0);
    }
  }
}

function sealKek(way: Way, kek: Uint8Array, options: KeyringOptions): Promise<KeyringEntry> {
  if (way.kind === "tpm") return sealByTpm(way.tcti, kek);
  return sealDerived({ ...way, machineId: options.machineId ?? MACHINE_ID }, kek);
}

const MACHINE_ID = "/etc/machine-id";

async function openKek(entry: KeyringEntry, options: KeyringOptions, path: string): Promise<Buffer> {
  const { seal, machineId = MACHINE_ID } = options;
  if (entry.kind !== "tpm") {
    return openDerived(
      { machineId, keyFile: seal.keyFile, passphraseFile: seal.passphraseFile },
      entry,
      path,
    );
  }
  const kek = await openByTpm(tctiFor(seal, path), entry, path);
  if (kek.length === KEK_BYTES) return kek;
  throw new UnavailableError(
    "keyring-damaged",
    `${path} holds a key of ${kek.length} bytes, not ${KEK_BYTES}`,
    RESTORE,
  );
}

/** How the TPM that sealed it is reached. */
function tctiFor(seal: SealSettings, path: string): string {
  if (seal.tpm === TPM_OFF) {
    throw new UsageError(
      "keyring-needs",
      `${path} was sealed by a TPM, and NIAC_TPM is ${TPM_OFF}`,
      "Set NIAC_TPM to auto, or to how that TPM is reached; what a TPM sealed opens no other way.",
    );
  }
  if (seal.tpm !== "auto") return seal.tpm;
  if (tpmThere().device) return `device:${TPM_DEVICE}`;
  throw new UnavailableError(
    "tpm-missing",
    `${path} was sealed by this box's TPM, and ${TPM_DEVICE} is not there`,
    "Switch the TPM on in the firmware and see that its driver is loaded (dmesg | grep -i tpm), or restore the authority on this box from its backup: niac authority import.",
  );
}
