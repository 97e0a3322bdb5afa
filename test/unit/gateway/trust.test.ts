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
    outside: true,
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

const PLANT = {
  name: "managed 3",
  certificate: "",
  fingerprint: "01",
  tenant: null,
  tier: "managed",
  outside: false,
};
const LAPTOP = { device: "laptop-7", authority: null, tenant: null };

function laptop(authority: string | null, more: Partial<Identity> = {}): Identity {
  return { ...issued(authority), device: "laptop-7", ...more };
}

/** Until when the laptop is healthy, with these reports and no others. */
function until(identity: Identity, ...postures: TrustState["postures"]): number {
  return trust({ authorities: [PLANT, ...authorities()], postures }).standing(site(), identity, "healthy")
    .until;
}

test("another authority's laptop of the same name neither helps nor harms the plant's, nor the other way round", (t) => {
  const own = { ...LAPTOP, by: "laptop", made: NOW, received: NOW, facts: GOOD };
  const bad = { ...GOOD, diskEncryption: false };
  const [plants, others] = [laptop("managed 3"), laptop("other")];
  const foreign = { ...own, authority: "other" };
  t.is(until(plants, own), NOW + 8 * HOUR);
  t.is(until(others, foreign), NOW + 8 * HOUR);
  t.is(until(plants, foreign), -Infinity, "the other's good report does not help");
  t.is(until(others, own), -Infinity, "nor the plant's the other's");
  const later = { made: NOW + HOUR, facts: bad };
  t.is(until(plants, own, { ...foreign, ...later }), NOW + 8 * HOUR, "the other's bad report does not harm");
  t.is(until(others, foreign, { ...own, ...later }), NOW + 8 * HOUR);
  const tenants = { ...own, tenant: "vendor-x" };
  t.is(until(plants, tenants), -Infinity);
  t.is(
    until(laptop("vendor-x", { tenant: "vendor-x" }), tenants),
    -Infinity,
    "a tenant's own authority is not the plant's for it",
  );
  t.is(until(laptop("managed 3", { tenant: "vendor-x" }), tenants), NOW + 8 * HOUR);
  t.is(until(laptop("managed 1"), own), -Infinity, "an authority that is not listed any more");
});

test("the plant's laptop keeps its report when the plant's authority is another, and while there is none", (t) => {
  const own = { ...LAPTOP, by: "laptop", made: NOW, received: NOW, facts: GOOD };
  const rotated = trust({ authorities: [PLANT, { ...PLANT, name: "managed 9" }], postures: [own] });
  for (const name of ["managed 3", "managed 9"])
    t.is(rotated.standing(site(), laptop(name), "healthy").until, NOW + 8 * HOUR);
  t.is(trust({ postures: [own] }).standing(site(), laptop(null), "healthy").until, NOW + 8 * HOUR);
});

test("a device's reports are its own, and the site document says whose count", (t) => {
  const report = { ...LAPTOP, by: "mdm", made: NOW, received: NOW, facts: GOOD };
  const found = trust({ postures: [report, { ...report, device: "laptop-8", made: NOW + HOUR }] });
  t.is(found.standing(site(), laptop(null), "healthy").until, NOW + 8 * HOUR);
  t.is(found.standing(site(), laptop(null), "reported").until, NOW + 24 * HOUR);
  for (const device of ["laptop-9", null])
    t.is(found.standing(site(), laptop(null, { device }), "healthy").until, -Infinity);
  t.is(found.standing(site(), laptop(null), "unheard-of").until, -Infinity);
  const snapshot = site();
  const without = { ...snapshot, trust: { ...snapshot.trust, postureSigners: [] } };
  t.is(
    found.standing(without, laptop(null), "healthy").until,
    -Infinity,
    "its signer is not trusted any more",
  );
});
