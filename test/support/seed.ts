/** Chance that can be had again: NIAC_SEED, or a number of the moment, which a test says when it fails. */
const given = Number(process.env["NIAC_SEED"]);

export const SEED = Number.isSafeInteger(given) && given > 0 ? given : Date.now() % 2 ** 31;

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
