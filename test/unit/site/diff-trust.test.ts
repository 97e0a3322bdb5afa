import { readFileSync } from "node:fs";
import test from "ava";
import { diffSites, formatChange, parseSite, type Snapshot } from "../../../src/site/index.ts";

const TEXT = readFileSync(new URL("../../vectors/site/good/trust.yaml", import.meta.url), "utf8");

function compiled(text: string): Snapshot {
  const { snapshot, findings } = parseSite(text, "site.yaml");
  if (snapshot === null) throw new Error(JSON.stringify(findings));
  return snapshot;
}

function changed(from: string | RegExp, to: string): readonly string[] {
  const text = TEXT.replace(from, to);
  if (text === TEXT) throw new Error(`nothing to replace: ${from}`);
  return diffSites(compiled(TEXT), compiled(text)).map(formatChange);
}

function grant(name: string, posture: string): string {
  return `  - { name: ${name}, reason: r, who: { groups: [maintenance] }, what: { machines: [press-4], modbus: { functions: readOnly } }${posture} }\n`;
}

/** Of a document with these grants alone. */
function warnings(...grants: readonly string[]): readonly string[] {
  const text = `${TEXT.slice(0, TEXT.indexOf("grants:"))}grants:\n${grants.join("")}`;
  return parseSite(text, "s").findings.map(({ message }) => message.replaceAll(/ \(line \d+\)/g, ""));
}

const CASES: readonly (readonly [what: string, from: string | RegExp, to: string, told: string])[] = [
  [
    "a requirement",
    "{ maxAge: 8h, diskEncryption: true, edr: true, osVersion:",
    "{ maxAge: 4h, edr: true, osVersion:",
    "posture healthy changed: maxAge 8h -> 4h, diskEncryption asked for -> not asked for",
  ],
  [
    "a grant that asks for less",
    "posture: [reported, healthy, reported]",
    "posture: healthy",
    "grant managed-laptops-write changed, access becomes wider: posture healthy, reported -> healthy",
  ],
  [
    "a grant that asks for more",
    "posture: healthy",
    "posture: [healthy, reported]",
    "grant maintenance-runs-press changed, access becomes narrower: posture healthy -> healthy, reported",
  ],
  [
    "revocation that is no longer looked at",
    /revocation: ocsp\n\s+ocspUrl: \S+/,
    "revocation: unsafeUnchecked",
    "authority other changed: revocation ocsp -> unsafeUnchecked, ocspUrl http://ocsp.other.example/ -> -",
  ],
  [
    "a longer grace",
    "maintenance], for: 8h",
    "maintenance], for: 9h",
    "authority vendor-x changed: grace vendor-list-late (The night shift goes on): maintenance, shift-leads for 8h -> vendor-list-late (The night shift goes on): maintenance, shift-leads for 9h",
  ],
  ["sign-in", "tier: managed\n", "tier: byod\n", "sign-in changed: tier managed -> byod"],
];

for (const [what, from, to, told] of CASES) {
  test(`a change is told: ${what}`, (t) => {
    t.deepEqual(changed(from, to), [told]);
  });
}

test("whoever else is trusted is a wider way in, and a narrower one without", (t) => {
  const snapshot = compiled(TEXT);
  const trust = { authorities: [], signIn: null, postureSigners: [] };
  const without = { ...snapshot, trust };
  t.deepEqual(diffSites(without, snapshot).map(formatChange), [
    "authority other added, access becomes wider",
    "authority vendor-x added, access becomes wider",
    "sign-in added, access becomes wider",
    "posture signer mdm added",
  ]);
  t.deepEqual(diffSites(snapshot, without).map(formatChange), [
    "authority other removed, access becomes narrower",
    "authority vendor-x removed, access becomes narrower",
    "sign-in removed, access becomes narrower",
    "posture signer mdm removed",
  ]);
});

test("a grant that asks for nothing of laptops makes one that does needless, and not the other way round", (t) => {
  t.deepEqual(warnings(grant("free", ""), grant("asks", ", posture: healthy")), [
    "grant asks changes nothing: all of it is in grant free",
  ]);
  t.deepEqual(warnings(grant("a", ", posture: healthy"), grant("b", ", posture: reported")), []);
});
