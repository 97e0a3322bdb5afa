/** The key of an enrolment that is not done: kept, so that an interrupted one goes on with the request that waits at the box. */
import * as z from "zod";
import type { EnrollOptions } from "./enroll-options.ts";
import { newFileKey, readFileKey, type LaptopKey } from "./laptop-key.ts";
import { tokenSchema } from "./profile.ts";
import type { ProfileStore } from "./store.ts";
import type { LaptopSurroundings } from "./surroundings.ts";
import { newTokenKey, openTokenKey, tokenUse } from "./token-key.ts";

const pendingSchema = z.strictObject({
  /** What the key was made for; another enrolment gets another key. */
  purpose: z.string(),
  /** PEM, PKCS#8; "" where a token holds it. */
  key: z.string(),
  token: tokenSchema.nullable(),
});

/** The key that waits for this very enrolment, or a new one that waits from now on. */
export async function keyFor(
  store: ProfileStore,
  options: EnrollOptions,
  around: LaptopSurroundings,
): Promise<LaptopKey> {
  const purpose = purposeOf(options);
  const waiting = readPending(store.pending());
  if (waiting?.purpose === purpose) {
    around.print("Going on with the key of the enrolment that was begun here.");
    if (waiting.token === null) return readFileKey(waiting.key);
    return openTokenKey(await tokenUse(waiting.token, around), options.algorithm);
  }
  const { token, algorithm } = options;
  const key = await (token === null ? newFileKey(algorithm) : newTokenKey(token, algorithm, around));
  store.keepPending(JSON.stringify({ purpose, key: key.pem, token: key.token }));
  return key;
}

function purposeOf({ box, label, user, device, algorithm, token }: EnrollOptions): string {
  return JSON.stringify([box, label, user, device, algorithm, token]);
}

/** Null for what cannot be understood: a new key costs nothing but a new request. */
function readPending(text: string | null): z.infer<typeof pendingSchema> | null {
  if (text === null) return null;
  try {
    return pendingSchema.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}
