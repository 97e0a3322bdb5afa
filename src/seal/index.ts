/** Keys at rest: a keyring that seals them, whose own key a TPM 2.0 or what this computer has seals; backups under a passphrase. */
export { openBackup, sealBackup } from "./backup.ts";
export { keyringExists } from "./keyring-file.ts";
export { openKeyring, type Keyring, type KeyringOptions, type OpenKeyring } from "./keyring.ts";
