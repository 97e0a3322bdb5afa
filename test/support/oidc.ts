/**
 * A real OpenID provider (oidc-provider) over HTTPS on loopback, and a person who signs in there: authorization code with PKCE, made
 * by openid-client.
 *
 *     const oidc = await OidcBed.open(pki);
 *     const token = await oidc.signIn({ user: "alice", nonce });      // an ID token as the provider issues it
 *     const forged = await oidc.sign({ ...claims, aud: "other" });    // one that it would not issue, signed with its key
 */
import { createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";
import { request, createServer, type Server } from "node:https";
import { SignJWT, type JWTPayload } from "jose";
import { Provider } from "oidc-provider";
import * as client from "openid-client";
import { exchange } from "../../src/est/est-client-http.ts";
import type { SignIn } from "../../src/site/index.ts";
import type { Pki } from "./pki.ts";
import { freePort } from "./ports.ts";

export const CLIENT = "niac-laptops";
export const OTHER_CLIENT = "something-else";
const REDIRECT = "http://127.0.0.1/";
const KEY_ID = "1";

export class OidcBed {
  readonly #server: Server;
  readonly #ca: string;
  readonly #key: KeyObject;
  readonly port: number;

  private constructor(server: Server, port: number, ca: string, key: KeyObject) {
    this.#server = server;
    this.port = port;
    this.#ca = ca;
    this.#key = key;
  }

  static async open(pki: Pki): Promise<OidcBed> {
    const root = pki.root("Provider Root");
    const own = root.server({ dns: ["localhost"], ip: ["127.0.0.1"] });
    const server = createServer({ cert: own.fullChainPem, key: own.keyPem });
    const port = await freePort();
    await listening(server, port);
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const bed = new OidcBed(server, port, root.certPem, privateKey);
    const answer = bed.#provider().callback();
    server.on("request", (incoming, outgoing) => void answer(incoming, outgoing));
    return bed;
  }

  get issuer(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** As the site document would say it. */
  settings(more: Partial<SignIn> = {}): SignIn {
    return {
      issuer: this.issuer,
      clientId: CLIENT,
      clientSecret: null,
      scopes: ["openid"],
      userClaim: "preferred_username",
      groupsClaim: "groups",
      tier: "managed",
      tenant: null,
      ca: this.#ca,
      ...more,
    };
  }

  /** PEM of the public key that the provider signs with. */
  get publicKey(): string {
    return createPublicKey(this.#key).export({ type: "spki", format: "pem" }).toString();
  }

  /** Whatever is asked for, signed with the provider's own key. */
  sign(payload: JWTPayload, key: KeyObject = this.#key): Promise<string> {
    return new SignJWT(payload).setProtectedHeader({ alg: "ES256", kid: KEY_ID }).sign(key);
  }

  /** The ID token that `user` gets, who is in the group `maintenance`. */
  async signIn({
    user,
    nonce,
    clientId = CLIENT,
  }: {
    user: string;
    nonce: string;
    clientId?: string;
  }): Promise<string> {
    const config = await client.discovery(new URL(this.issuer), clientId, undefined, client.None(), {
      [client.customFetch]: (url, options) => this.#fetch(url, options),
    });
    const verifier = client.randomPKCECodeVerifier();
    const start = client.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT,
      scope: "openid",
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      nonce,
    });
    const back = await this.#browse(start.href, user);
    const tokens = await client.authorizationCodeGrant(config, new URL(back), {
      pkceCodeVerifier: verifier,
      expectedNonce: nonce,
    });
    if (tokens.id_token === undefined) throw new Error("the provider gave no ID token");
    return tokens.id_token;
  }

  /** Nobody is there any more, until come(). */
  async go(): Promise<void> {
    const gone = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await gone;
  }

  async come(): Promise<void> {
    await listening(this.#server, this.port);
  }

  #provider(): Provider {
    const one = {
      application_type: "native",
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: "none",
      id_token_signed_response_alg: "ES256",
    } as const;
    const jwk = { ...this.#key.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: KEY_ID };
    return new Provider(this.issuer, {
      clients: [
        { ...one, client_id: CLIENT },
        { ...one, client_id: OTHER_CLIENT },
      ],
      jwks: { keys: [jwk] },
      cookies: { keys: [randomBytes(16).toString("hex")] },
      claims: { openid: ["sub", "preferred_username", "groups"] },
      conformIdTokenClaims: false,
      findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({ sub: id, preferred_username: id, groups: ["maintenance"] }),
      }),
      pkce: { required: () => true },
    });
  }

  async #fetch(url: string, { method, headers, body }: client.CustomFetchOptions): Promise<Response> {
    const answer = await exchange({
      url: new URL(url),
      method: method === "POST" ? "POST" : "GET",
      headers,
      body: typeof body === "string" || body instanceof URLSearchParams ? body.toString() : null,
      ca: this.#ca,
      credentials: null,
      timeout: 20_000,
      limit: 262_144,
    });
    const type = answer.header("content-type") ?? "text/plain";
    return new Response(new Uint8Array(answer.body), {
      status: answer.status,
      headers: { "content-type": type },
    });
  }

  /** Signs in as `user`, agrees, and returns where the browser is sent in the end. */
  async #browse(url: string, user: string): Promise<string> {
    const cookies = new Map<string, string>();
    let at = url;
    for (let step = 0; step < 20; step++) {
      if (at.startsWith("http:")) return at;
      const page = await this.#page(at, null, cookies);
      if (page.location !== null) {
        at = new URL(page.location, at).href;
        continue;
      }
      const action = /action="([^"]+)"/.exec(page.body)?.[1] ?? "";
      const prompt = /name="prompt" value="([^"]+)"/.exec(page.body)?.[1] ?? "";
      const login = prompt === "login" ? { login: user, password: "x" } : {};
      const form = new URLSearchParams({ prompt, ...login });
      const next = await this.#page(new URL(action, at).href, form.toString(), cookies);
      if (next.location === null) throw new Error(`the provider answers ${next.status}: ${next.body}`);
      at = new URL(next.location, at).href;
    }
    throw new Error("signing in leads nowhere");
  }

  #page(
    url: string,
    form: string | null,
    cookies: Map<string, string>,
  ): Promise<{ readonly status: number; readonly location: string | null; readonly body: string }> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const type = form === null ? {} : { "Content-Type": "application/x-www-form-urlencoded" };
    return new Promise((resolve, reject) => {
      const method = form === null ? "GET" : "POST";
      const outgoing = request(url, {
        method,
        ca: this.#ca,
        agent: false,
        headers: { Cookie: cookie, ...type },
      });
      outgoing.once("error", reject);
      outgoing.once("response", (incoming) => {
        for (const each of incoming.headers["set-cookie"] ?? []) {
          const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(each) ?? [];
          cookies.set(name, value);
        }
        let body = "";
        incoming.setEncoding("utf8").on("data", (text: string) => (body += text));
        const { statusCode: status = 0, headers } = incoming;
        incoming.once("end", () => resolve({ status, location: headers.location ?? null, body }));
      });
      outgoing.end(form ?? undefined);
    });
  }
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}
