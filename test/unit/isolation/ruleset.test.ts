import { existsSync, readFileSync, writeFileSync } from "node:fs";
import test from "ava";
import { COUNTERS, rulesetOf } from "../../../src/isolation/ruleset.ts";
import { cases, planOfText } from "../../vectors/isolation/cases.ts";

/** `NIAC_REWRITE_VECTORS=1 ava ...` writes them anew: then read the difference, line by line. */
const rewrite = process.env["NIAC_REWRITE_VECTORS"] === "1";

for (const { name, plan, golden } of cases) {
  test(`ruleset of ${name}, to the byte`, (t) => {
    const text = rulesetOf(plan);
    if (rewrite) writeFileSync(golden, text);
    t.true(existsSync(golden));
    t.is(text, readFileSync(golden, "utf8"));
  });
}

/** The rules of a text, without its sets. */
function rulesOf(text: string): string[] {
  return text.replaceAll(/^ {2}(?:set|map) [\s\S]*?^ {2}\}$/gm, "").split("\n");
}

function withDestinations(count: number): string {
  const each = Array.from({ length: count }, (_, i) => {
    const how = ["forward", "inspect, modbus: {}", "wrap"][i % 3];
    const source = i % 2 === 0 ? "machine" : "appliance";
    const host = `10.${30 + (i >> 8)}.${i & 255}.9`;
    return `  - { name: d-${i}, reason: Some, machines: all, how: ${how}, host: ${host}, ports: [${1000 + i}], source: ${source} }\n`;
  });
  return `niac: 1
site: { name: Hall 2, appliance: box-2.example, timeZone: UTC }
network: { mode: inline }
machines:
  press-4: { address: 10.20.0.50, mac: 00:1b:1b:00:00:04, services: { modbus: { protocol: modbus-tcp } } }
destinations:
${each.join("")}`;
}

test("a thousand destinations have the rules of one: all that grows are sets", (t) => {
  const [few, many] = [1, 1_000].map((count) => rulesetOf(planOfText(withDestinations(count))));
  t.deepEqual(rulesOf(many ?? ""), rulesOf(few ?? ""));
  t.true(
    rulesOf(few ?? "").some((line) => line.includes("@forwarded ")),
    "the rules are among what is compared",
  );
  t.true((many ?? "").split("\n").length > (few ?? "").split("\n").length + 1_000);
});

test("no rule names an address or MAC address of the document", (t) => {
  for (const { name, plan } of cases) {
    const rules = rulesOf(rulesetOf(plan)).join("\n");
    for (const { address, mac } of plan.stations) {
      t.false(rules.includes(address), `${name}: ${address}`);
      t.false(rules.includes(mac), `${name}: ${mac}`);
    }
  }
});

test("every base chain but those that only mark or translate drops what no rule takes", (t) => {
  for (const { plan } of cases) {
    const open = [...rulesetOf(plan).matchAll(/chain (\w+) \{\n\s+type \w+ hook .*policy accept;/g)];
    t.deepEqual(
      open.map(([, name]) => name),
      ["output_raw", "translate_in", "translate_out", "leaving", "prerouting", "output"],
    );
  }
});

test("ports of ways that overlap are one element: the kernel's interval sets take no two that do", (t) => {
  const text = rulesetOf(
    planOfText(readFileSync(new URL("../../vectors/isolation/many.yaml", import.meta.url), "utf8")),
  );
  const set = (name: string): string[] =>
    (new RegExp(`set ${name} \\{[^{]*\\{([^}]*)\\}`).exec(text)?.[1] ?? "")
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one.includes("10.30.0.20"));
  t.deepEqual(set("masked_peers"), [
    "10.30.0.20 . tcp . 88",
    "10.30.0.20 . tcp . 135",
    "10.30.0.20 . tcp . 389",
    "10.30.0.20 . tcp . 400-600",
    "10.30.0.20 . tcp . 49152-65535",
  ]);
  t.deepEqual(set("forwarded_ranges"), [
    "10.20.0.11 . 10.30.0.20 . tcp . 400-600",
    "10.20.0.11 . 10.30.0.20 . tcp . 49152-65535",
    "10.20.0.12 . 10.30.0.20 . tcp . 440-460",
  ]);
});

test("without a document there is no element in any set", (t) => {
  const nothing = cases.find(({ name }) => name === "nothing");
  t.false(rulesetOf(nothing!.plan).includes("elements"));
});

test("each counter is declared, and counts in a rule", (t) => {
  for (const { plan } of cases) {
    const text = rulesetOf(plan);
    for (const name of Object.keys(COUNTERS)) {
      t.true(text.includes(`  counter ${name} { }`));
      t.true(text.includes(`counter name ${name}`), name);
    }
  }
});
