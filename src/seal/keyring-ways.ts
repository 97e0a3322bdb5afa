/** By what a keyring is sealed: which way the settings ask for, and what each way is good for. Pure. */
import type { SealSettings } from "../settings/index.ts";
import type { KeyringEntry } from "./keyring-file.ts";
import { TPM_DEVICE } from "./tpm-tools.ts";

export type Way =
  | { readonly kind: "tpm"; readonly tcti: string }
  | { readonly kind: "derived"; readonly keyFile: string | null; readonly passphraseFile: string | null };

/** The setting that does without a TPM. */
export const TPM_OFF = "none";

/** How a new keyring is sealed; `problem`: for the log, where something better is almost there. */
export function chooseWay(
  seal: SealSettings,
  there: { readonly device: boolean; readonly tools: boolean },
): { readonly way: Way } | { readonly way: Way; readonly problem: string } {
  const { tpm, keyFile, passphraseFile } = seal;
  const derived = { kind: "derived", keyFile, passphraseFile } as const;
  if (tpm === TPM_OFF) return { way: derived };
  if (tpm !== "auto") return { way: { kind: "tpm", tcti: tpm } };
  if (!there.device) return { way: derived };
  if (there.tools) return { way: { kind: "tpm", tcti: `device:${TPM_DEVICE}` } };
  return {
    way: derived,
    problem: `there is a TPM (${TPM_DEVICE}), but it cannot be used: the packages tpm2-tools and libtss2-tcti-device0 are not installed`,
  };
}

/** In words, to compare what is with what is asked for. */
export function kindOf(way: Way): string {
  if (way.kind === "tpm") return "the TPM";
  return derivedWords(way.keyFile !== null, way.passphraseFile !== null);
}

export function sealedAs(entry: KeyringEntry): string {
  return entry.kind === "tpm" ? "the TPM" : derivedWords(entry.keyFile, entry.passphrase);
}

function derivedWords(keyFile: boolean, passphrase: boolean): string {
  const more = [keyFile ? "a key file" : null, passphrase ? "a passphrase" : null].filter(
    (what) => what !== null,
  );
  return more.length === 0 ? "this computer's id alone" : `${more.join(" and ")} with this computer's id`;
}

/** One sentence for an administrator. */
export function protects(entry: KeyringEntry): string {
  if (entry.kind === "tpm") {
    return "Sealed by this box's TPM: a disk or files taken away do not open without this TPM; whoever has the whole box and starts it from a medium of his own, or is root on it, can open them (no PCRs are bound).";
  }
  if (entry.kind === "machine") {
    return "Encrypted with this computer's id alone: a copy of the state directory does not open elsewhere; whoever has the whole disk, or is root, can open it.";
  }
  const what = sealedAs(entry);
  return `Encrypted with ${what}: the disk does not open without it where it is kept on another medium; whoever has the disk together with it, or is root while it is there, can open it.`;
}
