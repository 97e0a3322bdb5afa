import { createPrivateKey, type KeyObject } from "node:crypto";
import { UnavailableError } from "../base/index.ts";
import type { Keyring } from "../seal/index.ts";
import type { Authority } from "./store.ts";

/**
 * The authorities' private keys: sealed in the database, and opened when they are needed. Those that issue every day stay open in
 * memory; a root's is let go after each use.
 */
export class AuthorityKeys {
  readonly #keyring: () => Promise<Keyring>;
  readonly #open = new Map<number, KeyObject>();

  /** `keyring`: opens it at the first call and gives the same one after; rejects where it cannot be opened, and may be asked again. */
  constructor(keyring: () => Promise<Keyring>) {
    this.#keyring = keyring;
  }

  keyring(): Promise<Keyring> {
    return this.#keyring();
  }

  /** Throws an UnavailableError where the key is gone, or cannot be opened now. */
  async of(authority: Authority): Promise<KeyObject> {
    const held = this.#open.get(authority.id);
    if (held !== undefined) return held;
    const key = await this.#unseal(authority);
    if (authority.role !== "root") this.#open.set(authority.id, key);
    return key;
  }

  async seal(id: number, key: KeyObject): Promise<Buffer> {
    const keyring = await this.#keyring();
    const plain = key.export({ type: "pkcs8", format: "der" });
    try {
      return keyring.seal(purpose(id), plain);
    } finally {
      plain.fill(0);
    }
  }

  /** Of those that sign no more. */
  forget(id: number): void {
    this.#open.delete(id);
  }

  async #unseal({ id, name, key }: Authority): Promise<KeyObject> {
    if (key === null) {
      throw new UnavailableError(
        "authority-ended",
        `the authority "${name}" signs no more: its key is gone`,
        "See niac authority show for the one that issues now.",
      );
    }
    const plain = (await this.#keyring()).open(purpose(id), key);
    try {
      return createPrivateKey({ key: plain, format: "der", type: "pkcs8" });
    } finally {
      plain.fill(0);
    }
  }
}

/** Bound into what is sealed: one authority's key does not open as another's. */
function purpose(id: number): string {
  return `authority key ${id}`;
}
