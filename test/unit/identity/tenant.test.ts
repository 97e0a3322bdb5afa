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

function authority(cn: string, above?: Authority): Authority {
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const der = certificate({
    subject: name([OID.cn, utf8(cn)]),
    issuer: name([OID.cn, utf8(above?.cn ?? cn)]),
    key: spkiOf(key),
    signer: above?.key ?? key,
    extensions: caExtensions,
  });
  return { cn, key, x509: new X509Certificate(der) };
}

/** The tenant of a leaf of this issuer, or the code of the refusal. */
function tenantOf(issuer: Authority, tenants: readonly TenantAuthority[]): string | null {
  const leaf = certificate({ issuer: name([OID.cn, utf8(issuer.cn)]), signer: issuer.key });
  const outcome = readIdentity({ leaf, authorized: true, authorizationError: null }, NOW, { tenants });
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

test("the tenant is the one of the authority that issued the certificate; the plant's own has none", (t) => {
  t.is(tenantOf(a, tenants), "acme");
  t.is(tenantOf(b, tenants), "bolt");
  t.is(tenantOf(plant, tenants), null);
});

test("an authority of one tenant that bears the name of another's is not taken for it", (t) => {
  const disguised = authority("Root B", a);
  t.is(tenantOf(disguised, tenants), "tenant-unknown");
  t.is(tenantOf(disguised, [...tenants, { certificate: disguised.x509, tenant: "acme" }]), "acme");
});

test("an issuer that is not listed is a refusal, not a certificate without a tenant", (t) => {
  t.is(tenantOf(authority("Issuing A", a), tenants), "tenant-unknown");
  t.is(tenantOf(a, []), "tenant-unknown");
});

test("one issuing key for two tenants is refused, listed twice for one it is not", (t) => {
  t.is(tenantOf(a, [...tenants, { certificate: a.x509, tenant: "cog" }]), "tenant-ambiguous");
  t.is(tenantOf(a, [...tenants, { certificate: a.x509, tenant: null }]), "tenant-ambiguous");
  t.is(tenantOf(a, [...tenants, { certificate: a.x509, tenant: "acme" }]), "acme");
});

test("without the option no identity has a tenant", (t) => {
  const outcome = readIdentity({ leaf: certificate(), authorized: true, authorizationError: null }, NOW);
  t.true(!isRefusal(outcome) && outcome.tenant === null);
});
