/** What laptops must be like, and whom to trust beyond the appliance's own authority: from the document to the snapshot. */
import type { Path, Reporter } from "./findings.ts";
import { keyOf } from "./pem.ts";
import type { AuthorityDocument, PostureDocument, SignInDocument, SignerDocument } from "./schema-trust.ts";
import type { OutsideAuthority, PostureRequirement, SignIn, Trust } from "./snapshot.ts";

type Placed<T> = readonly (readonly [path: Path, value: T])[];

export function compilePostures(entries: Placed<PostureDocument>): readonly PostureRequirement[] {
  return entries
    .map(([path, { maxAge, signedBy, diskEncryption, edr, osVersion }]) => ({
      name: nameOf(path),
      maxAge,
      signedBy,
      diskEncryption: diskEncryption ?? null,
      edr: edr ?? null,
      osVersion: osVersion === undefined ? null : withoutGaps(osVersion),
    }))
    .toSorted(byName);
}

/** Only what is given, so that the snapshot is plain JSON. */
function withoutGaps({
  linux,
  windows,
  macos,
}: NonNullable<PostureDocument["osVersion"]>): NonNullable<PostureRequirement["osVersion"]> {
  return {
    ...(linux === undefined ? {} : { linux }),
    ...(windows === undefined ? {} : { windows }),
    ...(macos === undefined ? {} : { macos }),
  };
}

export function compileTrust(
  parts: {
    readonly authorities: Placed<AuthorityDocument>;
    readonly signIn: SignInDocument | null;
    readonly signers: Placed<SignerDocument>;
  },
  reporter: Reporter,
): Trust {
  checkAuthorities(parts.authorities, reporter);
  if (parts.signIn !== null) checkSignIn(parts.signIn, reporter);
  return {
    authorities: parts.authorities.map(([path, one]) => authorityOf(nameOf(path), one)).toSorted(byName),
    signIn: parts.signIn === null ? null : signInOf(parts.signIn),
    postureSigners: parts.signers.map(([path, { key }]) => ({ name: nameOf(path), key })).toSorted(byName),
  };
}

function authorityOf(name: string, document: AuthorityDocument): OutsideAuthority {
  const { certificate, tenant, tier, revocation, crlUrl, crlEvery, ocspUrl, grace } = document;
  return {
    name,
    ...certificate,
    tenant: tenant ?? null,
    tier: tier ?? null,
    revocation: revocation === "unsafeUnchecked" ? "unchecked" : revocation,
    crlUrl: crlUrl ?? null,
    crlEvery,
    ocspUrl: ocspUrl ?? null,
    grace:
      grace === undefined
        ? null
        : {
            name: grace.name,
            reason: grace.reason,
            groups: [...new Set(grace.groups)].toSorted(),
            milliseconds: grace.for,
          },
  };
}

function signInOf(document: SignInDocument): SignIn {
  const { issuer, clientId, clientSecret, scopes, userClaim, groupsClaim, tier, tenant, ca } = document;
  return {
    issuer,
    clientId,
    clientSecret: clientSecret ?? null,
    scopes,
    userClaim,
    groupsClaim: groupsClaim ?? null,
    tier,
    tenant: tenant ?? null,
    ca: ca ?? null,
  };
}

function checkAuthorities(authorities: Placed<AuthorityDocument>, reporter: Reporter): void {
  const keys = new Map<string, Path>();
  for (const [path, { certificate, revocation, crlUrl, ocspUrl, grace }] of authorities) {
    const key = keyOf(certificate.certificate);
    const first = keys.get(key);
    if (first === undefined) keys.set(key, path);
    else {
      const message = `the authority ${nameOf(first)} on line ${reporter.line(first)} has the same key: whose a certificate is could not be told`;
      reporter.error([...path, "certificate"], message, {
        expected: "one authority for each key",
        spot: "key",
      });
    }
    if (revocation === "ocsp" && ocspUrl === undefined)
      reporter.error([...path, "revocation"], "ocsp needs a responder to ask", { expected: "ocspUrl" });
    if (revocation !== "crl" && crlUrl !== undefined)
      reporter.warn([...path, "crlUrl"], `crlUrl says nothing where revocation is ${revocation}`, {
        spot: "key",
      });
    if (revocation !== "ocsp" && ocspUrl !== undefined)
      reporter.warn([...path, "ocspUrl"], `ocspUrl says nothing where revocation is ${revocation}`, {
        spot: "key",
      });
    if (revocation === "unsafeUnchecked" && grace !== undefined) {
      reporter.error(
        [...path, "grace"],
        "nobody is refused here for want of a list, so there is nothing to be let off",
        {
          expected: "revocation: crl or ocsp; or no grace",
          spot: "key",
        },
      );
    }
  }
}

function checkSignIn({ tier, scopes }: SignInDocument, reporter: Reporter): void {
  if (tier === "contractor") {
    reporter.error(
      ["trust", "signIn", "tier"],
      "a contractor's certificate needs an end date, and signing in gives none",
      {
        expected: "managed or byod; contractors enrol by a code with an end date",
      },
    );
  }
  if (!scopes.includes("openid")) {
    reporter.error(["trust", "signIn", "scopes"], "without openid there is no ID token", {
      expected: "openid among the scopes",
    });
  }
}

function nameOf(path: Path): string {
  return String(path.at(-1));
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
