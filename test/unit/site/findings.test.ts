import test from "ava";
import { formatFinding, parseSite } from "../../../src/site/index.ts";
import { pathText } from "../../../src/site/findings.ts";

test("paths as they are written", (t) => {
  t.is(pathText(["grants", 0, "what", "machines", 1]), "grants[0].what.machines[1]");
  t.is(pathText(["people", "alice smith", "groups", 0]), 'people["alice smith"].groups[0]');
  t.is(pathText([]), "");
});

test("a finding shows its line, a caret, what is expected and what was meant", (t) => {
  const text = "niac: 1\nsite: { name: P, appliance: box.example, timeZone: UTC }\nmachine: {}\n";
  const { findings } = parseSite(text, "plant.yaml");
  t.is(
    findings.map((finding) => formatFinding(finding, "plant.yaml", text)).join("\n"),
    [
      "plant.yaml:3:1  error  machine is not known here",
      "    3 | machine: {}",
      "      | ^",
      "      at: machine",
      "      expected: one of niac, site, network, machines, people, groups, posture, trust, grants, forbids, destinations, unsafeUnauthenticated",
      "      did you mean: machines",
    ].join("\n"),
  );
});

test("a long line is cut around the place, and the caret stands under it", (t) => {
  const text = `${"x".repeat(500)}HERE${"y".repeat(500)}`;
  const finding = { severity: "error", line: 1, column: 501, path: "", message: "m" } as const;
  const [, source = "", caret = ""] = formatFinding(finding, "f", text).split("\n");
  t.true(source.length < 120);
  t.is(source.slice(caret.indexOf("^")).slice(0, 4), "HERE");
});

test("what a document holds cannot steer the terminal", (t) => {
  const text = "a: \u001b[31mred\u001b[0m \u202Eback\tand tab\n";
  for (const column of [1, 5, 40]) {
    const shown = formatFinding({ severity: "error", line: 1, column, path: "", message: "m" }, "f", text);
    t.notRegex(shown.replaceAll("\n", ""), /\p{C}/u);
  }
});

test("messages never carry what cannot be seen", (t) => {
  const text =
    'niac: 1\nsite: { name: P, appliance: "\\u001b[31m", timeZone: "\\e]0;x\\a" }\n"\\u202Egrants": []\n';
  const { findings } = parseSite(text, "f");
  t.is(findings.length, 3);
  for (const finding of findings)
    t.notRegex(formatFinding(finding, "f", text).replaceAll("\n", ""), /\p{C}/u);
});
