/**
 * The person signs in with the plant's identity provider: OpenID Connect's authorization code flow with PKCE, in the system's
 * browser, for a native program (RFC 8252, sections 7.3 and 8.1). The nonce is the hash of the laptop's public key, so that
 * the ID token enrols this key and no other.
 */
import { createHash, randomBytes } from "node:crypto";
import * as oidc from "openid-client";
import * as z from "zod";
import { type EstClient, exchange } from "../est/index.ts";
import { messageOf, PeerError, printable, systemCode, UnavailableError, UsageError } from "../base/index.ts";
import { Landing } from "./landing.ts";
import type { LaptopSurroundings } from "./surroundings.ts";

const SETTINGS = "/.well-known/niac/sign-in";
/** Milliseconds for the person to sign in. */
const PATIENCE = 10 * 60_000;
const TIMEOUT = 20_000;
const MAX_ANSWER = 262_144;
const MAX_WORDS = 300;

const settingsSchema = z.object({
  issuer: z.url({ protocol: /^https$/ }),
  clientId: z.string().min(1),
  /** Some providers give native programs one and demand it; it keeps no secret. */
  clientSecret: z.string().nullish(),
  scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/)).max(50),
  /** PEM: by whom the provider's own HTTPS certificate is issued; none: one that all browsers know. */
  ca: z.string().nullish(),
});

/** The ID token. Rejects with an error for the reader. `publicKeyInfo`: DER of the key that is to be enrolled. */
export async function signIn(
  client: EstClient,
  publicKeyInfo: Uint8Array,
  around: LaptopSurroundings,
): Promise<string> {
  const { issuer, clientId, clientSecret, scopes, ca } = await fetchSettings(client);
  const nonce = createHash("sha256").update(publicKeyInfo).digest("base64url");
  const landing = await Landing.open();
  const stop = new AbortController();
  void around.interrupted().then(() => stop.abort());
  try {
    const authentication = clientSecret ? oidc.ClientSecretPost(clientSecret) : oidc.None();
    const config = await oidc.discovery(new URL(issuer), clientId, undefined, authentication, {
      timeout: TIMEOUT / 1000,
      ...(ca ? { [oidc.customFetch]: fetchBy(ca) } : {}),
    });
    const verifier = oidc.randomPKCECodeVerifier();
    const state = randomBytes(16).toString("base64url");
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: landing.url,
      scope: [...new Set(["openid", ...scopes])].join(" "),
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    });
    around.print(`Sign in with ${new URL(issuer).host} in your browser. If it does not open by itself:`);
    around.print(url.href);
    around.browse(url.href);
    const arrived = await landing.arrival(state, PATIENCE, stop.signal);
    const tokens = await oidc.authorizationCodeGrant(config, arrived, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
    if (tokens.id_token === undefined) throw new PeerError("sign-in", `${issuer} gave no ID token`);
    return tokens.id_token;
  } catch (error) {
    throw explained(error, issuer);
  } finally {
    landing.close();
  }
}

async function fetchSettings(client: EstClient): Promise<z.infer<typeof settingsSchema>> {
  const body = await client.get(SETTINGS, "application/json");
  if (body === null) {
    throw new UsageError(
      "no-sign-in",
      "this box enrols nobody by signing in",
      "Ask the plant admin for a one-time code; or for `signIn` in the site document.",
    );
  }
  try {
    return settingsSchema.parse(JSON.parse(body.toString("utf8")));
  } catch (error) {
    throw new PeerError(
      "sign-in",
      `the box's settings for signing in cannot be understood: ${messageOf(error)}`,
    );
  }
}

/** Fetches from a provider whose certificate a plant's own authority issued. */
function fetchBy(ca: string): oidc.CustomFetch {
  return async (url, { method, headers, body }) => {
    if (method !== "GET" && method !== "POST") throw new PeerError("sign-in", `no provider needs ${method}`);
    const answer = await exchange({
      url: new URL(url),
      method,
      headers,
      body: typeof body === "string" || body instanceof URLSearchParams ? body.toString() : null,
      ca,
      credentials: null,
      timeout: TIMEOUT,
      limit: MAX_ANSWER,
    });
    const type = answer.header("content-type");
    return new Response(new Uint8Array(answer.body), {
      status: answer.status,
      headers: type === null ? {} : { "content-type": type },
    });
  };
}

/** The provider's own words, made plain; what is explained already stays as it is. */
function explained(error: unknown, issuer: string): Error {
  const cause = error instanceof Error ? error.cause : undefined;
  const known = [error, cause].find((each) => each instanceof PeerError || each instanceof UsageError);
  if (known instanceof Error) return known;
  const unavailable = [error, cause].find((each) => each instanceof UnavailableError);
  if (unavailable) return away(systemCode(unavailable.cause) || unavailable.message, issuer);
  if (error instanceof oidc.AuthorizationResponseError) {
    return new UsageError(
      "sign-in",
      `${issuer} did not sign you in: ${said(error.error_description ?? error.error)}`,
    );
  }
  if (error instanceof oidc.ResponseBodyError) {
    return new PeerError(
      "sign-in",
      `${issuer} gave no token: ${said(error.error_description ?? error.error)}`,
    );
  }
  if (error instanceof oidc.ClientError)
    return new PeerError("sign-in", `${issuer} answers with what is not right: ${error.message}`);
  return away(messageOf(cause ?? error), issuer);
}

/** Others' words, made fit for a terminal. */
function said(words: string): string {
  return printable(words).slice(0, MAX_WORDS);
}

function away(why: string, issuer: string): UnavailableError {
  return new UnavailableError(
    "sign-in-away",
    `${issuer} cannot be reached (${why})`,
    "Look at the network, and the proxy's settings.",
  );
}
