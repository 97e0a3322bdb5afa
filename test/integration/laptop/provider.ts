import { createPrivateKey, randomBytes } from "node:crypto";
import { createServer, request } from "node:https";
import { Provider } from "oidc-provider";
import type { Credential } from "../../support/pki.ts";
import { portOf } from "./running.ts";

export interface IdentityProvider {
  readonly issuer: string;
  readonly clientId: string;
  close(): void;
}

/** A real OpenID provider on loopback, with one native client. */
export async function identityProvider(
  credential: Credential,
  signingKey: string,
): Promise<IdentityProvider> {
  const clientId = "niac-laptops";
  const server = createServer({ cert: credential.fullChainPem, key: credential.keyPem });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const issuer = `https://127.0.0.1:${portOf(server)}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        application_type: "native",
        redirect_uris: ["http://127.0.0.1/"],
        token_endpoint_auth_method: "none",
        id_token_signed_response_alg: "ES256",
      },
    ],
    jwks: {
      keys: [
        { ...createPrivateKey(signingKey).export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "1" },
      ],
    },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    pkce: { required: () => true },
  });
  const answer = provider.callback();
  server.on("request", (incoming, outgoing) => void answer(incoming, outgoing));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { issuer, clientId, close };
}

interface Page {
  readonly status: number;
  readonly location: string | null;
  readonly body: string;
}

/**
 * A person at a browser: follows `url`, signs in as `user` and agrees, or refuses (`user` null), until it comes back to the laptop.
 * Returns what the laptop's page says.
 */
export async function signedInBy(url: string, user: string | null, ca: string): Promise<string> {
  const cookies = new Map<string, string>();
  let at = url;
  for (let step = 0; step < 20; step++) {
    if (at.startsWith("http:")) return (await fetch(at)).text();
    const page = await fetchPage(at, null, cookies, ca);
    if (page.location !== null) {
      at = new URL(page.location, at).href;
      continue;
    }
    if (user === null) at = new URL(/href="([^"]*abort[^"]*)"/.exec(page.body)?.[1] ?? "", at).href;
    else {
      const action = /action="([^"]+)"/.exec(page.body)?.[1] ?? "";
      const prompt = /name="prompt" value="([^"]+)"/.exec(page.body)?.[1] ?? "";
      const form = new URLSearchParams({
        prompt,
        ...(prompt === "login" ? { login: user, password: "x" } : {}),
      });
      const next = await fetchPage(new URL(action, at).href, form.toString(), cookies, ca);
      if (next.location === null) throw new Error(`the provider answers ${next.status}: ${next.body}`);
      at = new URL(next.location, at).href;
    }
  }
  throw new Error("signing in leads nowhere");
}

function fetchPage(
  url: string,
  form: string | null,
  cookies: Map<string, string>,
  ca: string,
): Promise<Page> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const type = form === null ? {} : { "Content-Type": "application/x-www-form-urlencoded" };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: form === null ? "GET" : "POST",
      ca,
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
      incoming.once("end", () =>
        resolve({ status: incoming.statusCode ?? 0, location: incoming.headers.location ?? null, body }),
      );
    });
    outgoing.end(form ?? undefined);
  });
}
