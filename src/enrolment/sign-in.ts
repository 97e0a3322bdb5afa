/** The appliance's half of OpenID Connect: whether an ID token lets this key have a certificate, and whose. */
import { createHash } from "node:crypto";
import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { messageOf } from "../base/index.ts";
import type { SignIn } from "../site/index.ts";
import { HttpRefusal } from "./http-reply.ts";

/** Signatures only, of keys that nobody but the provider has: with HMAC, every client that knows the secret could sign. */
const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];
/** Seconds that the provider's clock may differ. */
const LEEWAY = 60;
/** Seconds from the making of a token until it is too old to enrol with, whatever its end. */
const OLDEST = 3_600;
const MAX_TOKEN = 16_384;
const MAX_GROUPS = 64;
const MAX_NAME = 255;

export interface SignedIn {
  readonly user: string;
  readonly groups: readonly string[];
  /** What the token's use is known by. */
  readonly credential: Buffer;
  /** Milliseconds since the epoch; beyond it the token is refused by its own dates. */
  readonly expires: number;
}

/** The `nonce` that a laptop asks the provider to put into the token, so that the token is good for this key and no other. */
export function nonceOf(publicKeyInfo: Uint8Array): string {
  return createHash("sha256").update(publicKeyInfo).digest("base64url");
}

/**
 * Verifies an ID token (OpenID Connect Core 1.0, section 3.1.3.7). `keys`: the provider's. `now`: milliseconds since the epoch.
 * Throws an HttpRefusal (401) that says what is wrong, an UnavailableError where the provider's keys cannot be had.
 */
export async function verifySignIn(
  token: string,
  publicKeyInfo: Uint8Array,
  settings: SignIn,
  keys: JWTVerifyGetKey,
  now: number,
): Promise<SignedIn> {
  if (token.length > MAX_TOKEN) throw refuse(`it has ${token.length} characters, not ${MAX_TOKEN} at most`);
  const payload = await verified(token, settings, keys, now);
  const { aud, azp, nonce, exp = 0, iat = 0 } = payload;
  if (iat * 1_000 > now + LEEWAY * 1_000) throw refuse("it was made in the future; compare the clocks");
  const parties = Array.isArray(aud) ? aud.length : 1;
  if ((parties > 1 || azp !== undefined) && azp !== settings.clientId) {
    throw refuse("it was made for another client (azp)");
  }
  if (nonce !== nonceOf(publicKeyInfo)) {
    throw refuse("it was not made for this key: its nonce is not the SHA-256 of the key in the request");
  }
  return {
    user: userOf(payload, settings),
    groups: groupsOf(payload, settings),
    // All of what was signed. A signature can be written in two ways, and is none of it.
    credential: createHash("sha256")
      .update(token.slice(0, token.lastIndexOf(".")))
      .digest(),
    expires: (Math.min(exp, iat + OLDEST) + LEEWAY) * 1_000,
  };
}

async function verified(
  token: string,
  { issuer, clientId }: SignIn,
  keys: JWTVerifyGetKey,
  now: number,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: clientId,
      algorithms: ALGORITHMS,
      clockTolerance: LEEWAY,
      maxTokenAge: OLDEST,
      currentDate: new Date(now),
      requiredClaims: ["exp", "iat", "sub", "nonce"],
    });
    return payload;
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    throw refuse(messageOf(error));
  }
}

function userOf(payload: JWTPayload, { userClaim }: SignIn): string {
  const user = payload[userClaim];
  if (typeof user !== "string" || !isName(user)) {
    throw refuse(
      `its claim ${userClaim}, which says who the user is, is not a name of 1 to ${MAX_NAME} characters`,
    );
  }
  // A provider at which people register themselves lets anybody claim an address.
  if (userClaim === "email" && payload["email_verified"] === false) {
    throw refuse("the provider has not verified the user's e-mail address");
  }
  return user;
}

function groupsOf(payload: JWTPayload, { groupsClaim }: SignIn): string[] {
  const claim = groupsClaim === null ? undefined : payload[groupsClaim];
  if (claim === undefined) return [];
  const groups: unknown[] = Array.isArray(claim) ? claim : [claim];
  const names = groups.filter((group) => typeof group === "string").filter(isName);
  if (names.length !== groups.length || groups.length > MAX_GROUPS) {
    throw refuse(`its claim ${groupsClaim ?? ""} is not a list of ${MAX_GROUPS} names of groups at most`);
  }
  return [...new Set(names)].toSorted();
}

function isName(text: string): boolean {
  return text.length > 0 && text.length <= MAX_NAME && !/\p{C}/u.test(text);
}

function refuse(why: string): HttpRefusal {
  return new HttpRefusal("sign-in", {
    status: 401,
    stage: "sign-in",
    message: `The sign-in is refused: of the ID token, ${why}.`,
    advice: "Sign in again with `niac enroll --sign-in`. If it stays so, show this to the plant admin.",
    headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
    guess: true,
  });
}
