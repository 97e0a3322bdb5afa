import test from "ava";
import { discoveredLines, type Discovered } from "../../../src/command/discover.ts";
import { parseSite } from "../../../src/site/index.ts";

const NOW = 1_780_000_000_000;

function found(machine: string | null, identification: Discovered["identification"]): Discovered {
  const station = {
    port: "device" as const,
    mac: "00:1b:1b:03:21:7a",
    addresses: ["10.20.0.77"],
    machine,
    seen: ["ARP", "LLDP"],
    first: NOW - 60_000,
    last: NOW - 2_000,
  };
  return { station, vendor: "Example Drives", identification };
}

test("a machine of the site document is listed, and nothing is printed to paste", (t) => {
  const lines = discoveredLines([found("press", null)], NOW);
  t.is(lines.length, 2);
  t.regex(
    lines[1] ?? "",
    /^10\.20\.0\.77 +00:1b:1b:03:21:7a +Example Drives +press +sends ARP, LLDP +2 s ago$/,
  );
  t.deepEqual(discoveredLines([], NOW), ["Nothing was heard on the device port."]);
});

test("what is printed for a new station is a site document's machine, whatever the station says of itself", (t) => {
  const hostile = "X\n  evil: { address: 10.20.0.1 } # ";
  const lines = discoveredLines(
    [
      found(null, {
        modbus: { unit: 1, objects: { vendor: hostile, product: "Press" }, exception: null },
        opcua: null,
        openPorts: [80, 502, 4840, 9999],
        problems: [],
      }),
    ],
    NOW,
  );
  t.true(
    lines.every((line) => !line.includes("\n")),
    "one line each",
  );
  const head =
    "niac: 1\nsite: { name: A, appliance: box.example, timeZone: UTC }\nnetwork: { mode: inline }\n";
  const piece = lines.slice(lines.indexOf("machines:")).join("\n");
  const { snapshot, findings } = parseSite(`${head}${piece}\n`, "pasted");
  t.deepEqual(findings, []);
  t.deepEqual(
    snapshot?.machines.map(({ name }) => name),
    ["machine-10-20-0-77"],
  );
  t.deepEqual(
    snapshot?.machines[0]?.services.map(({ name, tcp }) => `${name} ${tcp?.port}`),
    ["http 80", "modbus 502", "opcua 4840", "tcp-9999 9999"],
  );
});
