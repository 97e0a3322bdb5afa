import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import test from "ava";
import * as fc from "fast-check";
import { parseSite, parseSnapshot } from "../../../src/site/index.ts";
import { MAX_RULE_SERVICES } from "../../../src/site/budget.ts";
import { MAX_STEPS } from "../../../src/site/shadow.ts";

const vectors = new URL("../../vectors/site/", import.meta.url);

function read(path: string): string {
  return readFileSync(new URL(path, vectors), "utf8");
}

function json(path: string): unknown {
  return JSON.parse(read(path));
}

function names(kind: string): readonly string[] {
  return readdirSync(new URL(`${kind}/`, vectors)).flatMap((file) => /^(.*)\.yaml$/.exec(file)?.[1] ?? []);
}

for (const name of names("good")) {
  test(`good document ${name}: its snapshot and warnings`, (t) => {
    const text = read(`good/${name}.yaml`);
    const { snapshot, findings } = parseSite(text, name);
    t.deepEqual(findings, json(`good/${name}.findings.json`));
    t.deepEqual(snapshot, json(`good/${name}.snapshot.json`));
    t.true(findings.every(({ severity }) => severity === "warning"));
    t.is(snapshot?.hash, createHash("sha256").update(text).digest("hex"));
  });
}

for (const name of names("bad")) {
  test(`bad document ${name}: every mistake, each at its place`, (t) => {
    const { snapshot, findings } = parseSite(read(`bad/${name}.yaml`), name);
    t.is(snapshot, null);
    t.deepEqual(findings, json(`bad/${name}.findings.json`));
  });
}

const HEAD = "niac: 1\nsite: { name: Plant 7, appliance: box.example, timeZone: UTC }\n";

function machinesText(count: number): string {
  const each = Array.from(
    { length: count },
    (_, index) =>
      `  m${index}: { services: { modbus: { protocol: modbus-tcp, address: m${index}.example } } }\n`,
  );
  return `machines:\n${each.join("")}`;
}

test("a site without grants is valid and denies everything", (t) => {
  const { snapshot, findings } = parseSite(HEAD + machinesText(1), "site.yaml");
  t.deepEqual(findings, []);
  t.deepEqual(snapshot?.grants, []);
  t.is(snapshot?.machines.length, 1);
});

test("a section with nothing but comments is an empty one", (t) => {
  const { snapshot, findings } = parseSite(`${HEAD}machines:\ngrants:\n  # none yet\n`, "site.yaml");
  t.deepEqual(findings, []);
  t.deepEqual(snapshot?.grants, []);
});

test("nothing after `write:`, `from:` or `modbus:` is an error, never a rule without that limit", (t) => {
  for (const part of [
    "modbus: { write: , read: { coils: [1] } }",
    "modbus: ",
    "modbus: { units: }",
    "services: ",
  ]) {
    const rule = `grants:\n  - { name: a, reason: r, who: anyone, what: { machines: [m0], ${part} } }\n`;
    const { snapshot, findings } = parseSite(HEAD + machinesText(1) + rule, "site.yaml");
    t.is(snapshot, null);
    t.true(findings.some(({ message }) => message.startsWith("nothing stands after")));
  }
});

test("a grant on a Modbus service without `modbus` is an error: silence opens nothing", (t) => {
  const rule = "grants:\n  - { name: a, reason: r, who: anyone, what: { machines: all } }\n";
  const { snapshot, findings } = parseSite(HEAD + machinesText(1) + rule, "site.yaml");
  t.is(snapshot, null);
  t.is(findings[0]?.suggestion, "modbus: { functions: readOnly }");
});

function codes(modbus: string): readonly number[] {
  const rule = `grants:\n  - { name: a, reason: r, who: anyone, what: { machines: all, modbus: ${modbus} } }\n`;
  const grant = parseSite(HEAD + machinesText(1) + rule, "site.yaml").snapshot?.grants[0];
  return grant?.modbus?.functions?.map(({ code }) => code) ?? [];
}

test("a grant with addresses opens no file records unless function 21 is named", (t) => {
  t.false(codes("{ write: { holdingRegisters: [1] } }").includes(21));
  t.false(codes("{ functions: programming, write: { holdingRegisters: [1] } }").includes(21));
  t.true(codes("{ functions: [readWrite, 21], write: { holdingRegisters: [1] } }").includes(21));
  t.true(codes("{ functions: readWrite }").includes(21));
});

test("the snapshot is frozen all the way down, and so is one from the channel", (t) => {
  const { snapshot } = parseSite(read("good/plant.yaml"), "plant.yaml");
  t.not(snapshot, null);
  const loose: unknown[] = [];
  const walk = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    if (!Object.isFrozen(value)) loose.push(value);
    for (const inner of Object.values(value)) walk(inner);
  };
  walk(snapshot);
  walk(parseSnapshot(json("good/plant.snapshot.json")));
  t.deepEqual(loose, []);
});

test("keys with names of JavaScript's own are unknown ones like others", (t) => {
  const { findings } = parseSite(`${HEAD}constructor: 1\ntoString: 2\n`, "site.yaml");
  t.deepEqual(
    findings.map(({ message }) => message),
    ["constructor is not known here", "toString is not known here"],
  );
});

test("destinations for all of very many machines are refused before they fill memory", (t) => {
  const machines = 800;
  const count = Math.ceil((MAX_RULE_SERVICES + 1) / machines);
  const destinations = Array.from(
    { length: count },
    (_, index) =>
      `  - { name: d${index}, reason: r, machines: all, how: forward, host: 10.0.0.1, ports: [${index + 1}] }\n`,
  );
  const { snapshot, findings } = parseSite(
    `${HEAD}${machinesText(machines)}destinations:\n${destinations.join("")}`,
    "site.yaml",
  );
  t.is(snapshot, null);
  t.deepEqual(
    findings.map(({ path }) => path),
    [`destinations[${count - 1}]`],
  );
});

test("a network section that is wrong is one finding, and does not make the rest wrong", (t) => {
  const network = `${HEAD}network: { mode: bridged }\n`;
  const machine =
    "machines: { m0: { address: 10.0.0.10, mac: 00:1b:1b:03:21:7a, services: { modbus: { protocol: modbus-tcp, tlsPort: 803 } } } }\n";
  const source =
    "unsafeUnauthenticated: [{ name: s, owner: o, reason: r, until: 2027-06-30, source: { address: 10.0.0.20, mac: 00:1b:1b:aa:00:20 }, what: { machines: all } }]\n";
  const { findings } = parseSite(network + machine + source, "site.yaml");
  t.deepEqual(
    findings.map(({ path }) => path),
    ["network.mode"],
  );
});

test("without a network, a document says of it what says nothing", (t) => {
  const { snapshot } = parseSite(HEAD + machinesText(1), "site.yaml");
  t.is(snapshot?.network, null);
  t.deepEqual(snapshot?.unauthenticated, []);
  t.like(snapshot?.machines[0], { address: null, mac: null, ping: false, standIn: null });
  t.is(snapshot?.machines[0]?.services[0]?.tlsPort, null);
});

test("users with names of JavaScript's own are users like others", (t) => {
  const text = `${HEAD}groups: { constructor: { fromCertificate: true } }\npeople: { toString: { groups: [constructor] }, valueOf: { groups: [hasOwnProperty] } }\n`;
  const { findings } = parseSite(text, "site.yaml");
  t.deepEqual(
    findings.map(({ message }) => message),
    ["group hasOwnProperty is not declared"],
  );
});

test("no text makes it throw, and none without errors lacks a snapshot", (t) => {
  const documents = ["plant", "inline", "routed"].map((name) => read(`good/${name}.yaml`));
  const torn = fc
    .tuple(
      fc.constantFrom(...documents),
      fc.nat(Math.max(...documents.map(({ length }) => length))),
      fc.nat(40),
      fc.oneof(
        fc.string(),
        fc.constantFrom("\t", "- ", "[", "{", "*a", "&a ", "!x ", "null", ": ", "'", "#"),
      ),
    )
    .map(([text, at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), torn), (text) => {
      const { snapshot, findings } = parseSite(text, "site.yaml");
      t.is(
        snapshot === null,
        findings.some(({ severity }) => severity === "error"),
      );
      t.true(findings.every(({ line, column }) => line >= 1 && column >= 1));
    }),
    { numRuns: 300 },
  );
});

test("beyond 500, findings are counted and not listed", (t) => {
  const groups = Array.from({ length: 600 }, (_, index) => `  u${index}: { groups: [nobody] }\n`).join("");
  const { findings } = parseSite(`${HEAD}people:\n${groups}`, "site.yaml");
  t.is(findings.length, 501);
  t.is(findings.at(-1)?.message, "100 more findings are not listed");
});

test("thousands of rules compile; where they are too many to compare, a finding says so", (t) => {
  const count = 1200;
  t.true((count * (count - 1)) / 2 > MAX_STEPS);
  const rules = Array.from(
    { length: count },
    (_, index) =>
      `  - { name: r${index}, reason: r, who: anyone, what: { machines: [m0], modbus: { write: { coils: [${index * 2}] } } } }\n`,
  );
  const { snapshot, findings } = parseSite(
    `${HEAD}${machinesText(1)}grants:\n${rules.join("")}`,
    "site.yaml",
  );
  t.is(snapshot?.grants.length, count);
  t.is(findings.length, 1);
  t.regex(findings[0]?.message ?? "", /too many rules to compare/);
});

test("rules for all of very many machines are refused before they fill memory", (t) => {
  const machines = 800;
  const count = Math.ceil((MAX_RULE_SERVICES + 1) / machines);
  const rules = Array.from(
    { length: count },
    (_, index) =>
      `  - { name: r${index}, reason: r, who: { users: [u${index}] }, what: { machines: all, modbus: {} } }\n`,
  );
  const { snapshot, findings } = parseSite(
    `${HEAD}${machinesText(machines)}grants:\n${rules.join("")}`,
    "site.yaml",
  );
  t.is(snapshot, null);
  t.deepEqual(
    findings.map(({ path }) => path),
    [`grants[${count - 1}]`],
  );
});

test("a misspelled key that decides on the rest is pointed at itself", (t) => {
  const text = `niac: 1
site: { name: a, appliance: b.example, timeZone: UTC }
machines:
  press-4: { services: { plc: { protocl: modbus-tcp, address: 192.0.2.1 } } }
`;
  const { snapshot, findings } = parseSite(text, "site.yaml");
  t.is(snapshot, null);
  t.like(findings[0], { line: 4, column: 33, suggestion: "protocol" });
});
