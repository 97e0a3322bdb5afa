import { readFileSync } from "node:fs";
import test from "ava";
import { withoutLocked } from "../../../src/control/locks-network.ts";
import type { Lock } from "../../../src/link/index.ts";
import { parseSite, parseSnapshot, type Snapshot } from "../../../src/site/index.ts";

const TEXT = readFileSync(new URL("../../vectors/site/good/inline.yaml", import.meta.url), "utf8");

function site(): Snapshot {
  const { snapshot } = parseSite(TEXT, "inline.yaml");
  if (snapshot === null) throw new Error("the vector is no good document");
  return snapshot;
}

function lock(kind: Lock["kind"], value: string): Lock {
  return { id: "1", kind, value, reason: "r", by: "operator", since: 0, until: null };
}

test("a locked machine has no destinations, answers no ping, and nobody without a certificate reaches it", (t) => {
  const snapshot = site();
  for (const { name } of snapshot.machines) {
    const locked = withoutLocked(snapshot, [lock("machine", name)]);
    t.true(locked.destinations.every(({ machines }) => !machines.includes(name)));
    t.true(
      locked.unauthenticated.every(({ services }) => services.every((pair) => !pair.startsWith(`${name}/`))),
    );
    t.false(locked.machines.find((one) => one.name === name)?.ping);
    for (const [place, one] of snapshot.destinations.entries()) {
      const others = one.machines.filter((machine) => machine !== name);
      t.deepEqual(locked.destinations[place], { ...one, machines: others }, "others' destinations stay");
    }
  }
  t.true(snapshot.destinations.some(({ machines }) => machines.length > 0));
  t.true(snapshot.unauthenticated.some(({ services }) => services.length > 0));
});

test("a locked source reaches nothing, the others what they reached", (t) => {
  const snapshot = site();
  const [first] = snapshot.unauthenticated;
  const locked = withoutLocked(snapshot, [lock("source", first?.name ?? "")]);
  for (const [place, one] of snapshot.unauthenticated.entries()) {
    const services = one.name === first?.name ? [] : one.services;
    t.deepEqual(locked.unauthenticated[place], { ...one, services });
  }
  t.deepEqual(locked.destinations, snapshot.destinations);
});

test("it is still a snapshot that netd takes; other locks and names of nothing change nothing", (t) => {
  const snapshot = site();
  const locks = snapshot.machines.map(({ name }) => lock("machine", name));
  const locked = withoutLocked(snapshot, locks);
  t.deepEqual(parseSnapshot(JSON.parse(JSON.stringify(locked))), locked);
  for (const other of [lock("user", "press-4"), lock("machine", "nothing"), lock("source", "press-4")])
    t.deepEqual(withoutLocked(snapshot, [other]), snapshot);
});
