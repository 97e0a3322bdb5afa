import { createHash } from "node:crypto";

const CONSONANTS = "bdfghjklmnprstvz";
const VOWELS = "aiou";
/** 80 bits: nobody makes a second key with the same words while a request waits. */
const WORDS = 5;

/**
 * A public key's fingerprint in words that can be read out over a telephone: the first 80 bits of the SHA-256 of its
 * SubjectPublicKeyInfo, 16 bits to a word of consonants and vowels by turns (`lusab-babad-gutih-tugad-mudof`).
 */
export function keyWords(publicKeyInfo: Uint8Array): string {
  const digest = createHash("sha256").update(publicKeyInfo).digest();
  return Array.from({ length: WORDS }, (_, index) => word(digest.readUInt16BE(2 * index))).join("-");
}

function word(bits: number): string {
  const consonant = (shift: number): string => CONSONANTS.charAt((bits >> shift) & 0b1111);
  const vowel = (shift: number): string => VOWELS.charAt((bits >> shift) & 0b11);
  return consonant(12) + vowel(10) + consonant(6) + vowel(4) + consonant(0);
}
