import test from "ava";
import { generateKeyPairSync, X509Certificate, type KeyObject } from "node:crypto";
import { isRefusal, readIdentity, type TenantAuthority } from "../../../src/identity/index.ts";
import {
  alternativeNames,
  bits,
  certificate,
  extension,
  name,
  NOW,
  OID,
  seq,
  spkiOf,
  TRUE,
  utf8,
} from "../x509/writer.ts";

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
/** An authority as it is listed. */
function listed({ cn, x509 }: Authority, tenant: string | null, tier: string | null = null): TenantAuthority {
  return { name: cn, certificate: x509, tenant, tier };
}

const tenants = [listed(a, "acme"), listed(b, "bolt"), listed(plant, null)];

test("the tenant is the one of the authority that issued the certificate; the plant's own has none", (t) => {
  t.is(tenantOf(a, tenants), "acme");
  t.is(tenantOf(b, tenants), "bolt");
  t.is(tenantOf(plant, tenants), null);
});

test("an authority of one tenant that bears the name of another's is not taken for it", (t) => {
  const disguised = authority("Root B", a);
  t.is(tenantOf(disguised, tenants), "tenant-unknown");
  t.is(tenantOf(disguised, [...tenants, listed(disguised, "acme")]), "acme");
});

test("an issuer that is not listed is a refusal, not a certificate without a tenant", (t) => {
  t.is(tenantOf(authority("Issuing A", a), tenants), "tenant-unknown");
  t.is(tenantOf(a, []), "tenant-unknown");
});

test("one issuing key for two tenants is refused, listed twice for one it is not", (t) => {
  t.is(tenantOf(a, [...tenants, listed(a, "cog")]), "tenant-ambiguous");
  t.is(tenantOf(a, [...tenants, listed(a, null)]), "tenant-ambiguous");
  t.is(tenantOf(a, [...tenants, listed(a, "acme")]), "acme");
});

test("the tier an authority stands for is the tier, whatever the certificate claims", (t) => {
  const claims = (tier: string | null): string | null => {
    const leaf = certificate({
      issuer: name([OID.cn, utf8(a.cn)]),
      signer: a.key,
      more: [alternativeNames("urn:niac:tier:managed")],
    });
    const peer = { leaf, authorized: true, authorizationError: null };
    const outcome = readIdentity(peer, NOW, { tenants: [listed(a, "acme", tier)] });
    if (isRefusal(outcome)) return outcome.code;
    t.is(outcome.authority, "Root A");
    return outcome.tier;
  };
  t.is(claims("contractor"), "contractor");
  t.is(claims(null), "managed", "one that says nothing leaves it to the certificate");
});

test("one issuing key for two tiers is refused", (t) => {
  t.is(tenantOf(a, [listed(a, "acme", "managed"), listed(a, "acme", "byod")]), "tenant-ambiguous");
});

test("without the option no identity has a tenant", (t) => {
  const outcome = readIdentity({ leaf: certificate(), authorized: true, authorizationError: null }, NOW);
  t.true(!isRefusal(outcome) && outcome.tenant === null);
});
