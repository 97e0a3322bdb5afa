import test from "ava";
import { generateKeyPairSync, X509Certificate, type KeyObject } from "node:crypto";
import { isRefusal, readIdentity, type TenantAuthority } from "../../../src/identity/index.ts";
import { bits, certificate, extension, name, NOW, OID, seq, spkiOf, TRUE, utf8 } from "./writer.ts";

interface Authority {
  readonly cn: string;
  readonly key: KeyObject;
  readonly x509: X509Certificate;
}

const caExtensions = [
  extension(OID.basicConstraints, seq(TRUE), true),
  extension(OID.keyUsage, bits(2, Buffer.of(0x04)), true),
];

function authority(
  cn: string,
  above?: Authority,
  key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
) {
  const der = certificate({
    subject: name([OID.cn, utf8(cn)]),
    issuer: name([OID.cn, utf8(above?.cn ?? cn)]),
    key: spkiOf(key),
    signer: above?.key ?? key,
    extensions: caExtensions,
  });
  return { cn, key, x509: new X509Certificate(der) };
}

const leafOf = (issuer: Authority): Buffer =>
  certificate({ issuer: name([OID.cn, utf8(issuer.cn)]), signer: issuer.key });

/** The tenant, or the code of the refusal. */
function tenantOf(
  leaf: Buffer,
  sent: readonly Authority[],
  tenants: readonly TenantAuthority[],
): string | null {
  const peer = { leaf, sent: sent.map(({ x509 }) => x509), authorized: true, authorizationError: null };
  const outcome = readIdentity(peer, NOW, { tenants });
  return isRefusal(outcome) ? outcome.code : outcome.tenant;
}

const a = authority("Root A");
const b = authority("Root B");
const plant = authority("Plant Root");
const tenants: readonly TenantAuthority[] = [
  { certificate: a.x509, tenant: "acme" },
  { certificate: b.x509, tenant: "bolt" },
  { certificate: plant.x509, tenant: null },
];

test("the tenant is the authority's, over no, one and two intermediates", (t) => {
  const one = authority("Issuing A", a);
  const two = authority("Issuing A 2", one);
  t.is(tenantOf(leafOf(a), [], tenants), "acme");
  t.is(tenantOf(leafOf(one), [one], tenants), "acme");
  t.is(tenantOf(leafOf(two), [one, two], tenants), "acme");
  t.is(tenantOf(leafOf(two), [two, one, a], tenants), "acme");
  t.is(tenantOf(leafOf(b), [], tenants), "bolt");
  t.is(tenantOf(leafOf(plant), [], tenants), null);
});

test("an intermediate of one tenant that bears another's name, and that one's certificate sent along, change nothing", (t) => {
  const disguised = authority("Root B", a);
  for (const sent of [[disguised], [b, disguised], [disguised, b], [b, disguised, b]]) {
    t.is(tenantOf(leafOf(disguised), sent, tenants), "acme");
  }
});

test("a chain that leads to no authority with a tenant is refused", (t) => {
  const one = authority("Issuing A", a);
  const other = authority("Root A");
  t.is(tenantOf(leafOf(one), [], tenants), "tenant-unknown");
  t.is(tenantOf(leafOf(one), [b], tenants), "tenant-unknown");
  t.is(tenantOf(leafOf(other), [other], tenants), "tenant-unknown");
  t.is(tenantOf(leafOf(a), [], []), "tenant-unknown");
});

test("the nearest authority decides; one key for two tenants is refused", (t) => {
  const shared = authority("Issuing A", a);
  const nearest = [...tenants, { certificate: shared.x509, tenant: "cog" }];
  t.is(tenantOf(leafOf(shared), [shared], nearest), "cog");
  t.is(
    tenantOf(leafOf(shared), [shared], [...nearest, { certificate: shared.x509, tenant: "dyn" }]),
    "tenant-ambiguous",
  );
});

test("a certificate that is no authority's vouches for nobody", (t) => {
  const client = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const subject = name([OID.cn, utf8("bob")]);
  const issuer = name([OID.cn, utf8("Root B")]);
  const x509 = new X509Certificate(certificate({ subject, issuer, key: spkiOf(client), signer: b.key }));
  const bob = { cn: "bob", key: client, x509 };
  t.is(tenantOf(leafOf(bob), [bob], tenants), "tenant-unknown");
});

test("sent certificates that go round in circles end in a refusal", (t) => {
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const one = authority("Circle", undefined, key);
  t.is(tenantOf(leafOf(one), [one, one, one], tenants), "tenant-unknown");
});

test("no tenants configured: no tenant, whoever issued it", (t) => {
  const outcome = readIdentity(
    { leaf: leafOf(a), sent: [], authorized: true, authorizationError: null },
    NOW,
  );
  t.true(!isRefusal(outcome) && outcome.tenant === null);
});
