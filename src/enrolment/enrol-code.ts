/** One-time codes as people read and type them: 80 random bits in Crockford's base32, in groups of four. Pure but for chance. */
import { randomBytes } from "node:crypto";

/** Without I, L, O and U, which are read as something else. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 16;

/** `7K3M-Q2ZX-9VBT-4HCN` */
export function newCode(): string {
  // Each byte's low five bits: 256 is a multiple of 32, so that none is likelier.
  const digits = Array.from(randomBytes(LENGTH), (byte) => DIGITS.charAt(byte & 0x1f));
  return digits.join("").replaceAll(/.{4}(?!$)/g, "$&-");
}

/** As typed: letter case, hyphens and blanks do not count, O is 0, I and L are 1. Null: it is no code, whatever it is. */
export function readCode(typed: string): string | null {
  if (typed.length > 4 * LENGTH) return null;
  const digits = typed.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  return digits.length === LENGTH && Array.from(digits).every((digit) => DIGITS.includes(digit))
    ? digits
    : null;
}
