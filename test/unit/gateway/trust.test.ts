import test from "ava";
import { readFileSync } from "node:fs";
import { Trust } from "../../../src/gateway/trust.ts";
import type { TrustState } from "../../../src/link/index.ts";
import type { Identity } from "../../../src/identity/index.ts";
import { parseSite, type Snapshot } from "../../../src/site/index.ts";
import { identityOf } from "../policy/documents.ts";

const TEXT = readFileSync(new URL("../../vectors/site/good/trust.yaml", import.meta.url), "utf8");
const NOW = Date.UTC(2026, 5, 1);
const HOUR = 3_600_000;

function site(): Snapshot {
  const { snapshot } = parseSite(TEXT, "trust.yaml");
  if (snapshot === null) throw new Error("the vector is no good document");
  return snapshot;
}

function authorities(): TrustState["authorities"] {
  return site().trust.authorities.map(({ name, certificate, tenant, tier }) => ({
    name,
    certificate,
    fingerprint: "00",
    tenant,
    tier,
  }));
}

function trust(state: Partial<TrustState> = {}): Trust {
  return new Trust({ authorities: [], locks: [], postures: [], floor: 0, ...state });
}

function issued(authority: string | null): Identity {
  return { ...identityOf(), authority };
}

const GOOD = { diskEncryption: true, edr: true, os: { name: "linux" as const, version: "6.12" } };

test("where no authorities are listed the settings' files decide, and no identity has a tenant", (t) => {
  t.deepEqual(trust().identityOptions, {});
  t.deepEqual(
    trust({ authorities: authorities() }).identityOptions.tenants?.map(({ name, tenant, tier }) => [
      name,
      tenant,
      tier,
    ]),
    [
      ["other", null, null],
      ["vendor-x", "vendor-x", "contractor"],
    ],
  );
});

test("an authority that cannot be used lets nobody in, and does not open the door for all", (t) => {
  const [one, other] = authorities();
  if (one === undefined || other === undefined) throw new Error("the vector has two");
  const found = trust({ authorities: [{ ...one, certificate: "no certificate" }] });
  t.deepEqual(found.identityOptions, { tenants: [] });
  t.regex(found.problems.join(), /certificate of authority other cannot be used/);
  t.is(trust({ authorities: [{ ...one, certificate: "" }, other] }).identityOptions.tenants?.length, 1);
});

test("what is said of an issuer tells whether a session may go on", (t) => {
  const [one, other] = authorities();
  if (one === undefined || other === undefined) throw new Error("the vector has two");
  const before = trust({ authorities: [one, other] });
  t.is(
    before.issuer(issued("other")),
    trust({ authorities: [other, one], floor: 5 }).issuer(issued("other")),
  );
  for (const after of [[other], [{ ...one, tier: "byod" }, other], [{ ...one, tenant: "acme" }], []])
    t.not(before.issuer(issued("other")), trust({ authorities: after }).issuer(issued("other")));
  t.not(
    trust().issuer(issued(null)),
    before.issuer(issued(null)),
    "who came by the files, once there are authorities",
  );
  for (const kind of ["source", "machine"] as const)
    t.is(before.issuer(identityOf({ kind })), trust().issuer(identityOf({ kind })));
});

test("a device's reports are its own, and the site document says whose count", (t) => {
  const report = { device: "laptop-7", by: "mdm", made: NOW, received: NOW, facts: GOOD };
  const found = trust({ postures: [report, { ...report, device: "laptop-8", made: NOW + HOUR }] });
  t.is(found.standing(site(), "laptop-7", "healthy").until, NOW + 8 * HOUR);
  t.is(found.standing(site(), "laptop-7", "reported").until, NOW + 24 * HOUR);
  for (const device of ["laptop-9", null]) t.is(found.standing(site(), device, "healthy").until, -Infinity);
  t.is(found.standing(site(), "laptop-7", "unheard-of").until, -Infinity);
  const snapshot = site();
  const without = { ...snapshot, trust: { ...snapshot.trust, postureSigners: [] } };
  t.is(found.standing(without, "laptop-7", "healthy").until, -Infinity, "its signer is not trusted any more");
});
