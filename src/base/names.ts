import { randomBytes } from "node:crypto";

/** Bytes of chance in a name's first part. */
const CHANCE = 9;

/**
 * Makes names that no other process makes, before a restart or after: the first part is by chance, the last is counted. They are no secrets.
 * People type them, so none begins with a hyphen: a command would take it for an option. `mark` stands before the count.
 */
export function nameMaker(mark = ""): () => string {
  const first = randomBytes(CHANCE).toString("hex");
  let made = 0;
  return () => `${first}-${mark}${(made++).toString(36)}`;
}
