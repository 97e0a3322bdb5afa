/** Chance of the box's tests: the same as of all others. */
export { chance, SEED } from "../seed.ts";
