import test from "ava";
import { placeOf, portServed, stillServed, type Served } from "../../../src/gateway/served.ts";
import type { Snapshot } from "../../../src/site/index.ts";
import { inCable } from "./cable-site.ts";

const SITE = inCable();

function served(machine: string, service: string, destination?: string, snapshot: Snapshot = SITE): Served {
  const found = snapshot.machines.find(({ name }) => name === machine);
  const there = snapshot.destinations.find(({ name }) => name === destination) ?? null;
  const offered = there === null ? found?.services.find(({ name }) => name === service) : there.service;
  if (!found || !offered) throw new Error(`the test's site has no ${machine}/${service}`);
  return { machine: found, destination: there, service: offered };
}

const PRESS = served("press-4", "modbus");
const OWN = served("hmi-1", "modbus", "plc-12");
const SHARED = served("hmi-1", "modbus", "plc-13");

/** Whether a session, and the port it uses, goes on under the changed document. */
function goesOn(one: Served, change: (text: string) => string): [session: boolean, port: boolean] {
  const snapshot = inCable(change);
  return [stillServed(one, snapshot) !== null, portServed(one, snapshot)];
}

function reworded(text: string): string {
  return text
    .replace("machines:\n", "\n\n# moved\nmachines:\n")
    .replace("The panel shows it", "Because")
    .replace("Knows", "Has");
}

function withoutPress(text: string): string {
  return text.replaceAll("press-4", "press-5");
}

function hmiMoved(text: string): string {
  return text.replace("address: 10.20.0.5,", "address: 10.20.0.7,");
}

function pressOnly(text: string): string {
  return text.replaceAll("[hmi-1, press-4]", "[press-4]");
}

test("a machine's own service, a destination's: each by the name it is judged by", (t) => {
  t.is(placeOf(PRESS), "press-4");
  t.is(placeOf(OWN), "plc-12");
});

test("a document that says the same in other words and places ends nothing", (t) => {
  for (const one of [PRESS, OWN, SHARED]) t.deepEqual(goesOn(one, reworded), [true, true], placeOf(one));
});

test("a service or machine that is gone or changed ends its sessions", (t) => {
  t.deepEqual(
    goesOn(PRESS, (text) =>
      text.replace("{ protocol: modbus-tcp }", "{ protocol: modbus-tcp, maxPending: 4 }"),
    ),
    [false, false],
  );
  t.deepEqual(goesOn(PRESS, withoutPress), [false, false]);
});

test("a machine with another address has no sessions left, inbound or outbound", (t) => {
  t.deepEqual(goesOn(PRESS, hmiMoved), [true, true]);
  t.false(goesOn(OWN, hmiMoved)[0]);
  // The port is not this machine's alone.
  t.deepEqual(goesOn(SHARED, hmiMoved), [false, true]);
});

test("a destination that is taken from one machine ends that machine's sessions, and no shared port", (t) => {
  t.deepEqual(goesOn(OWN, pressOnly), [false, false]);
  t.deepEqual(goesOn(SHARED, pressOnly), [false, true]);
});

test("a destination that leads elsewhere, or is seen as another, ends all", (t) => {
  for (const change of [
    (text: string) => text.replace("host: 10.9.0.13", "host: 10.9.0.14"),
    (text: string) => text.replace("host: 10.9.0.13, ports: [502]", "host: 10.9.0.13, ports: [503]"),
    (text: string) => text.replace("source: appliance", "source: machine"),
    (text: string) => text.replaceAll("plc-13", "plc-14"),
  ])
    t.deepEqual(goesOn(SHARED, change), [false, false]);
});

test("whenever a port is closed, every session that uses it has ended", (t) => {
  const changes = [
    "10.20.0.4",
    "10.20.0.5",
    "10.9.0.12",
    "10.9.0.13",
    "[502]",
    "readOnly",
    "modbus-tcp",
    "press-4",
    "hmi-1",
    "plc-12",
    "plc-13",
    "appliance, host",
  ];
  const instead = ["10.20.0.8", "10.9.0.15", "[504]", "drive-2", "machine, host", "readWrite"];
  let closed = 0;
  for (const from of changes) {
    for (const to of instead) {
      let snapshot: Snapshot;
      try {
        snapshot = inCable((text) => text.replaceAll(from, to));
      } catch {
        continue; // Not every change is a document.
      }
      for (const one of [PRESS, OWN, SHARED]) {
        if (portServed(one, snapshot)) continue;
        closed++;
        t.is(stillServed(one, snapshot), null, `${placeOf(one)}: ${from} to ${to}`);
      }
    }
  }
  t.true(closed > 10, String(closed));
});
