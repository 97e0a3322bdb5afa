import test from "ava";
import { parseSite, withoutKeySwitch, type Snapshot } from "../../../src/site/index.ts";
import { readKeySwitch } from "../../../src/site/key-switch.ts";

test("on and off are read, and what else means them is suggested", (t) => {
  t.deepEqual(["on", "off"].map(readKeySwitch), [{ value: "on" }, { value: "off" }]);
  const meant = [true, false, "ON", "Off", " on", "", "turned", 1, 0, null, [], {}].map((input) => {
    const reading = readKeySwitch(input);
    return "value" in reading ? reading : (reading.mistake.suggestion ?? null);
  });
  t.deepEqual(meant, ["on", "off", "on", "off", null, null, null, null, null, null, null, null]);
});

function siteWith(rules: string): Snapshot {
  const { snapshot, findings } = parseSite(
    `niac: 1
site: { name: P, appliance: box.example, timeZone: UTC }
machines:
  press-4: { services: { modbus: { protocol: modbus-tcp, address: 192.0.2.10 } } }
${rules}`,
    "site.yaml",
  );
  if (snapshot === null) throw new Error(JSON.stringify(findings));
  return snapshot;
}

function rule(name: string, when: string, functions = "readOnly"): string {
  return `  - { name: ${name}, reason: r, who: anyone, what: { machines: all, modbus: { functions: ${functions} } }, when: ${when} }\n`;
}

test("on, in quotes or not, is the same rule", (t) => {
  const written = ["on", '"on"', "'on'"].map((on) =>
    siteWith(`grants:\n${rule("a", `{ keySwitch: ${on} }`)}`),
  );
  for (const { grants } of written) t.is(grants[0]?.when?.keySwitch, "on");
});

test("rules that name the key switch are named, each once, where the box has none", (t) => {
  t.is(withoutKeySwitch(siteWith("")), null);
  t.is(withoutKeySwitch(siteWith(`grants:\n${rule("a", "{ days: [mon] }")}`)), null);
  const night = `{ keySwitch: on, days: [fri], hours: ["22:00-06:00"] }`;
  const snapshot = siteWith(
    `grants:\n${rule("night", night)}${rule("always", "{}", "[4]")}${rule("day", "{ keySwitch: on }", "[3]")}forbids:\n${rule("closed", "{ keySwitch: off }", "[6]")}`,
  );
  t.is(snapshot.grants.length, 4, "the night stands there in two parts");
  t.is(
    withoutKeySwitch(snapshot),
    "the box has no key switch, or cannot read it: no grant that names it holds, and every forbid does (grants night, day; forbid closed)",
  );
});
