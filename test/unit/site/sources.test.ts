import test from "ava";
import { openSources, parseSite, type Snapshot } from "../../../src/site/index.ts";

const DAYS = 28;

function snapshotOf(count: number): Snapshot {
  const sources = Array.from({ length: count }, (_, index) => {
    const day = `${DAYS - index}`.padStart(2, "0");
    return `  - { name: scada-${index}, owner: o, reason: r, until: 2027-02-${day}, source: { address: 10.0.1.${index + 1}, mac: 00:1b:1b:aa:00:20 }, what: { machines: all } }\n`;
  });
  const text = `niac: 1
site: { name: P, appliance: box.example, timeZone: America/New_York }
network: { mode: inline }
machines: { m: { address: 10.0.0.10, mac: 00:1b:1b:03:21:7a, services: { modbus: { protocol: modbus-tcp } } } }
unsafeUnauthenticated:${count === 0 ? " []" : ""}
${sources.join("")}`;
  const { snapshot, findings } = parseSite(text, "site.yaml");
  if (snapshot === null) throw new Error(JSON.stringify(findings));
  return snapshot;
}

test("no sources, no line", (t) => {
  t.is(openSources(snapshotOf(0)), null);
});

test("each with its last day in the site's time zone, the next to end first", (t) => {
  t.is(
    openSources(snapshotOf(1)),
    "1 source may still connect without a certificate: scada-0 until 2027-02-28",
  );
  t.is(
    openSources(snapshotOf(2)),
    "2 sources may still connect without a certificate: scada-1 until 2027-02-27, scada-0 until 2027-02-28",
  );
});

test("many are counted, and eight of them named", (t) => {
  t.regex(openSources(snapshotOf(12)) ?? "", /^12 sources may .* and 4 more$/);
});

test("what has ended is no longer open, from its instant on", (t) => {
  const snapshot = snapshotOf(2);
  const [later, sooner] = snapshot.unauthenticated;
  t.is(openSources(snapshot, sooner!.until - 1)?.slice(0, 9), "2 sources");
  t.is(openSources(snapshot, sooner!.until)?.slice(0, 9), "1 source ");
  t.is(openSources(snapshot, later!.until), null);
});
