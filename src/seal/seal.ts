/**
 * One sealed text: AES-256-GCM (NIST SP 800-38D), with what it is for as additional data.
 *
 *     version 1, 1 byte | nonce, 12 bytes | as many bytes as the plain text | tag, 16 bytes
 *
 * The nonce is drawn at random: a key may seal 2^32 texts (section 8.3), and a keyring seals a few a day.
 */
import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from "node:crypto";

const VERSION = 1;
const NONCE = 12;
const TAG = 16;
/** Bytes that a sealed text is longer than its plain text. */
export const SEAL_OVERHEAD = 1 + NONCE + TAG;
const CIPHER = "aes-256-gcm";

/** `key`: 256 bits. `about`: must be given again to open it; it is bound, and not part of the result. */
export function sealWith(key: KeyObject, about: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG });
  cipher.setAAD(bound(about));
  const content = [cipher.update(plain), cipher.final()];
  return Buffer.concat([Buffer.of(VERSION), nonce, ...content, cipher.getAuthTag()]);
}

/** Null: torn or altered, of another version, or sealed with another key or about something else. */
export function openWith(key: KeyObject, about: string, sealed: Uint8Array): Buffer | null {
  if (sealed.length < SEAL_OVERHEAD || sealed[0] !== VERSION) return null;
  const nonce = sealed.subarray(1, 1 + NONCE);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG });
  decipher.setAAD(bound(about));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  const plain = decipher.update(sealed.subarray(1 + NONCE, sealed.length - TAG));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    plain.fill(0);
    return null;
  }
}

function bound(about: string): Buffer {
  return Buffer.concat([Buffer.of(VERSION), Buffer.from(about, "utf8")]);
}
