/** Differences between what two snapshots ask of laptops, and whom they trust. */
import { compare, keyed, type Access, type Change, type Fields } from "./fields.ts";
import { fingerprintOf } from "./pem.ts";
import { durationText } from "./scalar.ts";
import type { OutsideAuthority, PostureRequirement, SignIn, Snapshot } from "./snapshot.ts";
import { namesText } from "./words.ts";

function postureFields({ maxAge, signedBy, diskEncryption, edr, osVersion }: PostureRequirement): Fields {
  const versions = Object.entries(osVersion ?? {}).map(([system, version]) => `${system} ${version}`);
  return {
    maxAge: durationText(maxAge),
    signedBy,
    diskEncryption: asked(diskEncryption),
    edr: asked(edr),
    osVersion: osVersion === null ? "any" : versions.join(", "),
  };
}

function asked(fact: true | null): string {
  return fact === null ? "not asked for" : "asked for";
}

function authorityFields(one: OutsideAuthority): Fields {
  const { certificate, above, tenant, tier, revocation, crlUrl, crlEvery, ocspUrl, grace } = one;
  return {
    certificate: fingerprintOf(certificate),
    above: above.length === 0 ? "-" : above.map(fingerprintOf).join(", "),
    tenant: tenant ?? "-",
    tier: tier ?? "as the certificate claims",
    revocation: revocation === "unchecked" ? "unsafeUnchecked" : revocation,
    crlUrl: crlUrl ?? "-",
    crlEvery: durationText(crlEvery),
    ocspUrl: ocspUrl ?? "-",
    grace:
      grace === null
        ? "nobody"
        : `${grace.name} (${grace.reason}): ${namesText(grace.groups)} for ${durationText(grace.milliseconds)}`,
  };
}

function signInFields(one: SignIn): Fields {
  const { issuer, clientId, clientSecret, scopes, userClaim, groupsClaim, tier, tenant, ca } = one;
  return {
    issuer,
    clientId,
    clientSecret: clientSecret === null ? "-" : "given",
    scopes: namesText(scopes),
    userClaim,
    groupsClaim: groupsClaim ?? "-",
    tier,
    tenant: tenant ?? "-",
    ca: ca === null ? "the system's" : fingerprintOf(ca),
  };
}

function signInOf(snapshot: Snapshot | null): ReadonlyMap<string, SignIn> {
  const signIn = snapshot?.trust.signIn ?? null;
  return new Map(signIn === null ? [] : [["sign-in", signIn]]);
}

/** Whoever else is trusted is one more way in. */
function inAndOut<T>(before: T | null, after: T | null): Access {
  if (before === null) return "wider";
  return after === null ? "narrower" : null;
}

export function trustChanges(before: Snapshot | null, after: Snapshot): readonly Change[] {
  const [old, now] = [before?.trust, after.trust] as const;
  return [
    ...compare("posture", keyed(before?.postures ?? []), keyed(after.postures), postureFields, () => null),
    ...compare("authority", keyed(old?.authorities ?? []), keyed(now.authorities), authorityFields, inAndOut),
    ...compare("sign-in", signInOf(before), signInOf(after), signInFields, inAndOut),
    ...compare(
      "posture signer",
      keyed(old?.postureSigners ?? []),
      keyed(now.postureSigners),
      ({ key }): Fields => ({ key }),
      () => null,
    ),
  ];
}
