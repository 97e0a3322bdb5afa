import test from "ava";
import { X509Certificate } from "node:crypto";
import { isRefusal, type Identity, type Refusal } from "../../../src/identity/index.ts";
import {
  Pki,
  ROLE_OID,
  type Authority,
  type ClientOptions,
  type Credential,
  type KeyKind,
} from "../../support/pki.ts";
import { nodeClient, opensslClient, outcomeOf, type Listener } from "./handshake.ts";

const pki = Pki.create();
test.after.always(() => pki.remove());

const root = pki.root("Plant Root");
const issuing = root.intermediate("Plant Issuing");
const listener: Listener = {
  server: issuing.server({ dns: ["press-4.niac.plant"] }),
  trusted: [root.certPem],
};

const codeOf = (outcome: Identity | Refusal): string => (isRefusal(outcome) ? outcome.code : "accepted");

/** The code that a Node client with this certificate meets. */
async function meet(credential: Credential | null, more: Partial<Listener> = {}): Promise<string> {
  return codeOf(await outcomeOf({ ...listener, ...more }, nodeClient(credential)));
}

const named = (authority: Authority, tenant: string) => ({
  name: tenant,
  tier: null,
  certificate: new X509Certificate(authority.certPem),
  tenant,
});

/** A Node client that offers what its own security level would keep back. */
const weak = (credential: Credential) => nodeClient(credential, { ciphers: "DEFAULT@SECLEVEL=0" });

const client = (options: Partial<ClientOptions> = {}): Credential =>
  issuing.client({ cn: "alice", ...options });

const KEYS: readonly KeyKind[] = ["rsa2048", "p256", "p384", "ed25519"];

for (const key of KEYS) {
  test(`${key}: chains of one, two and three authorities give an identity`, async (t) => {
    const top = pki.root(`${key} Root`, { key });
    const middle = top.intermediate(`${key} Middle`, { key });
    const low = middle.intermediate(`${key} Low`, { key, pathLength: 0 });
    for (const authority of [top, middle, low]) {
      const credential = authority.client({ cn: "alice", ou: ["maintenance"], role: "Operator", key });
      const x509 = new X509Certificate(credential.certPem);
      for (const connect of [nodeClient(credential), opensslClient(credential)]) {
        t.deepEqual(await outcomeOf({ ...listener, trusted: [top.certPem] }, connect), {
          kind: "certificate",
          user: "alice",
          device: null,
          groups: ["maintenance"],
          role: "Operator",
          tier: null,
          tenant: null,
          authority: null,
          issuer: `CN=${new X509Certificate(authority.certPem).subject.slice(3)}`,
          serialNumber: x509.serialNumber.toLowerCase(),
          fingerprint: x509.fingerprint256.replaceAll(":", "").toLowerCase(),
          notBefore: x509.validFromDate.getTime(),
          notAfter: x509.validToDate.getTime(),
        });
      }
    }
  });
}

test("TLS 1.2 gives the same identity", async (t) => {
  const credential = client({ role: "Operator" });
  const outcome = await outcomeOf(listener, nodeClient(credential, { maxVersion: "TLSv1.2" }));
  t.true(!isRefusal(outcome) && outcome.user === "alice" && outcome.role === "Operator");
});

test("names and claims come out exactly, whatever separators they hold", async (t) => {
  const credential = client({
    cn: "a|b=c],d+e/f\\g \u00fc 管",
    ou: ["line 4, east", "x=y"],
    role: "Operator|Engineer, night",
    sanUris: ["urn:niac:device:laptop%207%7C", "urn:niac:tier:gold", "urn:niac:group:contractors"],
    sanDns: ["laptop-7.plant"],
  });
  for (const connect of [nodeClient(credential), opensslClient(credential)]) {
    const outcome = await outcomeOf(listener, connect);
    if (isRefusal(outcome)) return void t.fail(outcome.reason);
    t.is(outcome.user, "a|b=c],d+e/f\\g \u00fc 管");
    t.deepEqual(outcome.groups, ["contractors", "line 4, east", "x=y"]);
    t.is(outcome.role, "Operator|Engineer, night");
    t.is(outcome.device, "laptop 7|");
    t.is(outcome.tier, "gold");
  }
  return undefined;
});

test("no certificate is refused", async (t) => {
  t.is(await meet(null), "no-certificate");
  t.is(codeOf(await outcomeOf(listener, opensslClient(null))), "no-certificate");
  t.is(codeOf(await outcomeOf(listener, nodeClient(null, { maxVersion: "TLSv1.2" }))), "no-certificate");
});

test("a self-signed certificate and another authority's are untrusted, and still named", async (t) => {
  const other = pki.root("Plant Root").intermediate("Plant Issuing");
  const bob = other.client({ cn: "bob", role: "Admin" });
  t.is(await meet(pki.selfSigned({ cn: "alice", role: "Admin" })), "untrusted");
  const outcome = await outcomeOf(listener, nodeClient(bob));
  if (!isRefusal(outcome)) return void t.fail("accepted");
  t.is(outcome.code, "untrusted");
  t.is(outcome.presented?.subject, "CN=bob");
  t.is(codeOf(await outcomeOf(listener, opensslClient(bob))), "untrusted");
  // With the impostor's root sent along, and with a genuine intermediate sent along.
  t.is(await meet(bob, { trusted: [root.certPem] }), "untrusted");
  const mixed = nodeClient(bob, { cert: bob.certPem + issuing.certPem });
  t.regex(codeOf(await outcomeOf(listener, mixed)), /^(?:untrusted|bad-signature)$/);
  t.regex(
    codeOf(await outcomeOf(listener, nodeClient(bob, { cert: bob.fullChainPem }))),
    /^(?:untrusted|bad-signature)$/,
  );
  return undefined;
});

test("a missing intermediate is untrusted, and the advice says to send it", async (t) => {
  const credential = client();
  const outcome = await outcomeOf(listener, nodeClient(credential, { cert: credential.certPem }));
  t.is(codeOf(outcome), "untrusted");
  t.true(
    isRefusal(outcome) &&
      outcome.reason.includes("CN=Plant Issuing") &&
      outcome.advice.includes("send them along"),
  );
});

test("expired and not yet valid, of the client and of an authority", async (t) => {
  const past = { notBefore: new Date("2020-01-01"), notAfter: new Date("2026-03-01T12:00:00Z") };
  const future = { notBefore: new Date("2090-01-01"), notAfter: new Date("2091-01-01") };
  t.is(await meet(client(past)), "expired");
  t.is(await meet(client(future)), "not-yet-valid");
  t.is(await meet(root.intermediate("Old", past).client({ cn: "alice" })), "authority-expired");
  t.is(await meet(root.intermediate("Early", future).client({ cn: "alice" })), "authority-not-yet-valid");
  const outcome = await outcomeOf(listener, opensslClient(client(past)));
  t.true(
    isRefusal(outcome) && outcome.reason === "The certificate of CN=alice expired on 2026-03-01 12:00 UTC.",
  );
});

test("a certificate authority is no client: one of its issuing, an intermediate, the trusted root itself", async (t) => {
  t.is(await meet(client({ ca: true })), "is-ca");
  t.is(await meet(client({ ca: true, keyUsage: "critical,digitalSignature,keyCertSign" })), "is-ca");
  t.is(await meet(client({ keyUsage: "critical,digitalSignature,keyCertSign" })), "is-ca");
  t.is(await meet(issuing.credential), "is-ca");
  t.is(await meet(root.credential), "is-ca");
});

test("a client's certificate signed by another client's is refused", async (t) => {
  // The client certificate poses as an authority towards openssl's command line, which signs what it is told to.
  const posing: Authority = root.intermediate("posing");
  const plain = root.client({ cn: "posing" });
  const below = posing.client({ cn: "alice" });
  const outcome = await outcomeOf(listener, nodeClient(below, { cert: below.certPem + plain.certPem }));
  t.true(isRefusal(outcome));
});

test("usage: server only, any purpose, none, no digital signature", async (t) => {
  t.is(await meet(client({ eku: "serverAuth" })), "no-client-auth");
  t.is(codeOf(await outcomeOf(listener, opensslClient(client({ eku: "serverAuth" })))), "no-client-auth");
  t.is(await meet(client({ eku: "anyExtendedKeyUsage" })), "no-client-auth");
  t.is(await meet(client({ eku: null })), "no-client-auth");
  t.is(await meet(client({ keyUsage: "critical,keyAgreement" })), "no-digital-signature");
  t.is(await meet(client({ eku: "serverAuth,clientAuth", keyUsage: null })), "accepted");
});

test("roles: twice, not a UTF8String, empty, critical; none is the NULL role", async (t) => {
  t.is(await meet(client({ role: "Operator", secondRole: "Admin" })), "role-twice");
  t.is(
    codeOf(await outcomeOf(listener, opensslClient(client({ role: "a", secondRole: "a" })))),
    "role-twice",
  );
  t.is(await meet(client({ rawExtensions: [`${ROLE_OID}=ASN1:PRINTABLESTRING:Operator`] })), "role-encoding");
  t.is(await meet(client({ rawExtensions: [`${ROLE_OID}=ASN1:IA5STRING:Operator`] })), "role-encoding");
  t.is(await meet(client({ rawExtensions: [`${ROLE_OID}=DER:0c084f70657261746f7200`] })), "role-encoding");
  t.is(await meet(client({ rawExtensions: [`${ROLE_OID}=ASN1:UTF8String:`] })), "bad-role");
  t.is(
    await meet(client({ rawExtensions: [`${ROLE_OID}=critical,ASN1:UTF8String:Operator`] })),
    "critical-extension",
  );
  const outcome = await outcomeOf(listener, nodeClient(client()));
  t.true(!isRefusal(outcome) && outcome.role === null);
});

test("names: CR and LF, NUL, two, none", async (t) => {
  t.is(await meet(client({ cn: "alice\r\n2026 permitted" })), "bad-name");
  t.is(codeOf(await outcomeOf(listener, opensslClient(client({ cn: "alice\nbob" })))), "bad-name");
  t.is(await meet(client({ ou: ["a\u202eb"] })), "bad-name");
  t.is(await meet(client({ cn: ["alice", "bob"] })), "name-twice");
  t.is(await meet(client({ cn: [], before: [["O", "Plant"]] })), "no-name");
  const nul = client({
    cn: "aliceXbob",
    rewrite: (tbs) => Buffer.from(tbs.toString("latin1").replace("eXb", "e\0b"), "latin1"),
  });
  t.is(await meet(nul), "bad-name");
});

test("weak keys and signatures are refused and named, though OpenSSL gives no reason", async (t) => {
  t.is(codeOf(await outcomeOf(listener, weak(client({ key: "rsa1024" })))), "weak-key");
  t.is(codeOf(await outcomeOf(listener, weak(client({ digest: "sha1" })))), "weak-signature");
  t.is(await meet(client({ key: "p521" })), "accepted");
  t.is(await meet(client({ key: "rsa3072" })), "accepted");
});

test("revoked, and revocation lists that are missing or expired", async (t) => {
  const authority = root.intermediate("Revoking");
  const alice = authority.client({ cn: "alice" });
  const bob = authority.client({ cn: "bob" });
  authority.revoke(bob);
  const crls = [root.crl(), authority.crl()];
  t.is(await meet(alice, { tls: { crl: crls } }), "accepted");
  t.is(await meet(bob, { tls: { crl: crls } }), "revoked");
  t.is(await meet(alice, { tls: { crl: [root.crl()] } }), "revocation-unknown");
  const old = { lastUpdate: new Date("2025-01-01"), nextUpdate: new Date("2025-02-01") };
  t.is(await meet(alice, { tls: { crl: [root.crl(), authority.crl(old)] } }), "revocation-unknown");
});

test("an authority for servers vouches for no client", async (t) => {
  const servers = root.intermediate("Servers", { eku: "serverAuth" });
  t.is(await meet(servers.client({ cn: "alice" })), "wrong-purpose");
});

test("a path length exceeded is refused", async (t) => {
  const end = root.intermediate("End", { pathLength: 0 });
  t.is(await meet(end.intermediate("Beyond").client({ cn: "alice" })), "bad-chain");
});

test("the tenant is the issuer's, whatever other certificates the client sends", async (t) => {
  const acme = pki.root("Acme Root");
  const bolt = pki.root("Bolt Root");
  const disguised = acme.intermediate("Bolt Root");
  const tenants = [named(acme, "acme"), named(bolt, "bolt")];
  const two: Listener = { ...listener, trusted: [acme.certPem, bolt.certPem], identity: { tenants } };
  const tenantOf = async (credential: Credential, cert: string, asked = two): Promise<string | null> => {
    const outcome = await outcomeOf(asked, nodeClient(credential, { cert }));
    return isRefusal(outcome) ? outcome.code : outcome.tenant;
  };
  const bob = bolt.client({ cn: "bob" });
  t.is(await tenantOf(bob, bob.certPem), "bolt");
  t.is(await tenantOf(bob, bob.certPem + acme.certPem), "bolt");
  const mallory = disguised.client({ cn: "mallory" });
  const complete = { ...two, identity: { tenants: [...tenants, named(disguised, "acme")] } };
  for (const cert of [mallory.chainPem, mallory.certPem + bolt.certPem + disguised.certPem]) {
    t.is(await tenantOf(mallory, cert), "tenant-unknown");
    t.is(await tenantOf(mallory, cert, complete), "acme");
  }
});
