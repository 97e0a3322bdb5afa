/** The provider's keys, found as OpenID Connect Discovery 1.0 says, and kept for a while. */
import { getCACertificates } from "node:tls";
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from "jose";
import * as z from "zod";
import { messageOf, NiacError, UnavailableError } from "../base/index.ts";
import type { SignIn } from "../site/index.ts";
import { exchange } from "../est/index.ts";

/** Milliseconds. */
const TIMEOUT = 8_000;
const FRESH = 10 * 60_000;
/** Between two questions for a key that the last answer did not have: tokens that name invented keys ask nobody more often. */
const PAUSE = 30_000;
const MAX_ANSWER = 262_144;
const MAX_KEYS = 64;

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https$/ }) });
const keysSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(MAX_KEYS) });

type Provider = Pick<SignIn, "issuer" | "ca">;

interface Held {
  readonly keys: JWTVerifyGetKey;
  readonly at: number;
}

/** Of one provider; another one, or another authority above it, begins anew. */
export class ProviderKeys {
  readonly #monotonic: () => number;
  #provider = "";
  #held: Held | null = null;
  #asking: Promise<Held> | null = null;

  /** `monotonic`: milliseconds of a clock that never goes back. */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** For jwtVerify, which then rejects with an UnavailableError where the provider does not answer. */
  of({ issuer, ca }: Provider): JWTVerifyGetKey {
    return async (header, token) => {
      const provider = JSON.stringify([issuer, ca]);
      if (provider !== this.#provider) {
        this.#provider = provider;
        this.#held = null;
        this.#asking = null;
      }
      const held = await this.#fresh({ issuer, ca }, FRESH);
      try {
        return await held.keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        // The provider has changed its keys, or somebody invents some.
        const newer = await this.#fresh({ issuer, ca }, PAUSE);
        if (newer === held) throw error;
        return newer.keys(header, token);
      }
    };
  }

  async #fresh(provider: Provider, age: number): Promise<Held> {
    if (this.#held !== null && this.#monotonic() - this.#held.at < age) return this.#held;
    this.#asking ??= this.#ask(provider);
    const asking = this.#asking;
    try {
      const held = await asking;
      if (this.#asking === asking) this.#held = held;
      return held;
    } finally {
      if (this.#asking === asking) this.#asking = null;
    }
  }

  async #ask({ issuer, ca }: Provider): Promise<Held> {
    const at = this.#monotonic();
    try {
      const discovery = discoverySchema.parse(
        await getJson(new URL(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`), ca),
      );
      if (discovery.issuer !== issuer) {
        throw new UnavailableError("sign-in-issuer", `it calls itself ${JSON.stringify(discovery.issuer)}`);
      }
      const set = keysSchema.parse(await getJson(new URL(discovery.jwks_uri), ca));
      return { keys: createLocalJWKSet({ keys: set.keys }), at };
    } catch (error) {
      if (!(error instanceof NiacError || error instanceof z.ZodError || error instanceof SyntaxError))
        throw error;
      const why =
        error instanceof NiacError ? messageOf(error) : "its answer is not what OpenID Connect asks for";
      throw new UnavailableError(
        "sign-in-away",
        `nobody can sign in: the provider ${issuer} does not give its keys (${why})`,
        "Try again later, or ask the plant admin for a one-time code. For the plant admin: see signIn of the site document.",
        { cause: error },
      );
    }
  }
}

async function getJson(url: URL, ca: string | null): Promise<unknown> {
  const answer = await exchange({
    url,
    method: "GET",
    headers: { Accept: "application/json" },
    body: null,
    ca: ca ?? getCACertificates("default").join("\n"),
    credentials: null,
    timeout: TIMEOUT,
    limit: MAX_ANSWER,
  });
  if (answer.status !== 200)
    throw new UnavailableError("sign-in-status", `${url.href} answers ${answer.status}`);
  const json: unknown = JSON.parse(answer.body.toString());
  return json;
}
