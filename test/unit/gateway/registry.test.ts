import test from "ava";
import { Recorder } from "../../../src/gateway/recorder.ts";
import { Registry } from "../../../src/gateway/registry.ts";
import { Session, type Surroundings } from "../../../src/gateway/session.ts";
import { NO_PANEL } from "../../../src/link/index.ts";
import { Flusher } from "../../../src/machine/index.ts";
import {
  compilePolicy,
  isPermit,
  Locks,
  openSession,
  RateBook,
  unknownStanding,
} from "../../../src/policy/index.ts";
import { parseSite } from "../../../src/site/index.ts";
import { ALICE, StillClock } from "../machine/requests.ts";

const { snapshot, findings } = parseSite(
  `
niac: 1
site: { name: test, appliance: box.plant.example, timeZone: UTC }
machines:
  press-4: { services: { plc: { protocol: modbus-tcp, address: 127.0.0.1:5020 } } }
people: { alice: { groups: [day, night] }, bob: { groups: [day] } }
groups: { day: {}, night: {} }
grants:
  - { name: by-day, reason: Day shift, who: { groups: [day] }, what: { machines: [press-4], modbus: { functions: readOnly } } }
  - { name: by-night, reason: Night shift, who: { groups: [night] }, what: { machines: [press-4], modbus: { functions: readOnly } } }
`,
  "test",
);

const clock = new StillClock();

function surroundings(ended: (session: Session) => void): Surroundings {
  if (!snapshot) throw new Error(JSON.stringify(findings));
  return {
    clock,
    recorder: new Recorder(clock, () => "id"),
    flushers: { requests: new Flusher(), answers: new Flusher() },
    rates: new RateBook(() => clock.monotonic()),
    snapshot: () => snapshot,
    latest: (now) => now,
    ended,
  };
}

/** A session with nothing flowing in it. */
class Idle extends Session {
  stopped = 0;

  static of(registry: Registry, id: string, user: string): Idle {
    if (!snapshot) throw new Error(JSON.stringify(findings));
    const identity = { ...ALICE, user };
    const [machine] = snapshot.machines;
    const [service] = machine?.services ?? [];
    const connections = (grant: string, who: string): number => registry.connections(grant, who);
    const request = {
      identity,
      machine: "press-4",
      service: "plc",
      source: "10.0.0.1",
      connections,
      locks: () => new Locks([]),
      posture: unknownStanding,
      panel: () => NO_PANEL,
    };
    const permit = openSession(compilePolicy(snapshot), request, 0);
    if (!machine || !service || !isPermit(permit)) throw new Error(JSON.stringify(permit));
    const opening = {
      id,
      issuer: "files",
      identity,
      permit,
      machine,
      destination: null,
      service,
      source: "10.0.0.1:50000",
    };
    return new Idle(
      opening,
      surroundings((session) => registry.remove(session)),
    );
  }

  start(): void {}
  report(): void {}
  openWrites(): string[] {
    return [];
  }

  protected override stop(): void {
    this.stopped++;
  }
}

test("sessions are found by their id until they have ended", (t) => {
  const registry = new Registry();
  const [one, two] = [Idle.of(registry, "one", "alice"), Idle.of(registry, "two", "bob")];
  registry.add(one);
  registry.add(two);
  t.is(registry.size, 2);
  t.is(registry.get("one"), one);
  one.end("the test is over");
  one.end("and said so twice");
  t.is(one.stopped, 1);
  t.is(registry.get("one"), undefined);
  t.deepEqual(registry.all(), [two]);
});

test("all() may be ended one by one while it is gone through", (t) => {
  const registry = new Registry();
  for (let i = 0; i < 10; i++) registry.add(Idle.of(registry, `session-${i}`, "alice"));
  for (const session of registry.all()) session.end("all end");
  t.is(registry.size, 0);
});

test("connections are counted by user and grant", (t) => {
  const registry = new Registry();
  registry.add(Idle.of(registry, "one", "alice"));
  registry.add(Idle.of(registry, "two", "alice"));
  registry.add(Idle.of(registry, "three", "bob"));
  t.is(registry.connections("by-day", "alice"), 2);
  t.is(registry.connections("by-night", "alice"), 2);
  t.is(registry.connections("by-day", "bob"), 1);
  t.is(registry.connections("by-night", "bob"), 0);
  t.is(registry.connections("by-day", "carol"), 0);
});

test("a place that is held counts until it is given back, once", (t) => {
  const registry = new Registry();
  const release = registry.hold(["by-day", "by-night"], "alice");
  const second = registry.hold(["by-day"], "alice");
  t.is(registry.connections("by-day", "alice"), 2);
  t.is(registry.connections("by-night", "alice"), 1);
  t.is(registry.connections("by-day", "bob"), 0);
  registry.add(Idle.of(registry, "one", "alice"));
  release();
  t.is(registry.connections("by-day", "alice"), 2);
  t.is(registry.connections("by-night", "alice"), 1);
  second();
  t.is(registry.connections("by-day", "alice"), 1);
});

test("names that only look alike when put together are told apart", (t) => {
  const registry = new Registry();
  registry.hold(['a","b'], "c");
  t.is(registry.connections("a", 'b","c'), 0);
  t.is(registry.connections('a","b', "c"), 1);
});

test("who has no session yet can be ended all the same: the doom waits for it", (t) => {
  const registry = new Registry();
  registry.expect("coming", ALICE);
  t.is(registry.doomOf("coming"), null);
  const doom = { stage: "certificate", reason: "revoked" };
  t.true(registry.doom("coming", doom));
  t.deepEqual(registry.doomOf("coming"), doom);
  registry.arrived("coming");
  t.is(registry.doomOf("coming"), null);
  t.false(registry.doom("coming", doom));
});

test("who lives already is not doomed again", (t) => {
  const registry = new Registry();
  registry.expect("one", ALICE);
  registry.add(Idle.of(registry, "one", "alice"));
  t.false(registry.doom("one", { stage: "certificate", reason: "revoked" }));
  t.is(registry.doomOf("one"), null);
});

test("certificates in use are those of live sessions and of those to be, each once; of nobody without one", (t) => {
  const registry = new Registry();
  registry.expect("one", ALICE);
  registry.expect("two", { ...ALICE, user: "bob" });
  registry.expect("machine", { ...ALICE, kind: "machine" });
  registry.add(Idle.of(registry, "one", "alice"));
  t.deepEqual(
    registry.certificates().map(({ session, identity }) => [session, identity.user]),
    [
      ["one", "alice"],
      ["two", "bob"],
    ],
  );
});
