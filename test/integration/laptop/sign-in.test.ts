import { createHash, createPublicKey } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { jwtVerify } from "jose";
import { NiacError } from "../../../src/base/index.ts";
import { readRequest } from "../../../src/x509/index.ts";
import { Pki } from "../../support/pki.ts";
import { FakeBox } from "./fake-box.ts";
import { Laptop } from "./laptop.ts";
import { identityProvider, signedInBy, type IdentityProvider } from "./provider.ts";

const pki = Pki.create();
const root = pki.root("Office Root");
const server = root.server({ dns: ["id.example"], ip: ["127.0.0.1"] });
const signing = root.client({ cn: "signing" });

test.after.always(() => pki.remove());

async function bed(
  t: ExecutionContext,
): Promise<{ box: FakeBox; laptop: Laptop; provider: IdentityProvider; args: string[] }> {
  const provider = await identityProvider(server, signing.keyPem);
  t.teardown(() => provider.close());
  const box = await FakeBox.start(t);
  const { issuer, clientId } = provider;
  const settings = { issuer, clientId, scopes: ["openid"], ca: root.certPem };
  box.documents.set("/.well-known/niac/sign-in", JSON.stringify(settings));
  const laptop = new Laptop(t);
  const fingerprint = createHash("sha256").update(box.root).digest("hex");
  return { box, laptop, provider, args: [box.url, "--fingerprint", fingerprint, "--sign-in"] };
}

async function failure(running: Promise<void>): Promise<NiacError> {
  try {
    await running;
  } catch (error) {
    if (error instanceof NiacError) return error;
    throw error;
  }
  throw new Error("the command ended without an error");
}

test("signing in at a real provider gives an ID token that is bound to this key, and enrols it", async (t) => {
  const { box, laptop, provider, args } = await bed(t);
  const pages: Promise<string>[] = [];
  laptop.onPage = (url) => pages.push(signedInBy(url, "alice", root.certPem));
  await laptop.niac("enroll", ...args);
  t.deepEqual(await Promise.all(pages), [
    "You are signed in. Close this page and go back to the terminal.\n",
  ]);
  const { authorization, request } = box.asked[0] ?? { authorization: null, request: null };
  const token = /^Bearer (.+)$/.exec(authorization ?? "")?.[1] ?? "";
  const { payload } = await jwtVerify(token, createPublicKey(signing.keyPem), {
    issuer: provider.issuer,
    audience: provider.clientId,
  });
  t.is(payload.sub, "alice");
  const { publicKeyInfo } = readRequest(request ?? Buffer.of());
  t.is(payload["nonce"], createHash("sha256").update(publicKeyInfo).digest("base64url"));
  t.true(laptop.out.includes(laptop.pages[0] ?? "no page"), "the address is printed too");
  t.true(existsSync(join(laptop.profiles, "default", "identity.pem")));
  t.false([...laptop.out, ...laptop.err].join("\n").includes(token));
});

test("who refuses at the provider is not enrolled, and told so", async (t) => {
  const { box, laptop, args } = await bed(t);
  laptop.onPage = (url) => void signedInBy(url, null, root.certPem);
  const error = await failure(laptop.niac("enroll", ...args));
  t.is(error.code, "sign-in");
  t.regex(error.message, /did not sign you in/);
  t.deepEqual(box.asked, []);
});

test("another program that knows the port, but not the state, ends nothing", async (t) => {
  const { laptop, args } = await bed(t);
  const answers: number[] = [];
  laptop.onPage = (url) => {
    const back = new URL(url).searchParams.get("redirect_uri") ?? "";
    void (async () => {
      for (const guess of ["", "?code=x", "?code=x&state=", "?code=x&state=guess", "favicon.ico"]) {
        answers.push((await fetch(new URL(guess, back))).status);
      }
      await signedInBy(url, "alice", root.certPem);
    })();
  };
  await laptop.niac("enroll", ...args);
  t.deepEqual(answers, [404, 404, 404, 404, 404]);
});

test("Ctrl-C while the person should sign in", async (t) => {
  const { box, laptop, args } = await bed(t);
  laptop.onPage = () => laptop.interrupt();
  const error = await failure(laptop.niac("enroll", ...args));
  t.is(error.message, "signing in was stopped");
  t.deepEqual(box.asked, []);
});

test("a provider whose certificate is not the plant's, one that is away, a box without sign-in", async (t) => {
  const { box, laptop, provider, args } = await bed(t);
  const settings = {
    issuer: provider.issuer,
    clientId: "niac-laptops",
    scopes: [],
    ca: pki.root("Other").certPem,
  };
  box.documents.set("/.well-known/niac/sign-in", JSON.stringify(settings));
  t.is((await failure(laptop.niac("enroll", ...args))).code, "est-server-certificate");
  box.documents.set(
    "/.well-known/niac/sign-in",
    JSON.stringify({ ...settings, issuer: "https://127.0.0.1:1" }),
  );
  const away = await failure(laptop.niac("enroll", ...args));
  t.is(away.message, "https://127.0.0.1:1 cannot be reached (ECONNREFUSED)");
  box.documents.delete("/.well-known/niac/sign-in");
  t.is((await failure(laptop.niac("enroll", ...args))).code, "no-sign-in");
  t.deepEqual(laptop.pages, []);
});
