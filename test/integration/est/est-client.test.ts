/** The EST client against a server that is not niac's. */
import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import test from "ava";
import { type EstClient, estClient } from "../../../src/est/index.ts";
import { NiacError } from "../../../src/base/index.ts";
import { certificatePem, freshRequest, pemToDer } from "../../../src/x509/index.ts";
import { EstServer } from "../../support/est-server.ts";

const NAMES = {
  commonName: "box.plant.example",
  dns: ["box.plant.example", "*.box.plant.example"],
  ip: ["10.20.0.100"],
};

function client(server: EstServer, more: { timeout?: number; ca?: string } = {}): EstClient {
  const { ca = server.root, ...options } = more;
  return estClient({ url: server.url, trust: { ca }, ...options });
}

function auth({ user, code }: EstServer): { user: string; code: string } {
  return { user, code };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    return error instanceof NiacError ? error.code : String(error);
  }
}

async function enrolled(
  server: EstServer,
  using = client(server),
): Promise<{ certificates: Buffer[]; key: string }> {
  const { request, key } = await freshRequest(NAMES);
  const answer = await using.enroll(request, auth(server));
  if (answer.kind !== "issued") throw new Error("it waits");
  return { certificates: answer.certificates, key };
}

test("a code gets a certificate for the key of the request, with the chain up to the root", async (t) => {
  const server = await EstServer.start(t);
  const { certificates } = await enrolled(server);
  const [leaf, issuing, root] = certificates.map((der) => new X509Certificate(der));
  t.is(certificates.length, 3);
  t.is(leaf?.subject, "CN=box.plant.example");
  t.regex(leaf?.subjectAltName ?? "", /\*\.box\.plant\.example.*10\.20\.0\.100/);
  t.is(issuing?.subject, "CN=Site Issuing");
  t.deepEqual(root?.raw, pemToDer(server.root)[0]);
});

test("the certificate renews itself, and other names are refused with the server's own words", async (t) => {
  const server = await EstServer.start(t);
  const { certificates, key } = await enrolled(server);
  const credentials = { certificate: certificates.map(certificatePem).join(""), key };
  const known = estClient({ url: server.url, trust: { ca: server.root }, credentials });
  const again = await known.reenroll((await freshRequest(NAMES)).request);
  t.is(again.kind, "issued");
  const other = (await freshRequest({ ...NAMES, commonName: "other.plant.example" })).request;
  await t.throwsAsync(known.reenroll(other), { message: /refuses simplereenroll.*names differ/ });
  t.is(await codeOf(client(server).reenroll(other)), "est-credentials");
});

test("a fingerprint alone is enough, and a wrong one keeps the code at home", async (t) => {
  const server = await EstServer.start(t);
  const digest = createHash("sha256")
    .update(pemToDer(server.root)[0] ?? "")
    .digest("hex");
  const { request } = await freshRequest(NAMES);
  const wrong = estClient({
    url: server.url,
    trust: { fingerprint: digest.replace(/^./, (first) => (first === "0" ? "1" : "0")) },
  });
  await t.throwsAsync(wrong.enroll(request, auth(server)), { message: new RegExp(`it shows ${digest}`) });
  t.deepEqual(await server.asked(), ["cacerts 200"]);
  const pairs = digest.toUpperCase().match(/../g)?.join(":") ?? "";
  const right = estClient({ url: server.url, trust: { fingerprint: `SHA256:${pairs}` } });
  t.is((await right.enroll(request, auth(server))).kind, "issued");
  t.deepEqual(pemToDer(await right.trusted()), pemToDer(server.root));
});

test("an issuing authority's fingerprint is not a root's", async (t) => {
  const server = await EstServer.start(t);
  const [issuing] = (await client(server).cacerts()).filter(
    (der) => new X509Certificate(der).subject === "CN=Site Issuing",
  );
  const digest = createHash("sha256")
    .update(issuing ?? "")
    .digest("hex");
  const known = estClient({ url: server.url, trust: { fingerprint: digest } });
  t.is(await codeOf(known.cacerts()), "est-fingerprint");
});

test("a server of another authority gets neither code nor request", async (t) => {
  const server = await EstServer.start(t);
  const stranger = await EstServer.start(t);
  const { request } = await freshRequest(NAMES);
  t.is(
    await codeOf(client(server, { ca: stranger.root }).enroll(request, auth(server))),
    "est-server-certificate",
  );
  t.deepEqual(await server.asked(), []);
});

test("a certificate for another name is refused", async (t) => {
  const server = await EstServer.start(t, { names: "DNS:ca.plant.example" });
  const { request } = await freshRequest(NAMES);
  t.is(await codeOf(client(server).enroll(request, auth(server))), "est-server-certificate");
  t.deepEqual(await server.asked(), []);
});

test("a request waits for approval as long as the server says", async (t) => {
  const server = await EstServer.start(t, { label: "managed", reuse: true });
  await server.order({ wait: 1 });
  const labelled = estClient({ url: server.url, trust: { ca: server.root }, label: "managed" });
  const { request } = await freshRequest(NAMES);
  t.deepEqual(await labelled.enroll(request, auth(server)), { kind: "wait", retryAfter: 1_000 });
  t.is((await labelled.enroll(request, auth(server))).kind, "issued");
  t.is(await codeOf(client(server).enroll(request, auth(server))), "est-missing");
});

test("what the server wants in a request, and other documents", async (t) => {
  const server = await EstServer.start(t);
  t.is((await client(server).csrattrs())?.toString("hex"), "300906072b060101010116");
  t.is(await client(server).get("/.well-known/niac/sign-in", "application/json"), null);
});

for (const [fault, code] of [
  ["500", "est-failed"],
  ["busy", "est-busy"],
  ["redirect", "est-redirect"],
  ["drop", "est-away"],
  ["type", "est-answer"],
  ["garbage", "est-answer"],
  ["truncated", "certs-only-malformed"],
  ["huge", "est-answer"],
  ["slow", "est-away"],
  ["other-key", "est-other-key"],
  ["stranger", "est-chain"],
  ["expired", "est-chain"],
  ["chunked", "none"],
] as const) {
  test(`a server's fault is told by its own name: ${fault}`, async (t) => {
    const server = await EstServer.start(t);
    const bounded = client(server, fault === "slow" ? { timeout: 1_500 } : {});
    const { request } = await freshRequest(NAMES);
    await client(server).cacerts();
    await server.order({ fault });
    t.is(await codeOf(bounded.enroll(request, auth(server))), code);
    await server.order({ fault: null });
  });
}

test("what a server says is shown without its escapes, and not all of it", async (t) => {
  const server = await EstServer.start(t);
  await server.order({ fault: "500" });
  const error = await t.throwsAsync(client(server).cacerts());
  t.regex(error?.message ?? "", /the database \\u\{1b\}\[31mis\\u\{7\} away/);
  t.true((error?.message.length ?? 0) < 450);
});

test("what OpenSSL makes of a request is what we asked for", async (t) => {
  const { request } = await freshRequest(NAMES);
  const text = execFileSync("/usr/bin/openssl", ["req", "-inform", "DER", "-noout", "-verify", "-text"], {
    input: request,
  });
  t.regex(text.toString(), /DNS:box\.plant\.example, DNS:\*\.box\.plant\.example, IP Address:10\.20\.0\.100/);
});
